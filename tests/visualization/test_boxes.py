import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font

from mmdet_cleargrasp.visualization.boxes import CAPTION_HEIGHT, add_caption, draw_boxes
from mmdet_cleargrasp.visualization.fonts import chart_fonts, find_font

BLUE, YELLOW = '#0072B2', '#F0E442'
RGB = {BLUE: (0, 114, 178), YELLOW: (240, 228, 66)}
WHITE = np.full((300, 400, 3), 255, np.uint8)


def share(image, color):
    return (image == RGB[color]).all(axis=-1).mean()


def test_boxes_have_their_colors_and_the_image_stays():
    image = WHITE.copy()
    boxes = np.array([[20, 60, 120, 160], [200, 60, 380, 260]], np.float32)
    drawn = draw_boxes(image, boxes, ['a', 'b'], [BLUE, YELLOW])
    assert (image == 255).all()
    assert tuple(drawn[160, 70]) == RGB[BLUE]
    assert tuple(drawn[160, 380]) == RGB[YELLOW]


def test_labels_of_boxes_at_the_same_place_do_not_cover_each_other():
    box = np.array([[100, 100, 300, 250]], np.float32)
    alone = share(draw_boxes(WHITE, box, ['petri_dish 0.56'], [BLUE]), BLUE)
    both = draw_boxes(
        WHITE, np.repeat(box, 2, axis=0), ['petri_dish 0.56', 'square_dish 0.41'], [BLUE, YELLOW]
    )
    label = alone - share(draw_boxes(WHITE, box, [''], [BLUE]), BLUE)
    frame = (2 * 200 + 2 * 150) * 2 / WHITE[..., 0].size
    assert share(both, BLUE) > label - frame / 2  # its frame may be covered, its label is not


def test_nothing_to_draw_is_a_copy():
    drawn = draw_boxes(WHITE, np.empty((0, 4)), [], [])
    assert np.array_equal(drawn, WHITE)
    assert drawn is not WHITE


@pytest.mark.parametrize('names', [('plate', 'plane'), ('пластина', 'чашка'), ('Ω', 'Σ')])
def test_letters_of_other_scripts_are_drawn(names):
    # What a font lacks is drawn as the same box for every letter.
    one, other = (add_caption(WHITE[:0], name.ljust(8)) for name in names)
    assert one.shape == (CAPTION_HEIGHT, 400, 3)
    assert not np.array_equal(one, other)
    assert find_font(names[0]).endswith('DejaVuSans.ttf')


def test_captions_of_large_images_are_larger():
    large = add_caption(np.full((1200, 1600, 3), 255, np.uint8), 'plate')
    assert large.shape[0] - 1200 == 3 * CAPTION_HEIGHT


def test_letters_that_no_font_has_are_no_mistake():
    assert add_caption(WHITE, '\U0010fffd day_1.jpg').shape == (300 + CAPTION_HEIGHT, 400, 3)


@pytest.mark.parametrize('text', ['plate', 'чашка', 'Σ', '培养皿'])
def test_charts_have_the_letters_of_the_names(text, tmp_path, recwarn):
    font = FT2Font(find_font(text))
    if not {ord(letter) for letter in text} <= set(font.get_charmap()):
        pytest.skip(f'no installed font has {text}')
    with chart_fonts(text):
        figure = Figure()
        figure.suptitle(text)
        figure.savefig(tmp_path / 'chart.png')
    assert not [w for w in recwarn if 'missing from' in str(w.message)]
