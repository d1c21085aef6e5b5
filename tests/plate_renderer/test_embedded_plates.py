import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from plate_renderer.objects.plates import CATEGORIES
from plate_renderer.output.ground_truth import bounding_box

PLATES = Path(__file__).parents[2] / 'data' / 'plates'
SPLITS = ('train', 'val', 'hard')


@pytest.fixture(scope='module', params=SPLITS)
def coco(request: pytest.FixtureRequest) -> tuple[str, COCO]:
    return request.param, COCO(str(PLATES / 'annotations' / f'{request.param}.json'))


def test_images_exist_and_have_their_listed_size(coco: tuple[str, COCO]) -> None:
    split, annotations = coco
    names = {image['file_name'] for image in annotations.imgs.values()}
    assert names == {path.name for path in (PLATES / split).glob('*.jpg')}
    for image in list(annotations.imgs.values())[::8]:
        picture = cv2.imread(str(PLATES / split / image['file_name']))
        assert picture.shape == (image['height'], image['width'], 3) == (384, 512, 3)


def test_boxes_bound_disjoint_masks(coco: tuple[str, COCO]) -> None:
    _, annotations = coco
    for image in annotations.imgs:
        total = np.zeros((384, 512), int)
        for annotation in annotations.loadAnns(annotations.getAnnIds(image)):
            mask = annotations.annToMask(annotation)
            assert bounding_box(mask) == tuple(annotation['bbox'])
            assert mask.sum() == annotation['area'] >= 64
            assert annotation['iscrowd'] == 0
            total += mask
        assert total.max() <= 1


def test_splits_contain_every_class_and_images_without_plates(
    coco: tuple[str, COCO],
) -> None:
    _, annotations = coco
    names = [c['name'] for c in annotations.loadCats(sorted(annotations.getCatIds()))]
    assert names == list(CATEGORIES)
    assert all(annotations.getAnnIds(catIds=[k]) for k in (1, 2, 3))
    assert any(not annotations.getAnnIds(image) for image in annotations.imgs)


def test_splits_share_no_image() -> None:
    digests = [
        hashlib.sha256(path.read_bytes()).hexdigest()
        for split in SPLITS
        for path in (PLATES / split).glob('*.jpg')
    ]
    assert len(set(digests)) == len(digests) >= 250


def test_the_dataset_is_small_and_documents_how_it_was_rendered() -> None:
    files = [p for p in PLATES.rglob('*') if p.is_file() and 'records' not in p.parts]
    sizes = [path.stat().st_size for path in files]
    assert sum(sizes) <= 14e6
    assert max(sizes) <= 5e6
    info = json.loads((PLATES / 'annotations' / 'train.json').read_text())['info']
    card = (PLATES / 'README.md').read_text()
    for text in (info['license'], str(info['seed']), 'tools/render_plates.py'):
        assert text in card
