import pytest
import torch

from mmdet_cleargrasp.models.postprocessing import (
    NESTED_SHARE,
    SAME_PLATE_IOU,
    class_agnostic_nms,
)

PLATE = (0.0, 0.0, 10.0, 10.0)
#: A quarter of the plate, which is moved out of it to the left by shares of its width.
PART = torch.tensor([0.0, 2.0, 5.0, 7.0])
LEFT = torch.tensor([-5.0, 0.0, -5.0, 0.0])


def kept(*boxes):
    """Indices of the boxes that are kept, the first of which has the highest score."""
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
def test_the_better_of_two_boxes_on_the_same_plate_is_kept(other, expected):
    assert kept(PLATE, other) == expected
    # The order of the boxes doesn't matter.
    boxes = torch.tensor([other, PLATE])
    assert class_agnostic_nms(boxes, torch.tensor([0.6, 0.7])).tolist() == [1 - k for k in expected]


@pytest.mark.parametrize(
    ('outside', 'expected'), [(0, [0]), (1 - NESTED_SHARE - 0.01, [0]), (0.2, [0, 1])]
)
def test_a_part_of_a_better_box_is_removed(outside, expected):
    part = tuple((PART + outside * LEFT).tolist())
    assert kept(PLATE, part) == expected
    assert kept(part, PLATE) == [0, 1]  # a part doesn't remove the whole


def test_what_was_removed_removes_nothing():
    # The second is a duplicate of the first; the third only of the second.
    assert kept((0.0, 0.0, 10.0, 10.0), (4.0, 0.0, 14.0, 10.0), (8.0, 0.0, 18.0, 10.0)) == [0, 2]


def test_no_boxes():
    assert len(class_agnostic_nms(torch.zeros(0, 4), torch.zeros(0))) == 0
