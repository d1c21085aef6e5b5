"""Downloads of the page, read again by this project's converters."""

import csv
import io
import json
import zipfile

import pytest
from PIL import Image

from mmdet_cleargrasp.conversion import convert
from mmdet_cleargrasp.conversion.options import ConversionOptions
from mmdet_cleargrasp.datasets.annotations import read_coco

from .conftest import CLASSES, jpeg

pytest.importorskip('starlette.testclient')
SIDEWAYS = 6  # EXIF orientation


@pytest.fixture
def photographs(client):
    """Three photographs, one with EXIF rotation, with removed, drawn and relabeled boxes."""
    turned = Image.Exif()
    turned[0x0112] = SIDEWAYS
    contents = {'a.jpg': jpeg(), 'b ä.jpg': jpeg(120, 80), 'c.jpg': jpeg(60, 100, turned)}
    photos = [
        client.post('/api/photographs', params={'name': name}, content=content).json()
        for name, content in contents.items()
    ]
    a, b, c = (photo['boxes'] for photo in photos)
    a[0]['known_mm'] = 20
    b[0]['removed'] = True
    b.append({'left': 70, 'top': 11.5, 'right': 110, 'bottom': 71.5, 'label': CLASSES[0]})
    c[0] |= {'label': CLASSES[1], 'corrected': True}
    for photo in photos:
        content = {'boxes': photo['boxes'], 'checked_at': 0.5}
        assert client.put(f'/api/photographs/{photo["key"]}', json=content).status_code == 200
    return client


#: Boxes in the three photographs: class, left, top, width, height.
EXPECTED = {
    'a.jpg': [(CLASSES[0], 10, 5, 40, 35)],
    'b ä.jpg': [(CLASSES[0], 70, 11.5, 40, 60)],
    'c.jpg': [(CLASSES[1], 10, 5, 40, 35)],
}


def unpack(client, kind, folder):
    answer = client.get(f'/api/download/{kind}')
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(folder)
    return folder / 'plates'


