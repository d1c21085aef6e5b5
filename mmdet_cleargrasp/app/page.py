"""The web application: routes for uploads, corrections and downloads, built with Starlette."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import traceback
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import cv2
import numpy as np
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from ..datasets.images import read_image
from ..inference import PlateDetector
from ..utils.errors import DataError, UserError
from .access import AccessGuard
from .downloads import Item, installed_kinds, write_download
from .limits import Limits
from .photographs import (
    Photograph,
    PlateBox,
    from_detections,
    is_fraction,
    parse_boxes,
    view_file,
)
from .sessions import RefusedError, Session, Sessions, safe_name

STATIC = Path(__file__).parent / 'static'
#: Lowest score of detections, and lower limit of the threshold on the page.
MIN_SCORE = 0.05
#: Longer side in pixels of the image that the page shows, and of the thumbnail.
VIEW_SIDE, THUMBNAIL_SIDE = 2400, 240
#: Maximum size in bytes of a request that is not an upload.
MAX_JSON = 1_000_000
#: Seconds between removals of unused sessions.
REMOVAL_SECONDS = 20


@dataclass(frozen=True)
class DetectionResult:
    """Result of the worker thread for a photograph.

    Attributes:
        size: Width and height in pixels, after EXIF rotation.
        boxes: Detected boxes.
        view_bytes: Size of the written images in bytes.
    """

    size: tuple[int, int]
    boxes: list[PlateBox]
    view_bytes: int


class PlatePage:
    """The page with its routes, users and detector. ``app`` is the ASGI application.

    Args:
        detector: Detector, which is called in one thread only.
        model: Description of the model from :func:`.describe_model`.
        folder: Private folder for uploads.
        limits: Limits for uploads and users.
        token: Secret token in the page's address; ``None`` to accept requests without one.
        hosts: Accepted host names, see :class:`.AccessGuard`.
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
        # A single thread decodes one photograph at a time, which limits memory.
        self.worker = ThreadPoolExecutor(1, 'detector')
        self.kinds = installed_kinds()
        pages = Starlette(
            routes=self._routes(),
            exception_handlers={UserError: _error_response},
            lifespan=self._lifespan,
        )
        # Outermost, so that Starlette's error responses have the security headers too.
        self.app = AccessGuard(pages, token, hosts)

    def _routes(self) -> list[Route | Mount]:
        return [
            Route('/', self._send_page),
            Route('/api/state', self._send_state),
            Route('/api/settings', self._change_settings, methods=['PUT']),
            Route('/api/photographs', self._add_photograph, methods=['POST']),
            Route('/api/photographs', self._remove_photographs, methods=['DELETE']),
            Route('/api/photographs/{key}', self._change_photograph, methods=['PUT']),
            Route('/api/photographs/{key}', self._remove_photograph, methods=['DELETE']),
            Route('/api/photographs/{key}/{view}', self._send_image),
            Route('/api/download/{kind}', self._send_download),
            Mount('/static', StaticFiles(directory=STATIC)),
        ]

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Remove idle sessions while the server runs, and stop the worker thread at its end."""
        remover = asyncio.create_task(self._remove_idle_sessions())
        try:
            yield
        finally:
            remover.cancel()
            self.close()

    def close(self) -> None:
        """Wait for the worker thread, which writes to the folder, and drop the queued uploads."""
        self.worker.shutdown(wait=True, cancel_futures=True)

    async def _remove_idle_sessions(self) -> None:
        while True:
            await asyncio.sleep(min(REMOVAL_SECONDS, self.limits.idle_seconds))
            self.sessions.remove_idle()

    async def _run_in_worker(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function in the worker thread without blocking the event loop."""
        loop = asyncio.get_running_loop()
        with _refuse_disk_errors():  # an unreadable photograph raises a DataError instead
            return await loop.run_in_executor(self.worker, function, *arguments)

    async def _send_page(self, _request: Request) -> Response:
        """``GET /``: the page itself."""
        return FileResponse(STATIC / 'index.html')

    async def _send_state(self, request: Request) -> Response:
        """``GET /api/state``: model, limits and the session, which is started if needed."""
        session = self._find_session(request)
        response = JSONResponse(
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
            self._start_session(response)
        return response

    async def _change_settings(self, request: Request) -> Response:
        """``PUT /api/settings``: change the threshold and the photograph that gives the scale."""
        session, content = self._require_session(request), await _read_json(request)
        threshold = content.get('threshold', session.threshold)
        scale_from = content.get('scale_from', session.scale_from)
        if not is_fraction(threshold):
            raise DataError('expected a threshold from 0 to 1')
        if scale_from is not None and scale_from not in list(session.photographs):
            raise DataError('expected the key of a photograph to take the scale from')
        session.threshold, session.scale_from = float(threshold), scale_from
        return JSONResponse({})

    async def _add_photograph(self, request: Request) -> Response:
        """``POST /api/photographs?name=NAME``: upload a photograph and detect plates in it."""
        session = self._require_session(request)
        name = session.unique_name(safe_name(request.query_params.get('name', '')))
        try:
            photograph = await self._store_and_detect(request, session, name)
        except UserError as error:
            text = f'{name}: {error}' if isinstance(error, RefusedError) else str(error)
            status = error.status if isinstance(error, RefusedError) else 422
            return JSONResponse({'problem': text}, status)
        return JSONResponse(photograph.to_json(), 201)

    async def _store_and_detect(self, request: Request, session: Session, name: str) -> Photograph:
        """Store an upload and detect plates in it; if anything fails, its files are removed."""
        length = request.headers.get('content-length', '')
        if not length.isascii() or not length.isdigit():
            raise RefusedError(411, 'The size of the upload is not known.')
        with self.sessions.reserve_upload(session, int(length)) as key:
            file = session.folder / key
            await self._write(request, file, int(length))
            try:
                found = await self._run_in_worker(self._detect, file)
            except RefusedError:
                raise
            except UserError as error:
                raise DataError(_message_for_user(error, file, name)) from error
            except Exception as error:  # a bug; the server must keep running
                traceback.print_exc()
                kind = type(error).__name__
                raise RefusedError(
                    500, f'The detector failed ({kind}); see the terminal of the page.'
                ) from error
            width, height = found.size
            size = int(length) + found.view_bytes
            name = session.unique_name(name)  # other uploads may have finished in the meantime
            photograph = Photograph(key, name, file, width, height, found.boxes, size_bytes=size)
            session.photographs[key] = photograph
        return photograph

    async def _write(self, request: Request, file: Path, length: int) -> None:
        """Write the body of a request to a file; refuse a body of another length than announced."""
        written = 0
        chunks = request.stream()
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        with _refuse_disk_errors(), open(os.open(file, flags, 0o600), 'wb') as stream:
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
        """Decode a file, detect plates and write the images for the page, in the worker thread."""
        image = read_image(file, max_pixels=self.limits.megapixels * 1_000_000)
        found = self.detector(image, score_thr=MIN_SCORE)
        views = {'view.jpg': VIEW_SIDE, 'thumbnail.jpg': THUMBNAIL_SIDE}
        written = 0
        for name, side in views.items():
            path = view_file(file, name)
            Image.fromarray(_downscale(image, side)).save(path, 'JPEG', quality=88)
            written += path.stat().st_size
        boxes = from_detections(found, self.detector.classes)
        return DetectionResult((image.shape[1], image.shape[0]), boxes, written)

    async def _change_photograph(self, request: Request) -> Response:
        """``PUT /api/photographs/KEY``: replace the boxes of a photograph."""
        photograph = self._require_photograph(request)
        content = await _read_json(request)
        size = (photograph.width, photograph.height)
        boxes = parse_boxes(content.get('boxes'), size, self.detector.classes)
        checked_at = content.get('checked_at')
        if checked_at is not None and not is_fraction(checked_at):
            raise DataError('expected checked_at to be null or a threshold from 0 to 1')
        photograph.boxes, photograph.checked_at = boxes, checked_at
        return JSONResponse(photograph.to_json())

    async def _remove_photograph(self, request: Request) -> Response:
        """``DELETE /api/photographs/KEY``: remove a photograph."""
        self._require_session(request).remove(self._require_photograph(request).key)
        return JSONResponse({})

    async def _remove_photographs(self, request: Request) -> Response:
        """``DELETE /api/photographs``: remove all photographs of the user."""
        session = self._require_session(request)
        for key in list(session.photographs):
            session.remove(key)
        return JSONResponse({})

    async def _send_image(self, request: Request) -> Response:
        """``GET /api/photographs/KEY/view.jpg`` or ``thumbnail.jpg``."""
        photograph = self._require_photograph(request)
        view = request.path_params['view']
        if view not in ('view.jpg', 'thumbnail.jpg'):
            raise RefusedError(404, 'No such picture.')
        headers = {'cache-control': 'private, max-age=3600'}
        return FileResponse(photograph.view(view), media_type='image/jpeg', headers=headers)

    async def _send_download(self, request: Request) -> Response:
        """``GET /api/download/KIND``: a table or zip file of the photographs."""
        session, kind = self._require_session(request), request.path_params['kind']
        if kind not in self.kinds:
            raise RefusedError(404, 'No such download.')
        items = [
            Item(one, one.shown(session.threshold), session.px_per_mm(one))
            for one in session.photographs.values()
            if one.checked_at is not None or kind != 'dataset'
        ]
        if not items:
            raise RefusedError(409, 'There is nothing to download yet.')
        # For the zip file and the files in it.
        size = 2 * sum(item.photograph.size_bytes for item in items)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.sessions.reserve_download(session, size))
            file = await self._run_in_worker(
                write_download, kind, items, self.detector.classes, session.folder
            )
            stack.enter_context(file)
            name = kind if '.' in kind else f'plates_{kind}.zip'
            return FileStream(file, name, stack.pop_all())

    def _find_session(self, request: Request) -> Session | None:
        return self.sessions.get(self._session_key(request))

    def _session_key(self, request: Request) -> str | None:
        return request.cookies.get(self.app.session_cookie)

    def _require_session(self, request: Request) -> Session:
        session = self._find_session(request)
        if session is None:
            minutes = round(self.limits.idle_seconds / 60)
            raise RefusedError(
                410,
                f'The page was not used for {minutes} minutes, and its photographs were removed '
                'from the server. Reload it and add them again.',
            )
        return session

    def _start_session(self, response: Response) -> None:
        with _refuse_disk_errors():
            key, _ = self.sessions.add()
        response.set_cookie(self.app.session_cookie, key, httponly=True, samesite='lax')

    def _require_photograph(self, request: Request) -> Photograph:
        found = self._require_session(request).photographs.get(request.path_params['key'])
        if found is None:
            raise RefusedError(404, 'This photograph has been removed.')
        return found


class FileStream(StreamingResponse):
    """Response that sends a file as a download.

    Args:
        file: Open file, at its beginning.
        name: File name that the browser suggests.
        resources: Closed when the response ends, also if the client disconnects.
    """

    def __init__(self, file: IO[bytes], name: str, resources: contextlib.ExitStack) -> None:
        self.resources = resources
        headers = {'content-disposition': f"attachment; filename*=UTF-8''{quote(name)}"}
        chunks = iter(lambda: file.read(1 << 18), b'')
        super().__init__(chunks, media_type='application/octet-stream', headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, then close the resources."""
        with self.resources:
            await super().__call__(scope, receive, send)


@contextlib.contextmanager
def _refuse_disk_errors() -> Iterator[None]:
    """Convert an ``OSError``, such as for a full disk, to a :class:`.RefusedError`."""
    try:
        yield
    except OSError as error:
        raise RefusedError(507, f'The file cannot be stored: {error.strerror}.') from error


def _message_for_user(error: UserError, file: Path, name: str) -> str:
    """Replace the path in an error message by the user's file name, and drop decoder details."""
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


def _downscale(image: np.ndarray, side: int) -> np.ndarray:
    factor = side / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
