import pytest

from mmdet_cleargrasp.datasets.annotations import read_coco
from mmdet_cleargrasp.experiments.subsets import choose_images, write_subset
from tests.conftest import ROOT

TRAIN = ROOT / 'data' / 'plates' / 'annotations' / 'train.json'


@pytest.fixture(scope='module')
def coco():
    return read_coco(TRAIN)


def test_smaller_subsets_are_within_larger_ones(coco):
    parts = [set(choose_images(coco, percent, seed=1)) for percent in (5, 10, 25, 50, 100)]
    assert [len(part) for part in parts] == [8, 16, 40, 80, 160]
    assert all(small < large for small, large in zip(parts, parts[1:], strict=False))


def test_images_without_a_box_are_kept_in_proportion(coco):
    annotated = {a['image_id'] for a in coco.annotations}
    negatives = len(coco.images) - len(annotated)
    for percent in (25, 50):
        chosen = choose_images(coco, percent, seed=0)
        assert sum(key not in annotated for key in chosen) == round(negatives * percent / 100)


def test_the_seed_alone_decides(coco):
    assert choose_images(coco, 10, 3) == choose_images(coco, 10, 3)
    assert choose_images(coco, 10, 3) != choose_images(coco, 10, 4)


def test_at_least_one_image_with_a_box_is_taken(coco):
    assert len(choose_images(coco, 0.01, 0)) == 1


def test_a_subset_is_a_coco_file(tmp_path):
    assert write_subset(TRAIN, 5, 0, tmp_path / 'part.json') == (8, 160)
    part = read_coco(tmp_path / 'part.json')
    assert {a['image_id'] for a in part.annotations} <= {image['id'] for image in part.images}
    assert part.classes == read_coco(TRAIN).classes
