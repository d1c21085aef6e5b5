"""The page in a browser, on a desktop and a phone, in both color schemes.

``PAGE_SCREENSHOTS=FOLDER`` keeps the screenshots.
"""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

from .conftest import CLASSES, TOKEN, jpeg, running

pytestmark = pytest.mark.slow
playwright = pytest.importorskip('playwright.sync_api')
CHROMIUM = next(
    filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None
)
DONE = 'body[data-ready]'


@pytest.fixture(scope='module')
def shots(tmp_path_factory):
    """A function that saves a screenshot under a name."""
    folder = Path(os.environ.get('PAGE_SCREENSHOTS') or tmp_path_factory.mktemp('screenshots'))
    folder.mkdir(parents=True, exist_ok=True)
    return lambda page, name: page.screenshot(path=folder / f'{name}.png')


@pytest.fixture(scope='module')
def chromium():
    if not CHROMIUM:
        pytest.skip('no Chromium is installed')
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox'])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """A function that opens an address; script errors and requests to other hosts fail the test."""
    contexts, errors, requested = [], [], set()

    def open_it(address, width=1280, height=860, **options):
        context = chromium.new_context(viewport={'width': width, 'height': height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.on('dialog', lambda dialog: dialog.accept())
        page.on('request', lambda request: requested.add(request.url.split('/')[2]))
        page.goto(address)
        page.wait_for_selector(DONE)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert errors == []
    assert {host.split(':')[0] for host in requested if host} <= {'127.0.0.1'}


@pytest.fixture
def stub(make_page):
    """The address of a page with the stub of the detector."""
    with running(make_page(files=4, megabytes=1)) as port:
        yield f'http://127.0.0.1:{port}/?token={TOKEN}'


@pytest.fixture(scope='module')
def shipped():
    """The address of the page as the command line serves it."""
    command = [sys.executable, '-u', '-m', 'mmdet_cleargrasp', 'app', '--port', '0']
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        line = next(text for text in server.stdout if 'the page is at' in text)
        threading.Thread(target=server.stdout.read, daemon=True).start()
        yield line.split('the page is at ')[1].split()[0]
        server.terminate()


def file(name, content=None, width=100, height=60):
    return {'name': name, 'mimeType': 'image/jpeg', 'buffer': content or jpeg(width, height)}


def add(page, *files):
    page.set_input_files('#files', list(files))
    page.wait_for_selector('#results:visible, #problems:visible')
    page.wait_for_selector('#progress', state='hidden')


class HeldUploads:
    """Delays the uploads of a page until :meth:`release`, so that the page shows its progress."""

    def __init__(self, page):
        self.page, self.waiting = page, []
        page.route('**/api/photographs?name=**', lambda route: self.waiting.append(route))

    def wait_for(self, text):
        """Wait until the progress of the page has a text."""
        self.page.wait_for_selector(f'#progress-text:has-text("{text}")')

    def release(self):
        """Send the delayed upload."""
        while not self.waiting:
            self.page.wait_for_timeout(10)
        self.waiting.pop().continue_()


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*[(a + b) / 2 for a, b in zip(start, end, strict=True)])
    page.mouse.move(*end)
    page.mouse.up()


def on_screen(page, x, y):
    """Convert a point of the photograph to screen coordinates."""
    box = page.locator('#stage image').bounding_box()
    size = page.evaluate('() => { const i = document.querySelector("#stage image");'
                         'return [i.getAttribute("width"), i.getAttribute("height")].map(Number)}')  # fmt: skip
    return box['x'] + x * box['width'] / size[0], box['y'] + y * box['height'] / size[1]


def boxes_on_server(page):
    page.wait_for_selector('body[data-saved=true]')
    photographs = page.evaluate('fetch("api/state").then(a => a.json())')['photographs']
    return [box for box in photographs[0]['boxes'] if not box['removed']]


def test_uploads_are_detected_and_downloaded(shipped, visit, shots, tmp_path):
    page = visit(shipped)
    shots(page, 'empty')
    assert page.locator('#examples img').count() == 3
    uploads = HeldUploads(page)
    page.click('[data-example=dishes]')
    uploads.wait_for('1 of 1: example-dishes.jpg')
    uploads.release()
    page.wait_for_selector('#boxes li')
    assert page.locator('#total').inner_text() == '4 plates in 1 photograph: 4 Petri dishes'
    photographs = [ROOT / f'data/plates/{name}.jpg' for name in ('val/000023', 'val/000000')]
    broken = tmp_path / 'broken.jpg'
    broken.write_bytes(photographs[0].read_bytes()[:900])
    page.set_input_files('#files', [*photographs, broken])
    uploads.wait_for('1 of 3: 000023.jpg')
    uploads.release()
    uploads.wait_for('2 of 3: 000000.jpg')
    shots(page, 'working')
    uploads.release()
    uploads.wait_for('3 of 3: broken.jpg')
    uploads.release()
    page.wait_for_selector('#progress', state='hidden')
    assert 'in 3 photographs' in page.locator('#total').inner_text()
    assert 'broken.jpg is broken or truncated' in page.locator('#problems').inner_text()
    shots(page, 'failed')
    page.click('#problems-close')
    page.click('#strip button >> nth=1')
    shots(page, 'found')
    assert 'of 100 boxes about 98 are right' in page.locator('#cost-text').inner_text()
    with page.expect_download() as download:
        page.click('a:has-text("Tables and pictures")')
    with zipfile.ZipFile(download.value.path()) as archive:
        table = archive.read('plates/detections.csv').decode('utf-8-sig')
        assert sum('pictures/' in name for name in archive.namelist()) == 3
    rows = list(csv.DictReader(io.StringIO(table)))
    assert f'{len(rows)} plates' in page.locator('#total').inner_text()
    page.reload()
    page.wait_for_selector('#strip button >> nth=2')
    page.click('#model summary')
    assert 'plate_detector.pth' in page.locator('#model').inner_text()
    assert '36 of 38 plates' in page.locator('#model-card').inner_text()


def test_boxes_are_corrected(stub, visit, shots):
    page = visit(stub)
    add(page, file('a.jpg'))
    assert page.locator('.label text').all_text_contents() == ['Petri dish 0.90']

    drag(page, on_screen(page, 30, 20), on_screen(page, 35, 24))  # moved
    (moved, hidden) = boxes_on_server(page)
    assert moved['corrected'] and moved['left'] == pytest.approx(15, abs=1)
    assert moved['right'] - moved['left'] == pytest.approx(40, abs=0.1) and not hidden['corrected']

    drag(page, on_screen(page, moved['right'], moved['bottom']), on_screen(page, 65, 55))  # resized
    resized = boxes_on_server(page)[0]
    assert (resized['right'], resized['bottom']) == pytest.approx((65, 55), abs=1)

    page.keyboard.press('a')  # drawn
    page.select_option('#class', CLASSES[1])
    drag(page, on_screen(page, 95, 50), on_screen(page, 70, 10))
    drawn = boxes_on_server(page)[-1]
    assert drawn['label'] == CLASSES[1] and drawn['score'] is None
    assert [drawn[side] for side in ('left', 'top', 'right', 'bottom')] == pytest.approx(
        [70, 10, 95, 50], abs=1
    )
    page.select_option('#class', CLASSES[0])  # another class
    assert boxes_on_server(page)[-1]['label'] == CLASSES[0]
    page.fill('#known', '50')  # of known size
    page.click('#set-scale')
    page.wait_for_selector('#boxes :text("50 mm")')
    shots(page, 'correcting')

    page.keyboard.press('Delete')
    page.locator('#stage svg').press('Delete')  # removed
    assert len(boxes_on_server(page)) == 2
    page.keyboard.press('Control+z')
    assert len(boxes_on_server(page)) == 3

    page.reload()
    page.wait_for_selector('.box >> nth=1')
    assert page.locator('#boxes li').count() == 2
    page.check('#checked')
    with page.expect_download() as download:
        page.click('#dataset')
    with zipfile.ZipFile(download.value.path()) as archive:
        coco = json.loads(archive.read('plates/annotations.json'))
    assert len(coco['annotations']) == 2


def test_threshold_zoom_and_no_detections(stub, visit, shots):
    page = visit(stub)
    add(page, file('a.jpg'), file('b.jpg'))
    for threshold, count in (('0.2', 2), ('0.95', 0)):
        page.locator('#threshold').fill(threshold)
        page.wait_for_function(f'document.querySelectorAll("#boxes li").length === {count}')
    assert page.locator('#total').inner_text() == 'No plates in 2 photographs'
    assert 'Lower the score threshold' in page.locator('#help').inner_text()
    shots(page, 'nothing_found')
    page.click('#recommended')
    assert page.locator('#threshold-value').inner_text() == '0.50'
    before = page.locator('#stage image').bounding_box()['width']
    page.click('#zoom-in')
    assert page.locator('#stage image').bounding_box()['width'] > 1.3 * before
    page.click('#fit')
    assert page.locator('#stage image').bounding_box()['width'] == pytest.approx(before)
    page.keyboard.press('ArrowRight')
    assert page.locator('#name').inner_text() == 'b.jpg'


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize(('width', 'height'), [(100, 60), (60, 100)])
def test_phone(stub, visit, shots, scheme, width, height):
    page = visit(stub, 390, 844, color_scheme=scheme, has_touch=True, is_mobile=True)
    assert page.evaluate('document.documentElement.scrollWidth') == 390
    add(page, file('a photograph with a very long name.jpg', None, width, height))
    assert page.evaluate('document.documentElement.scrollWidth') == 390
    stage, image = (page.locator(s).bounding_box() for s in ('#stage', '#stage image'))
    assert image['height'] <= stage['height'] + 1 and image['width'] <= stage['width'] + 1
    page.tap('.box')
    assert page.locator('.handle').count() == 4
    shots(page, f'phone_{scheme}_{"landscape" if width > height else "portrait"}')
    background = page.evaluate('getComputedStyle(document.body).backgroundColor')
    assert (sum(map(int, background[4:-1].split(','))) < 200) is (scheme == 'dark')


def test_the_layout_does_not_move(stub, visit):
    page = visit(stub)
    add(page, file('wide.jpg'), file('high.jpg', None, 60, 100))
    places = []
    for photograph in (0, 1):
        page.click(f'#strip button >> nth={photograph}')
        for action in (lambda: page.locator('.box').first.click(), lambda: page.keyboard.press('Escape')):  # fmt: skip
            action()
            places.append([page.locator(s).bounding_box()['y'] for s in ('#stage', '#strip')])
    assert all(place == places[0] for place in places)


def test_markup_in_names_is_shown_as_text(stub, visit):
    name = '<img src=x onerror=document.title=1>.jpg'
    page = visit(stub)
    page.on('dialog', lambda dialog: pytest.fail(dialog.message))
    add(page, file(name), file('<b>bad.jpg', b'text'))
    page.locator('#threshold').fill('0.1')
    page.wait_for_function('document.querySelectorAll("#boxes li").length === 2')
    # The name of a class is markup too.
    assert '<img src=x' in page.locator('#boxes').inner_text()
    assert page.locator('img[src=x], #problems b').count() == 0
    assert page.title() == 'Transparent plates'


def test_invalid_files_are_named(stub, visit):
    page = visit(stub)
    add(page, file('large.jpg', bytes(1_100_000)), file('text.txt', b'text'))
    text = page.locator('#problems').inner_text()
    assert 'large.jpg is larger than 1 MB' in text and 'text.txt is not an image' in text
    assert page.locator('#start').is_visible()
    add(page, *(file(f'{k}.jpg') for k in range(6)))
    assert 'takes 4 photographs at a time: 2 photographs were skipped' in (
        page.locator('#problems').inner_text()
    )
    assert 'in 4 photographs' in page.locator('#total').inner_text()
    page.click('#remove-all')
    page.wait_for_selector('#start:visible')


def test_the_page_asks_for_a_missing_token(stub, chromium):
    page = chromium.new_page()
    assert page.goto(stub.split('?')[0]).status == 403
    page.fill('input', TOKEN)
    page.click('button')
    page.wait_for_selector(DONE)
    page.close()


def test_photographs_stay_if_their_removal_fails(stub, visit):
    page = visit(stub)
    add(page, file('a.jpg'), file('b.jpg'))
    refuse = lambda route: route.fulfill(status=503) if route.request.method == 'DELETE' else route.continue_()  # noqa: E731  # fmt: skip
    page.route('**/api/photographs**', refuse)
    for button in ('#remove-all', '#remove-photo'):
        page.evaluate('document.querySelector("#notice").textContent = ""')
        page.click(button)
        page.wait_for_selector('#notice:has-text("503")')
        assert 'in 2 photographs' in page.locator('#total').inner_text()
    page.unroute('**/api/photographs**')
    page.click('#remove-photo')
    page.wait_for_selector('#total:has-text("in 1 photograph")')


def test_files_added_during_an_upload_are_refused_with_a_notice(stub, visit):
    page = visit(stub)
    uploads = HeldUploads(page)
    page.set_input_files('#files', [file('a.jpg')])
    uploads.wait_for('1 of 1: a.jpg')
    page.evaluate(
        'const data = new DataTransfer(); data.items.add(new File(["x"], "b.jpg"));'
        'window.dispatchEvent(new DragEvent("drop", {dataTransfer: data, cancelable: true}))'
    )
    page.wait_for_selector('#notice:has-text("wait until they are done")')
    uploads.release()
    page.wait_for_selector('#total:has-text("in 1 photograph")')


def test_the_export_format_is_selected_by_keyboard(stub, visit):
    page = visit(stub)
    add(page, file('a.jpg'))
    page.select_option('#format', 'labelme')
    page.focus('#format')
    page.keyboard.press('Tab')
    with page.expect_download() as download:
        page.keyboard.press('Enter')
    assert download.value.suggested_filename == 'plates_labelme.zip'
