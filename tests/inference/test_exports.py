import json
import os
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from mmdet_cleargrasp.conversion import convert
from mmdet_cleargrasp.inference import exports
from mmdet_cleargrasp.inference.batch import BatchResult
from mmdet_cleargrasp.inference.exports import FORMATS, check_formats, export
from mmdet_cleargrasp.inference.journal import Journal, Shard
from mmdet_cleargrasp.inference.results import COLUMNS, IMAGE_COLUMNS
from mmdet_cleargrasp.utils.draft_folders import draft_folder
from mmdet_cleargrasp.utils.errors import ConfigError
from tests.conftest import ROOT
from tests.conversion.sources import converted_boxes

CLASSES = ('petri_dish', 'plate [96]')
BOXES = {
    'day1/IMG_0.jpg': [
        ('petri_dish', 10.5, 20.25, 30.0, 31.5),
        ('plate [96]', 2.0, 3.0, 50.0, 40.0),
    ],
    'day2/IMG_1.jpg': [('petri_dish', 1.0, 2.0, 60.0, 50.0)],
    'day2/IMG_1.png': [('plate [96]', 5.0, 6.0, 70.0, 60.0)],
    os.fsdecode(b'n\xe4pfe.jpg'): [('petri_dish', 9.0, 8.0, 7.0, 6.0)],
    'empty.jpg': [],
}


def row_of(columns, **values):
    return {**dict.fromkeys(columns, ''), **values}


@pytest.fixture
def result(tmp_path):
    (tmp_path / 'out').mkdir()
    journal = Journal(tmp_path / 'out', Shard())
    for name, boxes in BOXES.items():
        path = tmp_path / 'photos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (100, 80), 'gray').save(path)
        rows = []
        for label, x, y, width, height in boxes:
            sides = {'x': x, 'y': y, 'box_width': width, 'box_height': height}
            rows.append(row_of(COLUMNS, image=name, score=0.9, **{'class': label}, **sides))
        journal.add(row_of(IMAGE_COLUMNS, image=name, width=100, height=80), rows)
    journal.add(row_of(IMAGE_COLUMNS, image='bad.jpg', problem='is empty'), [])
    journal.add(row_of(IMAGE_COLUMNS, image='film.mp4/000001', width=9, height=9), [])
    return BatchResult(tmp_path / 'out', classes=CLASSES)


def stated_difference(name):
    """The largest difference in pixels that docs/inference.md states, to three decimals."""
    text = (ROOT / 'docs' / 'inference.md').read_text()
    return float(re.search(rf'\| `{name}` \| ([\d.]+) px \|', text)[1])


@pytest.mark.parametrize('name', ['labelme', 'yolo', 'voc', 'cvat', 'labelstudio'])
def test_exports_are_read_again_by_to_coco(name, result, tmp_path):
    folder = export(result, tmp_path / 'photos', [name])[name]
    report = convert(folder, tmp_path / 'coco')
    assert not report.skipped
    found = converted_boxes(tmp_path / 'coco')
    expected = {
        'IMG_0': BOXES['day1/IMG_0.jpg'],
        'IMG_1': BOXES['day2/IMG_1.jpg'],
        'IMG_1-2': BOXES['day2/IMG_1.png'],
        'näpfe': [('petri_dish', 9.0, 8.0, 7.0, 6.0)],
        'empty': [],
    }
    assert found.keys() == expected.keys()
    for stem, boxes in expected.items():
        assert [box[0] for box in found[stem]] == sorted(box[0] for box in boxes)
        for (_, *sides), (_, *wanted) in zip(found[stem], sorted(boxes), strict=True):
            assert sides == pytest.approx(wanted, abs=stated_difference(name) + 0.0005)


