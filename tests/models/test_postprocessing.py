import pytest
import torch

from mmdet_cleargrasp.models.postprocessing import (
    NESTED_SHARE,
    SAME_PLATE_IOU,
    class_agnostic_nms,
)

PLATE = (0.0, 0.0, 10.0, 10.0)
#: A box of half the plate's width and height inside it, and the direction that moves it out.
PART = torch.tensor([0.0, 2.0, 5.0, 7.0])
LEFT = torch.tensor([-5.0, 0.0, -5.0, 0.0])


def kept(*boxes):
    """Indices of the kept boxes, for boxes in order of decreasing score."""
    scores = torch.linspace(0.9, 0.5, len(boxes))
    return class_agnostic_nms(torch.tensor(boxes), scores).tolist()


@pytest.mark.parametrize(
    ('other', 'expected'),
    [
        ((0.0, 0.0, 10.0, 10 / SAME_PLATE_IOU - 0.1), [0]),
        ((0.0, 0.0, 10.0, 10 / SAME_PLATE_IOU + 0.1), [0, 1]),
        ((20.0, 0.0, 30.0, 10.0), [0, 1]),
    ],
)
def test_of_two_boxes_on_one_plate_the_higher_scoring_one_is_kept(other, expected):
    assert kept(PLATE, other) == expected
    # the order of the boxes does not matter
    boxes = torch.tensor([other, PLATE])
    assert class_agnostic_nms(boxes, torch.tensor([0.6, 0.7])).tolist() == [1 - k for k in expected]


@pytest.mark.parametrize(
    ('outside', 'expected'), [(0, [0]), (1 - NESTED_SHARE - 0.01, [0]), (0.2, [0, 1])]
)
def test_a_box_inside_a_higher_scoring_one_is_removed(outside, expected):
    part = tuple((PART + outside * LEFT).tolist())
    assert kept(PLATE, part) == expected
    assert kept(part, PLATE) == [0, 1]  # but a smaller box does not remove a larger one


def test_removed_boxes_do_not_remove_others():
    # the first overlaps the second, the second the third; the first and third do not overlap
    assert kept((0.0, 0.0, 10.0, 10.0), (4.0, 0.0, 14.0, 10.0), (8.0, 0.0, 18.0, 10.0)) == [0, 2]


def test_no_boxes():
    assert len(class_agnostic_nms(torch.zeros(0, 4), torch.zeros(0))) == 0
