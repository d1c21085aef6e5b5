"""Many simultaneous clients, half of them hostile, and signals to the server process."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.conftest import ROOT

from .conftest import TOKEN, jpeg, running

pytestmark = pytest.mark.slow
pytest.importorskip('uvicorn')


class Client:
    """HTTP client with a cookie jar."""

    def __init__(self, port, token=TOKEN):
        self.port, self.cookies = port, {}
        self.request('GET', f'/?token={token}')
        self.request('GET', '/api/state')

    def headers(self):
        return {'cookie': '; '.join(f'{k}={v}' for k, v in self.cookies.items())}

    def request(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=120)
        connection.request(method, path, body, {**self.headers(), **headers})
        answer = connection.getresponse()
        for cookie in answer.headers.get_all('set-cookie') or []:
            name, value = cookie.split(';')[0].split('=', 1)
            self.cookies[name] = value
        content = answer.read()
        connection.close()
        return answer.status, content

    def send_part_of_upload(self, announced, sent, wait=0.0):
        """Announce an upload, send a part of it, wait and disconnect."""
        head = f'POST /api/photographs?name=x HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n'
        head += f'Content-Length: {announced}\r\nCookie: {self.headers()["cookie"]}\r\n\r\n'
        with socket.create_connection(('127.0.0.1', self.port)) as connection:
            connection.sendall(head.encode() + bytes(sent))
            time.sleep(wait)


def files_of(page):
    return [path for path in page.folder.rglob('*') if path.is_file()]


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


def test_200_uploads_of_40_clients(make_page):
    page = make_page(stalled_seconds=2, total_megabytes=3, files=4)
    photograph = jpeg(300, 200)

    def attack(number):
        client, statuses = Client(port), []
        post = lambda body, **h: client.request('POST', '/api/photographs?name=a.jpg', body, **h)  # noqa: E731
        if number % 2 == 0:
            return [post(photograph)[0] for _ in range(5)]
        client.send_part_of_upload(1_000_000, 1000)  # disconnects
        client.send_part_of_upload(1_000_000, 1000, wait=4)  # stalls
        with contextlib.suppress(
            OSError
        ):  # the server may close the connection before it has read everything
            statuses.append(post(bytes(60_000_000))[0])
        statuses.append(post(photograph[:500])[0])
        statuses.append(post(photograph, origin='http://evil.example')[0])
        return statuses

    with running(page) as port:
        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(attack, range(40)))
        assert {s for statuses in answers for s in statuses} <= {201, 403, 409, 413, 422, 507}
        stored = [s for s in page.sessions._sessions.values() if s.photographs]
        assert stored and sum(s.count for s in stored) >= 20
        # Three files per photograph, no others, and not more than the limit.
        assert wait_for(lambda: len(files_of(page)) == 3 * sum(s.count for s in stored))
        assert sum(len(s.pending) for s in stored) == 0
        uploads = [path for path in files_of(page) if '.' not in path.name]
        assert sum(path.stat().st_size for path in uploads) <= 3_000_000
        # Everything is removed after a while without requests, which the attack may outlast.
        page.sessions.limits = replace(page.sessions.limits, idle_seconds=1)
        assert wait_for(lambda: not files_of(page) and len(page.sessions) == 0)
        assert Client(port).request('GET', '/api/state')[0] == 200


def test_the_number_of_sessions_is_limited(make_page):
    page = make_page(sessions=5)
    with running(page) as port:
        for _ in range(50):
            Client(port)
        assert len(page.sessions) == 5
        assert len(list(page.folder.iterdir())) == 5


SCRIPT = """
import sys
import mmdet_cleargrasp.inference as inference
from tests.app.conftest import StubDetector
inference.PlateDetector = lambda *arguments, **options: StubDetector()
from mmdet_cleargrasp.cli.app import main
raise SystemExit(main(['--port', '0']))
"""


@contextlib.contextmanager
def page_process(folder, *before):
    """Serve the page in another process; yields the process, its port and its token."""
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT), 'TMPDIR': str(folder)}
    command = [*before, sys.executable, '-u', '-c', SCRIPT]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = next(text for text in process.stdout if 'the page is at' in text)
            port, token = int(line.split(':')[2].split('/')[0]), line.split('token=')[1].split()[0]
            yield process, port, token
        finally:
            process.kill()


@pytest.mark.parametrize(
    ('signals', 'status'),
    [
        ([signal.SIGTERM], 143),
        ([signal.SIGINT], 130),
        ([signal.SIGINT, signal.SIGINT], 130),
        ([signal.SIGHUP], 143),
        ([signal.SIGKILL], -9),
    ],
)
def test_uploads_are_removed_after_any_signal(tmp_path, signals, status):
    with page_process(tmp_path) as (process, port, token):
        client = Client(port, token)
        assert client.request('POST', '/api/photographs?name=a.jpg', jpeg())[0] == 201
        (folder,) = tmp_path.glob('plates_page_*')
        assert folder.stat().st_mode & 0o777 == 0o700
        # During another upload.
        thread = threading.Thread(target=client.send_part_of_upload, args=(10**6, 1000, 3))
        thread.start()
        time.sleep(1)
        for number in signals:
            process.send_signal(number)
            time.sleep(0.3)
        assert process.wait(60) == status
        thread.join()
    left = list(tmp_path.glob('plates_page_*'))
    if signals == [signal.SIGKILL]:  # the next page removes it
        from mmdet_cleargrasp.app.private_folder import private_folder

        assert left
        with private_folder(tmp_path):
            pass
        left = list(tmp_path.glob('plates_page_*'))
    assert left == []


def test_nohup_keeps_the_page_running(tmp_path):
    with page_process(tmp_path, 'nohup') as (process, port, token):
        Client(port, token)  # the server runs
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert Client(port, token).request('GET', '/api/state')[0] == 200
        process.terminate()
        assert process.wait(60) == 143
    assert list(tmp_path.glob('plates_page_*')) == []


def test_an_aborted_download_does_not_block_the_next(make_page):
    page = make_page()
    with running(page) as port:
        client = Client(port)
        photograph = jpeg(2000, 1500)
        for _ in range(3):
            assert client.request('POST', '/api/photographs?name=a.jpg', photograph)[0] == 201
        head = f'GET /api/download/results HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n'
        head += f'Cookie: {client.headers()["cookie"]}\r\n\r\n'
        with socket.create_connection(('127.0.0.1', port)) as connection:
            connection.sendall(head.encode())
            connection.recv(100)  # the rest does not fit into the buffers
            (session,) = (s for s in page.sessions._sessions.values() if s.photographs)
            assert session.download
            assert client.request('GET', '/api/download/images.csv')[0] == 409
        assert wait_for(lambda: not session.download, 10)
        assert client.request('GET', '/api/download/images.csv')[0] == 200
