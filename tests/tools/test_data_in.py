"""From data of another format to what training reads, as a user goes about it."""

import hashlib
import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mmdet_cleargrasp import config_path
from mmdet_cleargrasp.conversion import ConversionOptions, convert
from mmdet_cleargrasp.datasets import check_split, find_splits
from mmdet_cleargrasp.datasets.images import read_image
from mmdet_cleargrasp.engine.browsing import browse_config, browse_folder
from mmdet_cleargrasp.engine.prepare import RunOptions, prepare
from mmdet_cleargrasp.utils.errors import ConfigError
from tests.conversion.sources import labelformat_yolo, supervision_labelme

TO_COCO = 'tools/dataset_converters/to_coco.py'


@pytest.fixture
def labelme_folder(toy_plates, tmp_path):
    supervision_labelme(toy_plates, tmp_path / 'src')
    return tmp_path / 'src'


def test_conversion_says_what_it_did_and_where(labelme_folder, run_tool, tmp_path):
    (labelme_folder / 'images' / '0002.jpg').write_bytes(b'')
    out = tmp_path / 'out'
    done = run_tool(TO_COCO, labelme_folder, out, '--classes', 'petri_dish=dish', 'square_dish=dish',
                    '--val', '0.4', '--seed', '3', check=False)  # fmt: skip
    assert done.returncode == 3
    assert 'read as labelme' in done.stdout
    assert '1 x the image is empty (0 bytes)' in done.stdout
    assert (
        f'next: python tools/train.py configs/frcnn_cleargrasp_plates.py --data-root {out}'
        in done.stdout
    )
    assert cv2.imread(str(out / 'contact_sheet.jpg')).shape[1] >= 320
    record = json.loads((out / 'conversion.json').read_text())
    assert record['classes'] == ['multiwell_plate', 'dish']
    assert [skipped['what'] for skipped in record['skipped']] == ['images/0002.jpg']
    assert sum(record['images'].values()) == 5
    for split, parts in find_splits(out).items():
        findings = check_split(split, parts.ann_file, parts.img_dir, ('multiwell_plate', 'dish'))
        assert not [f for f in findings if f.level == 'error'], findings
    before = hashlib.sha256((out / 'annotations' / 'train.json').read_bytes()).digest()
    again = run_tool(TO_COCO, labelme_folder, out, check=False)
    assert again.returncode == 1
    assert '--overwrite replaces it' in again.stderr
    assert hashlib.sha256((out / 'annotations' / 'train.json').read_bytes()).digest() == before
    (labelme_folder / 'images' / '0002.jpg').unlink()
    (labelme_folder / '0002.json').unlink()
    run_tool(TO_COCO, labelme_folder, out, '--overwrite')
    assert json.loads((out / 'conversion.json').read_text())['classes'] != record['classes']


def test_failed_conversion_leaves_nothing_and_keeps_what_was_there(labelme_folder, tmp_path):
    out = tmp_path / 'out'
    convert(labelme_folder, out)
    (out / 'mine.txt').write_text('a note')
    with pytest.raises(ConfigError, match='no class'):
        convert(labelme_folder, out, ConversionOptions(classes=('lid=dish',), overwrite=True))
    assert (out / 'mine.txt').is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ['out', 'src']


def test_splits_of_the_source_are_kept_until_asked_otherwise(toy_plates, tmp_path):
    for split in ('train', 'valid'):
        labelformat_yolo(toy_plates, tmp_path / 'src' / split)
    (tmp_path / 'src' / 'train' / 'data.yaml').replace(tmp_path / 'src' / 'data.yaml')
    (tmp_path / 'src' / 'valid' / 'data.yaml').unlink()
    text = (tmp_path / 'src' / 'data.yaml').read_text().replace('train: images', '')
    (tmp_path / 'src' / 'data.yaml').write_text(
        f'{text}\ntrain: ../train/images\nval: ../valid/images\n'
    )
    kept = convert(tmp_path / 'src', tmp_path / 'kept')
    assert kept.images == {'train': 6, 'val': 6}
    options = ConversionOptions(group_by=r'(\d+)\.jpg', val=0.5)
    again = convert(tmp_path / 'src', tmp_path / 'again', options)
    assert sum(again.images.values()) == 12
    names = [
        {path.name for path in (tmp_path / 'again' / split).rglob('*.jpg')}
        for split in again.images
    ]
    assert not names[0] & names[1]


@pytest.mark.parametrize(('link', 'same'), [(True, True), (False, False)])
def test_images_are_copied_or_linked(labelme_folder, tmp_path, link, same):
    convert(labelme_folder, tmp_path / 'out', ConversionOptions(link=link))
    written = next((tmp_path / 'out').rglob('0001.jpg'))
    assert written.samefile(labelme_folder / 'images' / '0001.jpg') == same


def test_scans_of_16_bits_are_copied_as_they_are(labelme_folder, tmp_path):
    image = labelme_folder / 'images' / '0001.jpg'
    values = np.asarray(Image.open(image).convert('L')).astype('u2') * 16
    Image.fromarray(values).save(image, 'TIFF')
    convert(labelme_folder, tmp_path / 'out')
    written = next((tmp_path / 'out').rglob('0001.jpg'))
    assert written.read_bytes() == image.read_bytes()
    assert read_image(written).max() > 100


def tiles(path, size, columns=4):
    sheet = cv2.imread(str(path))
    rows = sheet.shape[0] // (size + 18)
    return sheet, rows, sheet.shape[1] // size


@pytest.mark.parametrize('mixes_images', [False, True])
def test_sheets_before_and_after_show_the_same_images(
    mixes_images, tiny_config, toy_plates, tmp_path
):
    config = config_path('frcnn_plates_detector') if mixes_images else tiny_config
    plan = prepare(config, RunOptions(data_root=toy_plates, split_dir=tmp_path))
    before, after = browse_config(plan, tmp_path, count=6, size=96, seed=1)
    assert tiles(before, 96)[1:] == tiles(after, 96)[1:] == (2, 4)
    assert not np.array_equal(cv2.imread(str(before)), cv2.imread(str(after)))
    again = browse_config(plan, tmp_path / 'again', count=6, size=96, seed=1)[1]
    assert np.array_equal(cv2.imread(str(again)), cv2.imread(str(after)))


def test_a_folder_is_browsed_split_by_split(toy_plates, tmp_path):
    sheets = browse_folder(toy_plates, tmp_path, count=2, size=64)
    assert [sheet.name for sheet in sheets] == ['train.png', 'val.png']
    sheet, rows, columns = tiles(sheets[0], 64)
    assert (rows, columns) == (1, 2)
    # The color of a class' box is nowhere else in the gray drawings.
    assert (np.ptp(sheet.astype(int), axis=2) > 100).any()


def test_browsing_other_data_sets_is_refused(tiny_config, tmp_path):
    options = RunOptions(cfg_options={'train_dataloader.dataset.type': 'VOCDataset'})
    with pytest.raises(ConfigError, match='VOCDataset, expected CocoDataset'):
        browse_config(prepare(tiny_config, options), tmp_path)
