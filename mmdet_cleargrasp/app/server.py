"""The page's server: a few addresses around one detector, made with Starlette."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import signal
import socket
import traceback
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any
from urllib.parse import quote

import cv2
import numpy as np
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from ..datasets.images import read_image
from ..inference import PlateDetector
from ..utils.errors import ConfigError, DataError, UserError
from .access import AccessGuard
from .downloads import Item, installed_kinds, write_download
from .limits import Limits
from .model_card import describe_model
from .photographs import (
    Photograph,
    PlateBox,
    from_detections,
    is_share,
    parse_boxes,
    view_file,
)
from .private_folder import ignored_signals
from .sessions import RefusedError, Session, Sessions, safe_name

STATIC = Path(__file__).parent / 'static'
#: Detections below it are not kept, wherever the threshold is moved to.
MIN_SCORE = 0.05
#: Longer side in pixels of the picture that the page shows, and of the small one.
VIEW_SIDE, THUMBNAIL_SIDE = 2400, 240
#: Bytes of a request other than an upload.
MAX_JSON = 1_000_000
#: Connections at the same time.
MAX_CONNECTIONS = 300
#: Seconds between looks for unused sessions.
SWEEP_SECONDS = 20
#: Seconds that running requests get when the server stops.
GRACE_SECONDS = 2


@dataclass(frozen=True)
class DetectionResult:
    """What the detector's thread returns for a photograph."""

    size: tuple[int, int]
    boxes: list[PlateBox]
    view_bytes: int


