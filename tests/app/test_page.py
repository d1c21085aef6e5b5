"""Requests to the page, in this process."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from mmdet_cleargrasp.app import page as page_module
from mmdet_cleargrasp.app.sessions import RefusedError
from tests.conftest import ROOT

from .conftest import CLASSES, TOKEN, StubDetector, jpeg

testclient = pytest.importorskip('starlette.testclient')


def upload(client, name='a.jpg', content=None):
    content = jpeg() if content is None else content
    return client.post('/api/photographs', params={'name': name}, content=content)


def state(client):
    return client.get('/api/state').json()


def files_of(page):
    return [path for path in page.folder.rglob('*') if path.is_file()]


@pytest.fixture
def open_page(make_page):
    """A function that builds a page with given limits; it returns the page and a client."""

    browsers = []

    def open_it(**options):
        page = make_page(**options)
        browser = testclient.TestClient(page.app, base_url='http://127.0.0.1')
        browsers.append(browser.__enter__())
        browser.get(f'/?token={TOKEN}')
        browser.get('/api/state')
        return page, browser

    yield open_it
    for browser in browsers:
        browser.__exit__(None, None, None)


def test_an_upload_returns_boxes_and_views(client):
    answer = upload(client)
    assert answer.status_code == 201
    photo = answer.json()
    assert (photo['name'], photo['width'], photo['height']) == ('a.jpg', 100, 60)
    assert [(box['label'], box['score']) for box in photo['boxes']] == [
        (CLASSES[0], 0.9), (CLASSES[1], 0.3),
    ]  # fmt: skip
    for view in ('view.jpg', 'thumbnail.jpg'):
        picture = client.get(f'/api/photographs/{photo["key"]}/{view}')
        assert (
            picture.headers['content-type'] == 'image/jpeg' and picture.content[:2] == b'\xff\xd8'
        )


def test_a_reload_keeps_corrections_and_settings(client):
    photo = upload(client).json()
    photo['boxes'][0] |= {'left': 12.0, 'corrected': True, 'known_mm': 40}
    client.put(f'/api/photographs/{photo["key"]}', json={**photo, 'checked_at': 0.5})
    client.put('/api/settings', json={'threshold': 0.2, 'scale_from': photo['key']})
    again = state(client)
    assert again['threshold'] == 0.2 and again['scale_from'] == photo['key']
    (seen,) = again['photographs']
    assert seen['boxes'][0]['left'] == 12 and seen['checked_at'] == 0.5
    assert seen['px_per_mm'] == pytest.approx(38 / 40)
    assert not again['expired']


def test_users_do_not_see_each_other(open_page):
    page, first = open_page()
    key = upload(first).json()['key']
    second = testclient.TestClient(page.app, base_url='http://127.0.0.1')
    second.get(f'/?token={TOKEN}')
    assert state(second)['photographs'] == []
    assert second.get(f'/api/photographs/{key}/view.jpg').status_code == 404
    assert second.delete(f'/api/photographs/{key}').status_code == 404
    assert second.get('/api/download/results').status_code == 409


@pytest.mark.parametrize(
    ('content', 'limits', 'status', 'problem'),
    [
        (b'', {}, 422, 'bad.jpg is empty'),
        (b'text', {}, 422, 'bad.jpg is not an image'),
        (jpeg()[:900], {}, 422, 'bad.jpg is broken or truncated'),
        (None, {'megapixels': 0}, 422, 'bad.jpg has 6,000 pixels, more than the 0'),
        (None, {'megabytes': 0}, 413, 'bad.jpg: The file is larger than 0 MB'),
        (None, {'files': 0}, 409, 'The page takes 0 photographs at a time'),
        (None, {'total_megabytes': 0}, 507, 'no space left'),
    ],
)
def test_invalid_files_are_refused(open_page, content, limits, status, problem):
    page, client = open_page(**limits)
    answer = upload(client, 'bad.jpg', content)
    assert answer.status_code == status
    text = answer.json()['problem']
    assert problem in text and str(page.folder) not in text
    assert files_of(page) == [] and state(client)['photographs'] == []


def test_a_failure_of_the_detector_is_reported_as_such(open_page, capsys):
    class Broken(StubDetector):
        def __call__(self, image, score_thr=0.0):
            raise RuntimeError('/secret/path')

    page, client = open_page(detector=Broken())
    answer = upload(client)
    assert answer.status_code == 500
    assert answer.json()['problem'] == (
        'a.jpg: The detector failed (RuntimeError); see the terminal of the page.'
    )
    assert 'RuntimeError: /secret/path' in capsys.readouterr().err
    assert files_of(page) == [] and state(client)['photographs'] == []


def test_uploads_of_unknown_size_are_refused(open_page):
    page, client = open_page()
    answer = client.post('/api/photographs', content=iter([b'x']))  # chunked
    assert answer.status_code == 411 and files_of(page) == []


def test_photographs_and_their_files_are_removed(open_page):
    page, client = open_page()
    keys = [upload(client, f'{k}.jpg').json()['key'] for k in range(3)]
    assert client.delete(f'/api/photographs/{keys[1]}').status_code == 200
    assert [p['name'] for p in state(client)['photographs']] == ['0.jpg', '2.jpg']
    assert len(files_of(page)) == 6
    client.delete('/api/photographs')
    assert state(client)['photographs'] == [] and files_of(page) == []


def test_an_expired_session_is_reported(open_page):
    page, client = open_page()
    page.sessions._sessions.clear()
    assert 'was not used for 60 minutes' in upload(client).json()['problem']
    assert state(client)['expired'] is True
    assert upload(client).status_code == 201


@pytest.mark.parametrize(
    'content', [b'', b'{', b'[]', b'"x"', b'[' * 100_000, b'{"boxes": [{}]}', b'\xff', b' ' * 2_000_000]
)  # fmt: skip
def test_invalid_corrections_are_refused(client, content):
    photo = upload(client).json()
    answer = client.put(f'/api/photographs/{photo["key"]}', content=content)
    assert answer.status_code in (413, 422) and answer.json()['problem']
    assert state(client)['photographs'][0]['boxes'] == photo['boxes']


@pytest.mark.parametrize(
    'content',
    [
        *(f'{{"threshold": {value}}}' for value in
          ('-1', '2', '"x"', 'null', '[]', 'true', 'Infinity', 'NaN')),
        *(f'{{"scale_from": {value}}}' for value in ('7', '[]', '{}', '"gone"', 'true')),
        '{"threshold": 0.4, "scale_from": []}',
    ],
)  # fmt: skip
def test_invalid_settings_are_refused(client, content):
    client.put('/api/settings', json={'threshold': 0.3, 'scale_from': upload(client).json()['key']})
    before = state(client)
    answer = client.put('/api/settings', content=content)
    assert answer.status_code == 422 and answer.json()['problem']
    assert state(client) == before and before['threshold'] == 0.3 and before['scale_from']


@pytest.mark.parametrize('value', ['true', '2', '[]', '"x"', 'NaN'])
def test_invalid_thresholds_of_confirmed_photographs_are_refused(client, value):
    key = upload(client).json()['key']
    content = f'{{"boxes": [], "checked_at": {value}}}'
    assert client.put(f'/api/photographs/{key}', content=content).status_code == 422
    assert len(state(client)['photographs'][0]['boxes']) == 2


def test_a_full_disk_is_reported(open_page, monkeypatch, capsys):
    page, client = open_page()
    upload(client)

    def full(*_arguments):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(page_module, 'write_download', full)
    monkeypatch.setattr(page_module, '_downscale', full)
    before = files_of(page)
    for answer in (client.get('/api/download/results'), upload(client, 'b.jpg')):
        assert answer.status_code == 507
        assert 'No space left on device' in answer.json()['problem']
    assert 'Traceback' not in capsys.readouterr().err
    assert files_of(page) == before


def test_a_full_disk_at_the_end_of_an_upload_is_reported(open_page, monkeypatch):
    """The last bytes are written when the file is closed."""
    page, client = open_page()
    open_file = os.open

    def full(path, *arguments, **keywords):
        if Path(path).parent.parent == page.folder:
            return open_file('/dev/full', os.O_WRONLY)
        return open_file(path, *arguments, **keywords)

    monkeypatch.setattr(os, 'open', full)
    answer = upload(client, content=b'short')
    assert answer.status_code == 507 and 'No space left on device' in answer.json()['problem']


def test_a_full_disk_for_a_new_session_is_reported(make_page, monkeypatch):
    page = make_page(token=None)
    monkeypatch.setattr(page.sessions, 'folder', Path('/proc/none'))
    with testclient.TestClient(page.app, base_url='http://localhost') as browser:
        assert browser.get('/api/state').status_code == 507


def test_a_failed_download_does_not_block_the_next(open_page, monkeypatch):
    page, client = open_page()
    upload(client)
    full = lambda size: (_ for _ in ()).throw(RefusedError(507, 'full'))  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr(page.sessions, 'check_disk', full)
        assert client.get('/api/download/results').status_code == 507
    with monkeypatch.context() as patch:
        patch.setattr(page_module, 'write_download', lambda *_: full(0))
        assert client.get('/api/download/results').status_code == 507
    for _ in range(2):
        assert client.get('/api/download/results').status_code == 200


def test_the_state_describes_the_model(client):
    model = state(client)['model']
    assert model['note'] == 'trained on renders'
    assert model['name'] == 'stub.pth' and model['threshold'] == 0.5 and model['quality'] is None
    assert model['classes'][0] == {
        'name': 'petri_dish', 'color': '#D55E00', 'one': 'Petri dish', 'many': 'Petri dishes',
    }  # fmt: skip


def test_views_are_downscaled(client, monkeypatch):
    monkeypatch.setattr(page_module, 'VIEW_SIDE', 50)
    photo = upload(client, content=jpeg(400, 200)).json()
    assert (photo['width'], photo['height']) == (400, 200)
    view = client.get(f'/api/photographs/{photo["key"]}/view.jpg').content
    with Image.open(io.BytesIO(view)) as image:
        assert image.size == (50, 25)


def test_example_pictures_are_small():
    for path in (ROOT / 'mmdet_cleargrasp/app/static').glob('*.jpg'):
        with Image.open(path) as image:
            assert image.size == (512, 384) and path.stat().st_size < 60_000
