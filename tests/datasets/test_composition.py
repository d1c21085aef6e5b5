import json

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.registry import init_default_scope
from pycocotools import mask as coco_mask

from mmdet_cleargrasp.datasets.composition import PastePictures, PastePlates

STEPS = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', with_bbox=True)]


def segmentation(kind, mask):
    """The mask in one of COCO's forms."""
    rle = coco_mask.encode(np.asfortranarray(mask))
    if kind == 'compressed':
        return {'size': rle['size'], 'counts': rle['counts'].decode()}
    if kind == 'uncompressed':
        flat = mask.flatten(order='F')
        edges = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff([0, *edges, flat.size]).tolist()
        return {'size': list(mask.shape), 'counts': counts}
    return [[70, 20, 70, 50, 40, 50, 40, 20]]  # a polygon


@pytest.fixture
def dataset(tmp_path, request):
    """Two images: a dark one without a plate, and a gray one with a white plate of 30 x 30."""
    kind = getattr(request, 'param', 'compressed')
    init_default_scope('mmdet')

    mask = np.zeros((80, 120), np.uint8)
    mask[20:50, 40:70] = 1
    cv2.imwrite(str(tmp_path / 'dark.png'), np.zeros((80, 120, 3), np.uint8))
    cv2.imwrite(str(tmp_path / 'plate.png'), np.stack([mask * 155 + 100] * 3, axis=-1))
    plate = dict(id=1, image_id=2, category_id=1, bbox=[40, 20, 30, 30], area=900, iscrowd=0)
    if kind != 'none':
        plate['segmentation'] = segmentation(kind, mask)
    images = [
        dict(id=i, file_name=f'{name}.png', width=120, height=80)
        for i, name in ((1, 'dark'), (2, 'plate'))
    ]
    content = dict(images=images, annotations=[plate], categories=[dict(id=1, name='plate')])
    (tmp_path / 'all.json').write_text(json.dumps(content))
    inner = dict(
        type='CocoDataset',
        ann_file=str(tmp_path / 'all.json'),
        data_prefix=dict(img=str(tmp_path)),
        metainfo=dict(classes=('plate',)),
        filter_cfg=dict(filter_empty_gt=False),
        pipeline=STEPS,
    )

    def build(*steps):
        np.random.seed(0)
        return DATASETS.build(
            dict(type='MultiImageMixDataset', dataset=inner, pipeline=list(steps))
        )

    return build


def boxes(results):
    return results['gt_bboxes'].tensor.numpy()


@pytest.mark.parametrize('dataset', ['compressed', 'uncompressed', 'polygon'], indirect=True)
def test_a_pasted_plate_is_where_its_new_box_is(dataset):
    step = dict(type='PastePlates', prob=1, max_plates=1, decoys=0, opacity=(1, 1))
    mixed = dataset(step)
    pasted = [r for r in (mixed[0] for _ in range(30)) if len(boxes(r))]
    assert len(pasted) > 5  # half of the draws read the image without a plate
    for results in pasted:
        ((x1, y1, x2, y2),) = boxes(results)
        assert results['gt_bboxes_labels'].tolist() == [0]
        assert results['gt_ignore_flags'].tolist() == [False]
        assert results['img'].dtype == np.uint8
        inside = results['img'][int(y1) + 2 : int(y2) - 2, int(x1) + 2 : int(x2) - 2]
        outside = results['img'].copy()
        rim = 0.15 * (x2 - x1) + 2
        rows = slice(max(0, int(y1 - rim)), int(y2 + rim) + 1)
        outside[rows, max(0, int(x1 - rim)) : int(x2 + rim) + 1] = 0
        assert inside.mean() > 2 * max(1, outside.mean())
        assert not outside.any()


def test_plates_stay_visible(dataset):
    mixed = dataset(dict(type='PastePlates', prob=1, max_plates=3, decoys=0.5))
    for _ in range(30):
        found = boxes(mixed[1])
        for other in found[1:]:
            sides = np.minimum(found[0][2:], other[2:]) - np.maximum(found[0][:2], other[:2])
            assert sides.clip(0).prod() <= 0.25 * (other[2:] - other[:2]).prod() + 1e-3


def test_decoys_add_no_box(dataset):
    mixed = dataset(dict(type='PastePlates', prob=1, decoys=1, opacity=(1, 1)))
    plain = dataset()[0]['img']
    changed = 0
    for _ in range(20):
        results = mixed[0]
        assert not len(boxes(results))
        changed += not np.array_equal(results['img'], plain)
    assert changed > 5


@pytest.mark.parametrize('dataset', ['none'], indirect=True)
def test_plates_without_a_mask_are_not_pasted(dataset):
    mixed = dataset(dict(type='PastePlates', prob=1, decoys=0))
    assert not any(len(boxes(mixed[0])) for _ in range(10))


def test_nothing_is_read_where_nothing_is_made():
    assert PastePlates(prob=0).get_indexes([0] * 5) == []


@pytest.fixture
def pictures(tmp_path):
    """A red cut-out whose left half is transparent, in a subfolder."""
    cut_out = np.full((40, 40, 4), (0, 0, 255, 255), np.uint8)
    cut_out[:, :20, 3] = 0
    (tmp_path / 'pictures' / 'red').mkdir(parents=True)
    cv2.imwrite(str(tmp_path / 'pictures' / 'red' / 'red.png'), cut_out)
    return tmp_path / 'pictures'


def is_red(image):
    image = image.astype(int)
    return image[..., 2] > image[..., 1] + 30


def test_pictures_lie_beside_the_plates(dataset, pictures):
    mixed = dataset(dict(type='PastePictures', folders=[str(pictures)], prob=1, size=(0.2, 0.5)))
    plain = dataset()[1]
    red = []
    for _ in range(20):
        results = mixed[1]
        assert np.array_equal(boxes(results), boxes(plain))
        assert results['gt_bboxes_labels'].tolist() == [0]
        assert np.array_equal(results['img'][20:50, 40:70], plain['img'][20:50, 40:70])
        red.append(is_red(results['img']).any())
    assert np.mean(red) > 0.8


def test_only_the_opaque_part_of_a_cut_out_is_pasted(dataset, pictures):
    step = dict(
        type='PastePictures', folders=[str(pictures)], prob=1, max_pictures=1, size=(0.5, 0.5)
    )
    for _ in range(10):
        red = is_red(dataset(step)[0]['img'])
        assert 0.35 < red.sum() / 40**2 < 0.55  # half of 40 x 40 pixels


def test_a_part_of_a_photograph_is_pasted(dataset, pictures):
    cv2.imwrite(str(pictures / 'red' / 'red.png'), np.full((40, 40, 3), (0, 0, 255), np.uint8))
    mixed = dataset(dict(type='PastePictures', folders=[str(pictures)], prob=1))
    assert all(is_red(mixed[0]['img']).any() for _ in range(10))


@pytest.mark.parametrize('content', [b'', b'text'])
def test_pictures_that_cannot_be_read_are_skipped(dataset, pictures, content):
    (pictures / 'red' / 'red.png').write_bytes(content)
    mixed = dataset(dict(type='PastePictures', folders=[str(pictures)], prob=1))
    assert np.array_equal(mixed[1]['img'], dataset()[1]['img'])


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='has no JPEG, PNG or WebP files'):
        PastePictures([str(tmp_path)])