class PlatePage:
    """The page around one detector.

    Args:
        detector: Finds the plates; used by one thread at a time.
        model: Of :func:`.describe_model`.
        folder: A private folder for uploads.
        limits: What is accepted.
        token: In the page's address; ``None`` for none.
        hosts: See :class:`.AccessGuard`.
    """

    def __init__(
        self,
        detector: PlateDetector,
        model: dict[str, Any],
        folder: Path,
        limits: Limits,
        token: str | None,
        hosts: Collection[str] = (),
    ) -> None:
        self.detector, self.model, self.limits = detector, model, limits
        self.sessions = Sessions(folder, limits, model['threshold'])
        self.folder = folder
        # One thread: photographs are decoded one at a time, which bounds the memory.
        self.worker = ThreadPoolExecutor(1, 'detector')
        self.kinds = installed_kinds()
        pages = Starlette(
            routes=self._routes(),
            exception_handlers={UserError: _error_response},
            lifespan=self._lifespan,
        )
        # Around Starlette, so that its answers to bugs have the headers too.
        self.app = AccessGuard(pages, token, hosts)

    def _routes(self) -> list[Route | Mount]:
        return [
            Route('/', self._page),
            Route('/api/state', self._state),
            Route('/api/settings', self._change_settings, methods=['PUT']),
            Route('/api/photographs', self._upload, methods=['POST']),
            Route('/api/photographs', self._remove_all, methods=['DELETE']),
            Route('/api/photographs/{key}', self._change, methods=['PUT']),
            Route('/api/photographs/{key}', self._remove, methods=['DELETE']),
            Route('/api/photographs/{key}/{view}', self._view),
            Route('/api/download/{kind}', self._download),
            Mount('/static', StaticFiles(directory=STATIC)),
        ]

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(self._sweep())
        try:
            yield
        finally:
            sweeper.cancel()
            self.close()

    def close(self) -> None:
        """Wait for the detector: the folder is removed next, so nothing may write into it."""
        self.worker.shutdown(wait=True, cancel_futures=True)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(SWEEP_SECONDS, self.limits.idle_seconds))
            self.sessions.remove_idle()

    async def _work(self, function: Callable[..., Any], *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        with _storing():  # what cannot be read is a DataError
            return await loop.run_in_executor(self.worker, function, *arguments)

    async def _page(self, _request: Request) -> Response:
        return FileResponse(STATIC / 'index.html')

    async def _state(self, request: Request) -> Response:
        session = self._session_of(request)
        answer = JSONResponse(
            {
                'model': self.model,
                'limits': {k: getattr(self.limits, k) for k in ('files', 'megabytes')},
                'idle_minutes': round(self.limits.idle_seconds / 60),
                'downloads': self.kinds,
                'expired': session is None and self._session_key(request) is not None,
                **(session or Session(self.folder, self.model['threshold'])).to_json(),
            }
        )
        if session is None:
            self._start_session(answer)
        return answer

    async def _change_settings(self, request: Request) -> Response:
        session, content = self._need_session(request), await _read_json(request)
        threshold = content.get('threshold', session.threshold)
        scale_from = content.get('scale_from', session.scale_from)
        if not is_share(threshold):
            raise DataError('expected a threshold from 0 to 1')
        if scale_from is not None and scale_from not in list(session.photographs):
            raise DataError('expected the key of a photograph to take the scale from')
        session.threshold, session.scale_from = float(threshold), scale_from
        return JSONResponse({})

    async def _upload(self, request: Request) -> Response:
        session = self._need_session(request)
        name = session.free_name(safe_name(request.query_params.get('name', '')))
        try:
            photograph = await self._receive(request, session, name)
        except UserError as error:
            text = f'{name}: {error}' if isinstance(error, RefusedError) else str(error)
            status = error.status if isinstance(error, RefusedError) else 422
            return JSONResponse({'problem': text}, status)
        return JSONResponse(photograph.to_json(), 201)

    async def _receive(self, request: Request, session: Session, name: str) -> Photograph:
        """Write an upload to the disk and look at it; whatever fails leaves nothing there."""
        length = request.headers.get('content-length', '')
        if not length.isascii() or not length.isdigit():
            raise RefusedError(411, 'The size of the upload is not known.')
        with self.sessions.upload(session, int(length)) as key:
            file = session.folder / key
            await self._write(request, file, int(length))
            try:
                found = await self._work(self._detect, file)
            except RefusedError:
                raise
            except UserError as error:
                raise DataError(_in_plain_words(error, file, name)) from error
            except Exception as error:  # not the file's fault; the server goes on
                traceback.print_exc()
                kind = type(error).__name__
                raise RefusedError(
                    500, f'The detector failed ({kind}); see the terminal of the page.'
                ) from error
            width, height = found.size
            size = int(length) + found.view_bytes
            name = session.free_name(name)  # others may have come meanwhile
            photograph = Photograph(key, name, file, width, height, found.boxes, size_bytes=size)
            session.photographs[key] = photograph
        return photograph

    async def _write(self, request: Request, file: Path, length: int) -> None:
        written = 0
        chunks = request.stream()
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        with _storing(), open(os.open(file, flags, 0o600), 'wb') as stream:
            try:
                while chunk := await asyncio.wait_for(anext(chunks), self.limits.stalled_seconds):
                    written += stream.write(chunk)
                    if written > length:
                        raise RefusedError(413, 'The upload is larger than announced.')
            except (asyncio.TimeoutError, ClientDisconnect) as error:
                raise RefusedError(408, 'The upload was interrupted.') from error
        if written != length:
            raise RefusedError(408, 'The upload was interrupted.')

    def _detect(self, file: Path) -> DetectionResult:
        """In the worker's thread: decode, detect, and write what the page shows."""
        image = read_image(file, max_pixels=self.limits.megapixels * 1_000_000)
        found = self.detector(image, score_thr=MIN_SCORE)
        views = {'view.jpg': VIEW_SIDE, 'thumbnail.jpg': THUMBNAIL_SIDE}
        written = 0
        for name, side in views.items():
            path = view_file(file, name)
            Image.fromarray(_shrunk(image, side)).save(path, 'JPEG', quality=88)
            written += path.stat().st_size
        boxes = from_detections(found, self.detector.classes)
        return DetectionResult((image.shape[1], image.shape[0]), boxes, written)

    async def _change(self, request: Request) -> Response:
        photograph = self._photograph(request)
        content = await _read_json(request)
        size = (photograph.width, photograph.height)
        boxes = parse_boxes(content.get('boxes'), size, self.detector.classes)
        checked_at = content.get('checked_at')
        if checked_at is not None and not is_share(checked_at):
            raise DataError('expected checked_at to be null or a threshold from 0 to 1')
        photograph.boxes, photograph.checked_at = boxes, checked_at
        return JSONResponse(photograph.to_json())

    async def _remove(self, request: Request) -> Response:
        self._need_session(request).remove(self._photograph(request).key)
        return JSONResponse({})

    async def _remove_all(self, request: Request) -> Response:
        session = self._need_session(request)
        for key in list(session.photographs):
            session.remove(key)
        return JSONResponse({})

    async def _view(self, request: Request) -> Response:
        photograph = self._photograph(request)
        view = request.path_params['view']
        if view not in ('view.jpg', 'thumbnail.jpg'):
            raise RefusedError(404, 'No such picture.')
        headers = {'cache-control': 'private, max-age=3600'}
        return FileResponse(photograph.view(view), media_type='image/jpeg', headers=headers)

    async def _download(self, request: Request) -> Response:
        session, kind = self._need_session(request), request.path_params['kind']
        if kind not in self.kinds:
            raise RefusedError(404, 'No such download.')
        items = [
            Item(one, one.shown(session.threshold), session.px_per_mm(one))
            for one in session.photographs.values()
            if one.checked_at is not None or kind != 'dataset'
        ]
        if not items:
            raise RefusedError(409, 'There is nothing to download yet.')
        # A zip file, and what is written for it.
        size = 2 * sum(item.photograph.size_bytes for item in items)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.sessions.downloading(session, size))
            file = await self._work(
                write_download, kind, items, self.detector.classes, session.folder
            )
            stack.enter_context(file)
            name = kind if '.' in kind else f'plates_{kind}.zip'
            return FileStream(file, name, stack.pop_all())

    def _session_of(self, request: Request) -> Session | None:
        return self.sessions.get(self._session_key(request))

    def _session_key(self, request: Request) -> str | None:
        return request.cookies.get(self.app.session_cookie)

    def _need_session(self, request: Request) -> Session:
        session = self._session_of(request)
        if session is None:
            minutes = round(self.limits.idle_seconds / 60)
            raise RefusedError(
                410,
                f'The page was not used for {minutes} minutes, and its photographs were removed '
                'from the server. Reload it and add them again.',
            )
        return session

    def _start_session(self, answer: Response) -> None:
        with _storing():
            key, _ = self.sessions.add()
        answer.set_cookie(self.app.session_cookie, key, httponly=True, samesite='lax')

    def _photograph(self, request: Request) -> Photograph:
        found = self._need_session(request).photographs.get(request.path_params['key'])
        if found is None:
            raise RefusedError(404, 'This photograph is not on the page any more.')
        return found


