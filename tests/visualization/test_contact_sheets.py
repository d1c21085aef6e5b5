import numpy as np
import pytest

from mmdet_cleargrasp.visualization.boxes import CAPTION_HEIGHT
from mmdet_cleargrasp.visualization.contact_sheets import Drawing, page, tile


@pytest.mark.parametrize(('size', 'height'), [(64, 64), ((64, 48), 48)])
@pytest.mark.parametrize('shape', [(40, 80, 3), (80, 40, 3), (4, 400, 3), (1, 1, 3)])
def test_tiles_have_one_size_whatever_the_image(shape, size, height):
    image = np.full(shape, 100, np.uint8)
    box = np.array([[0, 0, shape[1], shape[0]]], np.float32)
    drawn = tile(Drawing(image, box, np.array([1]), 'a.jpg'), ('dish', 'lid'), size)
    assert drawn.shape == (height + CAPTION_HEIGHT, 64, 3)
    empty = tile(Drawing(image, np.empty((0, 4)), np.empty(0, int), 'a.jpg'), ('dish',), size)
    assert not np.array_equal(drawn, empty)


def test_boxes_are_where_the_image_is():
    image = np.zeros((100, 200, 3), np.uint8)
    box = np.array([[100, 0, 200, 100]], np.float32)
    drawn = tile(Drawing(image, box, np.array([0])), ('',), size=100)[CAPTION_HEIGHT:]
    columns = np.flatnonzero(drawn[25:45].max(axis=(0, 2)))
    assert columns.min() in range(48, 52)


def test_rows_are_filled_up():
    assert page([np.zeros((5, 4, 3), np.uint8)] * 5, columns=3).shape == (10, 12, 3)
