import pytest
import torch

from mmdet_cleargrasp.models.postprocessing import SAME_PLATE_IOU, class_agnostic_nms

PLATE = (0.0, 0.0, 10.0, 10.0)


@pytest.mark.parametrize(
    ('other', 'kept'),
    [
        ((0.0, 0.0, 10.0, 10 * SAME_PLATE_IOU + 0.1), [1]),
        ((0.0, 0.0, 10.0, 10 * SAME_PLATE_IOU - 0.1), [1, 0]),
        ((20.0, 0.0, 30.0, 10.0), [1, 0]),
    ],
)
def test_the_better_of_two_that_overlap_is_kept(other, kept):
    assert (
        class_agnostic_nms(torch.tensor([other, PLATE]), torch.tensor([0.6, 0.7])).tolist() == kept
    )


def test_no_boxes():
    assert len(class_agnostic_nms(torch.zeros(0, 4), torch.zeros(0))) == 0