class FileStream(StreamingResponse):
    """A download.

    Args:
        file: An open file, at its beginning.
        name: What the browser saves it as.
        resources: Closed however the response ends.
    """

    def __init__(self, file: IO[bytes], name: str, resources: contextlib.ExitStack) -> None:
        self.resources = resources
        headers = {'content-disposition': f"attachment; filename*=UTF-8''{quote(name)}"}
        chunks = iter(lambda: file.read(1 << 18), b'')
        super().__init__(chunks, media_type='application/octet-stream', headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        with self.resources:
            await super().__call__(scope, receive, send)


def serve(
    detector: PlateDetector,
    config: Path,
    folder: Path,
    limits: Limits,
    host: str,
    port: int,
    *,
    token: bool = True,
    hosts: Collection[str] = (),
) -> None:
    """Serve the page until SIGINT, SIGTERM or SIGHUP.

    Args:
        detector: Finds the plates.
        config: Of the detector.
        folder: A private folder for uploads, which the caller removes.
        limits: What is accepted.
        host: The address to listen at.
        port: The port; 0 for any free one.
        token: Ask for a token.
        hosts: Names of this machine beside its own.

    Raises:
        ConfigError: The port is taken or not allowed.
    """
    secret = secrets.token_urlsafe(24) if token else None
    model = describe_model(detector, config)
    page = PlatePage(detector, model, folder, limits, secret, hosts)
    with _listening(host, port) as listener:
        server = uvicorn.Server(
            uvicorn.Config(
                page.app,
                loop='asyncio',
                http='h11',
                ws='none',
                log_level='error',
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_keep_alive=10,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        try:
            with _sighup_as_sigterm():
                print(_page_address(host, listener.getsockname()[1], secret), flush=True)
                server.run([listener])
        finally:  # after a second Ctrl-C uvicorn does not end the lifespan
            with ignored_signals():
                page.close()


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f'nothing can be served at {host}:{port} ({error}). Is the page running already? '
            'Otherwise take another --port'
        ) from error
    with listener:
        yield listener


@contextlib.contextmanager
def _storing() -> Iterator[None]:
    """Answer a full disk and the like with the reason."""
    try:
        yield
    except OSError as error:
        raise RefusedError(507, f'It cannot be stored: {error.strerror}.') from error


@contextlib.contextmanager
def _sighup_as_sigterm() -> Iterator[None]:
    """A closed terminal or connection (SIGHUP) ends the server in order, as SIGTERM does."""

    def forward(_number: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGHUP)
    if before == signal.SIG_IGN:  # of nohup
        yield
        return
    signal.signal(signal.SIGHUP, forward)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _page_address(host: str, port: int, token: str | None) -> str:
    everywhere = host in ('0.0.0.0', '::')
    name = socket.gethostname() if everywhere else f'[{host}]' if ':' in host else host
    query = f'?token={token}' if token else ''
    return f'the page is at http://{name}:{port}/{query}  (Ctrl-C ends it)'


def _in_plain_words(error: UserError, file: Path, name: str) -> str:
    """A reader's message with the user's name of the file and without the decoder's details."""
    text = str(error).replace(str(file), name)
    return re.sub(r'(is broken or truncated) \(.*\)', r'\1', text)


async def _error_response(_request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusedError) else 422
    return JSONResponse({'problem': str(error)}, status)


async def _read_json(request: Request) -> dict[str, Any]:
    body = b''
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON:
            raise RefusedError(413, 'The request is too large.')
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DataError('expected JSON') from error
    if not isinstance(content, dict):
        raise DataError('expected an object in JSON')
    return content


def _shrunk(image: np.ndarray, side: int) -> np.ndarray:
    factor = side / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