def test_photographs_named_like_label_files_are_renamed(client, tmp_path):
    """Otherwise the labels would overwrite the photograph."""
    for name in ('a.json', 'data.yaml'):
        client.post('/api/photographs', params={'name': name}, content=jpeg())
    folder = unpack(client, 'labelme', tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [
        'a.jpeg', 'a.json', 'data.jpeg', 'data.json',
    ]  # fmt: skip
    assert not convert(folder, tmp_path / 'coco').skipped


def boxes_of(coco):
    names = {c['id']: c['name'] for c in coco['categories']}
    files = {image['id']: image['file_name'] for image in coco['images']}
    found = {name: [] for name in files.values()}
    for one in coco['annotations']:
        found[files[one['image_id']]].append((names[one['category_id']], *one['bbox']))
    return found


def test_tables_and_pictures(photographs, tmp_path):
    folder = unpack(photographs, 'results', tmp_path)
    rows = list(csv.DictReader((folder / 'detections.csv').open(encoding='utf-8-sig')))
    assert [(r['image'], r['class'], r['score'], r['corrected']) for r in rows] == [
        ('a.jpg', CLASSES[0], '0.9', ''),
        ('b ä.jpg', CLASSES[0], '', 'yes'),
        ('c.jpg', CLASSES[1], '0.9', 'yes'),
    ]
    assert rows[0]['box_width_mm'] == '20.0' and rows[1]['box_width_mm'] == ''
    images = list(csv.DictReader((folder / 'images.csv').open(encoding='utf-8-sig')))
    assert [row['petri_dish'] for row in images] == ['1', '1', '0']
    assert sorted(p.name for p in (folder / 'pictures').iterdir()) == ['a.jpg', 'b ä.jpg', 'c.jpg']
    coco = json.loads((folder / 'detections.json').read_text())
    assert boxes_of(coco) == EXPECTED
    assert ['score' in one for one in coco['annotations']] == [True, False, True]


def test_the_scale_of_one_photograph_applies_to_all(photographs):
    key = photographs.get('/api/state').json()['photographs'][0]['key']
    photographs.put('/api/settings', json={'scale_from': key})
    table = photographs.get('/api/download/detections.csv').content.decode('utf-8-sig')
    widths = [row['box_height_mm'] for row in csv.DictReader(io.StringIO(table))]
    assert widths == ['17.5', '30.0', '17.5']


def test_the_threshold_applies_to_uncorrected_boxes(client):
    client.post('/api/photographs', params={'name': 'a.jpg'}, content=jpeg())
    for threshold, count in ((0.5, 1), (0.2, 2), (0.95, 0)):
        client.put('/api/settings', json={'threshold': threshold})
        coco = client.get('/api/download/detections.json').json()
        assert len(coco['annotations']) == count and len(coco['images']) == 1


@pytest.mark.parametrize('kind', ['labelme', 'yolo', 'voc', 'cvat', 'labelstudio'])
def test_label_formats_round_trip(photographs, tmp_path, kind):
    pytest.importorskip('labelformat')
    folder = unpack(photographs, kind, tmp_path)
    convert(folder, tmp_path / 'back', ConversionOptions(drawn_on='upright'))
    found = {}
    for split in ('train', 'val'):
        coco = json.loads((tmp_path / 'back' / 'annotations' / f'{split}.json').read_text())
        found |= boxes_of(coco)
    found = {name.split('/')[-1]: boxes for name, boxes in found.items()}
    assert set(found) == set(EXPECTED)
    for name, boxes in EXPECTED.items():
        ((label, *sides),) = found[name]
        assert label == boxes[0][0] and sides == pytest.approx(boxes[0][1:], abs=1.1)


@pytest.mark.parametrize(('kind', 'suffix'), [('fiji', '.zip'), ('qupath', '.geojson')])
def test_microscopy_formats(photographs, tmp_path, kind, suffix):
    pytest.importorskip('roifile')
    folder = unpack(photographs, kind, tmp_path)
    assert len(list(folder.glob(f'*{suffix}'))) == 3


def test_the_data_set_has_the_layout_for_training(photographs, tmp_path):
    folder = unpack(photographs, 'dataset', tmp_path)
    found = {}
    for split in ('train', 'val'):
        coco = read_coco(folder / 'annotations' / f'{split}.json')
        assert set(coco.classes) == set(CLASSES)
        assert {p.name for p in (folder / split).iterdir()} == {
            image['file_name'] for image in coco.images
        }
        found |= boxes_of(json.loads((folder / 'annotations' / f'{split}.json').read_text()))
    assert found == EXPECTED
    names = sorted(path.name for path in folder.iterdir())
    assert names == ['README.txt', 'annotations', 'train', 'val']
    assert '--data-root' in (folder / 'README.txt').read_text()


def test_the_data_set_has_confirmed_photographs_only(client, tmp_path):
    keys = [
        client.post('/api/photographs', params={'name': f'{k}.jpg'}, content=jpeg()).json()
        for k in range(2)
    ]
    assert client.get('/api/download/dataset').status_code == 409
    content = {'boxes': keys[1]['boxes'], 'checked_at': 0.5}
    client.put(f'/api/photographs/{keys[1]["key"]}', json=content)
    folder = unpack(client, 'dataset', tmp_path)  # one photograph has no split
    assert [path.name for path in (folder / 'images').iterdir()] == ['1.jpg']
    assert len(read_coco(folder / 'annotations.json').annotations) == 1


def test_a_data_set_needs_a_box(client):
    photo = client.post('/api/photographs', params={'name': 'a.jpg'}, content=jpeg()).json()
    client.put(f'/api/photographs/{photo["key"]}', json={'boxes': [], 'checked_at': 0.5})
    answer = client.get('/api/download/dataset')
    assert answer.status_code == 422 and 'draw at least one' in answer.json()['problem']


def test_downloads_leave_no_files(photographs, tmp_path):
    before = sorted(path for path in (tmp_path / 'page').rglob('*'))
    for kind in photographs.get('/api/state').json()['downloads']:
        assert photographs.get(f'/api/download/{kind}').status_code == 200, kind
    assert sorted(path for path in (tmp_path / 'page').rglob('*')) == before
    assert photographs.get('/api/download/nothing').status_code == 404
