import pytest

from mmdet_cleargrasp.experiments.comparison.comparing import Difference
from mmdet_cleargrasp.experiments.comparison.uncertainty import Interval
from mmdet_cleargrasp.experiments.comparison.wording import cautions, describe_difference


def difference(estimate, low, high, seeds=(3, 3), images=48):
    interval = Interval(estimate, low, high, over_seeds=min(seeds) > 1)
    return Difference('a', 'b', 100, 'AP', interval, seeds, True, images, ())


@pytest.mark.parametrize(
    ('found', 'parts'),
    [
        (difference(0.02, -0.03, 0.07),
         ['do not show a difference', '+0.020', '\u22120.030 to +0.070', '48 images', '3 seeds each']),
        (difference(0.2, 0.1, 0.3), ['a has a higher AP than b', 'show a difference']),
        (difference(-0.2, -0.3, -0.1), ['a has a lower AP than b']),
        (difference(0, 0, 0), ['have the same AP']),
        (difference(0.2, 0.1, 0.3, (1, 1)), ['trained models at hand', 'One seed each does not say', '1 seed each']),
        (difference(0.2, 0.1, 0.3, (2, 3)), ['2 seeds and 3 seeds']),
    ],
)  # fmt: skip
def test_sentences_say_what_is_shown_and_from_what(found, parts):
    sentence = describe_difference(found, 'val')
    for part in parts:
        assert part in sentence
    if found.interval.covers_zero:
        assert 'higher' not in sentence
        assert 'lower' not in sentence


def test_few_images_and_many_differences_call_for_caution():
    assert cautions([difference(0, -1, 1)], 1) == []
    assert 'are few' in cautions([difference(0, -1, 1, images=12)], 1)[0]
    [caution] = cautions([difference(0, -1, 1)] * 4, 20)
    assert '20 differences' in caution and '4 of them in sentences' in caution
    assert '1 of their intervals' in caution