@pytest.mark.parametrize('name', ['labelme', 'yolo', 'voc', 'cvat', 'labelstudio'])
@pytest.mark.parametrize('file', ['x.json', 'data.yaml', 'tasks.xml', 'a\x01\nb.jpg', 'a\\b.jpg'])
def test_names_that_formats_cannot_hold_are_changed(tmp_path, name, file):
    (tmp_path / 'photos').mkdir()
    for other in (file, 'plain.jpg'):
        Image.new('RGB', (100, 80), 'gray').save(tmp_path / 'photos' / other, 'JPEG')
    journal = Journal(tmp_path, Shard())
    for image in (file, 'plain.jpg'):
        box = {'x': 10.0, 'y': 20.0, 'box_width': 30.0, 'box_height': 40.0, 'score': 0.9}
        rows = [row_of(COLUMNS, image=image, **{'class': CLASSES[0]}, **box)]
        journal.add(row_of(IMAGE_COLUMNS, image=image, width=100, height=80), rows)
    result = BatchResult(tmp_path, classes=CLASSES)
    folder = export(result, tmp_path / 'photos', [name])[name]
    report = convert(folder, tmp_path / 'coco')
    assert not report.skipped and report.images == {'train': 1, 'val': 1}


def test_geojson_for_qupath(result, tmp_path):
    folder = export(result, tmp_path / 'photos', ['qupath'])['qupath']
    content = json.loads((folder / 'day1/IMG_0.jpg.geojson').read_text())
    first = content['features'][0]
    assert first['geometry']['coordinates'][0][::2] == [[10.5, 20.25], [40.5, 51.75], [10.5, 20.25]]
    assert first['properties']['classification'] == {'name': 'petri_dish'}
    assert len(list(folder.rglob('*.geojson'))) == 5


def test_roi_sets_for_fiji(result, tmp_path):
    roifile = pytest.importorskip('roifile')
    folder = export(result, tmp_path / 'photos', ['fiji'])['fiji']
    first, second = roifile.roiread(folder / 'day1/IMG_0.jpg.zip')
    assert first.roitype == roifile.ROI_TYPE.RECT and first.name == '1 petri_dish 0.90'
    assert (second.left, second.top, second.right, second.bottom) == (2, 3, 52, 43)


def test_an_existing_export_is_kept(result, tmp_path):
    folder = export(result, tmp_path / 'photos', ['labelme'])['labelme']
    (folder / 'empty.json').write_text('corrected')
    assert export(result, tmp_path / 'photos', ['labelme']) == {}
    assert (folder / 'empty.json').read_text() == 'corrected'


def test_an_export_that_fails_leaves_nothing(result, tmp_path, monkeypatch):
    before = sorted(result.out_dir.iterdir())
    monkeypatch.setattr(exports, 'write_json', lambda *_: (_ for _ in ()).throw(OSError('full')))
    with pytest.raises(OSError, match='full'):
        export(result, tmp_path / 'photos', ['labelme'])
    assert sorted(result.out_dir.iterdir()) == before


def test_one_of_two_shards_that_end_together_exports(result, tmp_path):
    with draft_folder(result.out_dir / 'labelme'):
        assert export(result, tmp_path / 'photos', ['labelme']) == {}


def test_formats_that_cannot_be_written():
    check_formats(FORMATS)
    with pytest.raises(ConfigError, match='--export vott: expected some of labelme, yolo'):
        check_formats(['vott'])


def test_label_studio_tasks_and_interface(result, tmp_path):
    folder = export(result, tmp_path / 'photos', ['labelstudio'])['labelstudio']
    first = json.loads((folder / 'tasks.json').read_text())[0]
    assert first['data']['image'] == '/data/local-files/?d=images/day1/IMG_0.jpg'
    [prediction] = first['predictions']
    box = prediction['result'][0]
    assert box['value'] == {
        'x': 10.5, 'y': 25.3125, 'width': 30.0, 'height': 39.375, 'rotation': 0,
        'rectanglelabels': ['petri_dish'],
    }  # fmt: skip
    assert (folder / 'images/day1/IMG_0.jpg').is_file()
    interface = ElementTree.fromstring((folder / 'labeling_interface.xml').read_text())
    control = interface.find('RectangleLabels')
    assert (control.get('name'), control.get('toName')) == (box['from_name'], box['to_name'])
    assert [label.get('value') for label in control] == list(CLASSES)
