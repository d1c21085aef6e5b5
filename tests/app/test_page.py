"""The page as it is started, in a real browser."""

import csv
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

from mmdet_cleargrasp.inference import PlateDetector
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
pytest.importorskip('gradio')
CHROMIUM = next(
    filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None
)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


@pytest.fixture(scope='module')
def address(tiny_runs):
    """The address of a page that is served by the command line."""
    command = [sys.executable, '-u', '-m', 'mmdet_cleargrasp.app', str(tiny_runs())]
    command += [
        '--port',
        str(free_port()),
        '--device',
        'cpu',
        '--max-megabytes',
        '1',
        '--max-files',
        '4',
    ]
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        output = []
        for line in server.stdout:
            output.append(line)
            if 'the page is at' in line:
                break
        else:
            raise AssertionError(''.join(output))
        # Whatever it says afterwards has to go somewhere.
        threading.Thread(target=server.stdout.read, daemon=True).start()
        yield line.split('the page is at ')[1].split()[0].rstrip('/')
        server.terminate()


@pytest.fixture
def browser_page():
    if not CHROMIUM:
        pytest.skip('no Chromium is installed')
    playwright = pytest.importorskip('playwright.sync_api')
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox'])
        page = browser.new_page(viewport={'width': 1280, 'height': 1000})
        page.set_default_timeout(120_000)
        yield page
        browser.close()


def test_photographs_in_plates_out(address, browser_page, tiny_runs, toy_plates, tmp_path):
    page, requested, errors = browser_page, [], []
    page.on('request', lambda request: requested.append(request.url))
    page.on('pageerror', lambda error: errors.append(str(error)))
    photos = sorted((toy_plates / 'val').glob('*.jpg'))
    (tmp_path / '<b>broken.jpg').write_bytes(photos[0].read_bytes()[:900])
    detector = PlateDetector.from_run(tiny_runs(), device='cpu')
    expected = {t: sum(len(detector(photo, t)) for photo in photos) for t in (0.5, 0.6)}
    assert expected[0.5] > expected[0.6]

    page.goto(address)
    page.wait_for_selector('input[type=file]', state='attached')
    page.set_input_files('input[type=file]', [*photos, tmp_path / '<b>broken.jpg'])
    page.wait_for_selector(f'#summary strong:text-is("{expected[0.5]}")')
    page.wait_for_selector('#found img >> nth=2')
    problem = page.locator('#problems li').inner_text()
    assert 'broken.jpg is broken or truncated' in problem and '/' not in problem
    assert page.locator('#problems li b').count() == 0

    number = page.locator('input[type=number]').first
    number.fill('0.6')
    number.press('Enter')
    page.wait_for_selector(f'#summary strong:text-is("{expected[0.6]}")')
    page.wait_for_timeout(1000)
    for button, name in (('#csv', 'detections.csv'), ('#json', 'detections.json')):
        with page.expect_download() as download:
            page.locator(button).click()
        assert download.value.suggested_filename == name
        download.value.save_as(tmp_path / name)
    rows = list(csv.DictReader((tmp_path / 'detections.csv').open(encoding='utf-8-sig')))
    assert len(rows) == expected[0.6] and {r['image'] for r in rows} <= {p.name for p in photos}
    assert len(json.loads((tmp_path / 'detections.json').read_text())['annotations']) == len(rows)
    assert errors == []
    assert {url.split('/')[2] for url in requested if url.startswith('http')} == {
        address.split('/')[2]
    }


def status(request):
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.fixture(scope='module')
def bait():
    """A server beside the page, and what was asked of it."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{server.server_port}', asked
        server.shutdown()


@pytest.mark.parametrize(
    'path',
    [
        'gradio_api/file=/etc/hostname',
        'gradio_api/file={root}/setup.cfg',
        'gradio_api/file=setup.cfg',
        'gradio_api/file=/proc/self/environ',
        'gradio_api/file={bait}/x.jpg',
        'gradio_api/file=https://example.org/x.jpg',
        'gradio_api/proxy={bait}/x.jpg',
        'file=/etc/hostname',
        'static/..%2f..%2f..%2f..%2f..%2f..%2fetc/hostname',
        'assets/..%2f..%2f..%2f..%2f..%2f..%2fetc/hostname',
    ],
)
def test_no_file_and_no_url_is_served(address, bait, path):
    url, asked = bait
    code, body = status(f'{address}/{path.format(root=ROOT, bait=url)}')
    assert 400 <= code < 500, body[:200]
    assert asked == []


@pytest.mark.parametrize(
    'named', ['/etc/hostname', '{photo}', '{bait}/x.jpg', 'https://example.org/x.jpg']
)
def test_no_file_and_no_url_is_read(address, bait, toy_plates, named):
    url, asked = bait
    photo = next((toy_plates / 'val').glob('*.jpg'))
    file = {'path': named.format(photo=photo, bait=url), 'meta': {'_type': 'gradio.FileData'}}
    content = {'data': [[file], 0.3], 'fn_index': 0, 'session_hash': f'test{abs(hash(named))}'}
    headers = {'Content-Type': 'application/json'}
    join = urllib.request.Request(
        f'{address}/gradio_api/queue/join', json.dumps(content).encode(), headers
    )
    assert status(join)[0] == 200
    _, events = status(f'{address}/gradio_api/queue/data?session_hash={content["session_hash"]}')
    (done,) = (line for line in events.decode().splitlines() if 'process_completed' in line)
    assert json.loads(done.removeprefix('data: '))['success'] is False
    assert asked == []


def test_large_files_are_refused(address):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="x.jpg"\r\n\r\n'
        + bytes(1_000_001) + b'\r\n--x--\r\n'
    )  # fmt: skip
    headers = {'Content-Type': 'multipart/form-data; boundary=x'}
    assert status(urllib.request.Request(f'{address}/gradio_api/upload', body, headers))[0] == 413
