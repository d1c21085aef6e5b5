from pycocotools.coco import COCO

from mmdet_cleargrasp.datasets.toy_plates import write_toy_plates


def test_same_seed_same_files(tmp_path):
    first, second = (write_toy_plates(tmp_path / k, train=3, val=1, size=64) for k in 'ab')
    files = [path.relative_to(first) for path in first.rglob('*') if path.is_file()]
    assert len(files) == 6
    assert all((first / file).read_bytes() == (second / file).read_bytes() for file in files)


def test_boxes_lie_in_their_images_and_every_eighth_is_empty(tmp_path):
    root = write_toy_plates(tmp_path, train=8, val=1, size=64)
    coco = COCO(str(root / 'annotations' / 'train.json'))
    for annotation in coco.anns.values():
        image = coco.imgs[annotation['image_id']]
        x, y, width, height = annotation['bbox']
        assert 0 <= x < x + width <= image['width']
        assert 0 <= y < y + height <= image['height']
    assert coco.getAnnIds(imgIds=8) == []
