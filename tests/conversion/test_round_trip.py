"""What other libraries write is read back as it was, without touching the source."""

import hashlib

import pytest

from mmdet_cleargrasp.conversion import ConversionOptions, convert
from mmdet_cleargrasp.datasets import check_split, find_splits, read_coco
from mmdet_cleargrasp.utils.errors import ConfigError
from mmdet_cleargrasp.utils.locks import lock_folder
from tests.conversion.sources import CASES, boxes_by_image, converted_boxes

#: Pixels: float32 in supervision's reader of YOLO, three decimals in what is written.
ROUNDING = 0.01


def fingerprint(folder):
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob('*')
        if path.is_file()
    }


@pytest.mark.parametrize(('name', 'write'), CASES, ids=[write.__name__ for _, write in CASES])
def test_boxes_round_trip(toy_plates, tmp_path, name, write):
    (tmp_path / 'src').mkdir()
    write(toy_plates, tmp_path / 'src')
    before = fingerprint(tmp_path / 'src')
    report = convert(tmp_path / 'src', tmp_path / 'out')
    assert report.format == name
    assert fingerprint(tmp_path / 'src') == before
    assert not report.skipped
    expected = boxes_by_image(toy_plates / 'annotations' / 'train.json')
    found = converted_boxes(tmp_path / 'out')
    assert found.keys() == expected.keys()
    for stem, boxes in expected.items():
        assert [label for label, *_ in found[stem]] == [label for label, *_ in boxes]
        for (_, *box), (_, *back) in zip(boxes, found[stem], strict=True):
            assert back == pytest.approx(box, abs=ROUNDING)
    for split, parts in find_splits(tmp_path / 'out').items():
        findings = check_split(split, parts.ann_file, parts.img_dir, report.classes)
        assert not [f for f in findings if f.level == 'error'], findings


def test_what_a_killed_conversion_left_is_removed(toy_plates, tmp_path):
    left = tmp_path / '.out.partial' / 'draft' / 'train'
    left.mkdir(parents=True)
    (left / 'half.jpg').write_bytes(b'x')
    (tmp_path / 'src').mkdir()
    CASES[0][1](toy_plates, tmp_path / 'src')
    convert(tmp_path / 'src', tmp_path / 'out')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['out', 'src']
    assert not list((tmp_path / 'out').rglob('half.jpg'))


def test_two_conversions_into_one_folder(toy_plates, tmp_path):
    (tmp_path / 'src').mkdir()
    CASES[0][1](toy_plates, tmp_path / 'src')
    with (
        lock_folder(tmp_path / '.out.partial'),
        pytest.raises(ConfigError, match='another conversion writes to'),
    ):
        convert(tmp_path / 'src', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_images_without_plates_are_kept(tmp_path):
    from mmdet_cleargrasp.datasets.toy_plates import write_toy_plates
    from tests.conversion.sources import labelformat_yolo

    plates = write_toy_plates(tmp_path / 'plates', train=9, val=1, size=64)
    (tmp_path / 'src').mkdir()
    labelformat_yolo(plates, tmp_path / 'src')
    (tmp_path / 'src' / 'labels' / '0009.txt').unlink()
    report = convert(tmp_path / 'src', tmp_path / 'out')
    assert sum(report.images.values()) == 9
    # 0008 is drawn without a plate and has an empty file, 0009 has lost its file.
    assert sum(report.negatives.values()) == 2
    assert any(note.startswith('1 images have no annotation') for note in report.notes)
    options = ConversionOptions(unannotated='skip', overwrite=True)
    report = convert(tmp_path / 'src', tmp_path / 'out', options)
    assert sum(report.images.values()) == 8
    images = [
        i for s in find_splits(tmp_path / 'out').values() for i in read_coco(s.ann_file).images
    ]
    assert '0009.jpg' not in {image['file_name'] for image in images}
