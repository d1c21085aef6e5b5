"""Fixtures: a page with a stub of the detector, and a client that has opened it."""

import contextlib
import io
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
import supervision as sv
from PIL import Image

from mmdet_cleargrasp.app.limits import Limits
from mmdet_cleargrasp.app.model_card import describe_model
from mmdet_cleargrasp.app.page import PlatePage
from mmdet_cleargrasp.evaluation.working_threshold import WorkingThreshold

TOKEN = 'secret'
CLASSES = ('petri_dish', '<img src=x onerror=alert(1)>')


class StubDetector:
    """Returns the same two boxes for every image, with scores of 0.9 and 0.3."""

    classes = CLASSES
    threshold = WorkingThreshold(0.5, 0.7)
    checkpoint = Path('stub.pth')
    note = 'trained on renders'

    def __call__(self, image, score_thr=0.0):
        return sv.Detections(
            xyxy=np.array([[10.0, 5, 50, 40], [60, 20, 90, 50]]),
            confidence=np.array([0.9, 0.3]),
            class_id=np.array([0, 1]),
        )


def jpeg(width=100, height=60, exif=None):
    """Return a JPEG file of random noise."""
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    Image.fromarray(noise).save(stream, 'JPEG', **({'exif': exif} if exif else {}))
    return stream.getvalue()


@contextlib.contextmanager
def running(page):
    """Serve a page in a thread; yields its port."""
    uvicorn = pytest.importorskip('uvicorn')
    with socket.create_server(('127.0.0.1', 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(page.app, log_level='error', http='h11', ws='none'))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def make_page(tmp_path):
    """Return a function that builds a page in a temporary folder."""

    def make(token=TOKEN, hosts=(), detector=None, **limits):
        detector = detector or StubDetector()
        model = describe_model(detector, Path('stub.py'))
        folder = tmp_path / 'page'
        folder.mkdir(exist_ok=True)
        return PlatePage(detector, model, folder, Limits(**limits), token, hosts)

    return make


@pytest.fixture
def client(make_page):
    """A test client that has opened the page by its link."""
    testclient = pytest.importorskip('starlette.testclient')
    with testclient.TestClient(make_page().app, base_url='http://127.0.0.1:7860') as browser:
        assert browser.get(f'/?token={TOKEN}').status_code == 200
        browser.get('/api/state')
        yield browser
