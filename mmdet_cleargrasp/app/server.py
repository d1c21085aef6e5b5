"""Run the page with uvicorn until a signal stops it."""

from __future__ import annotations

import contextlib
import secrets
import signal
import socket
from collections.abc import Collection, Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from ..inference import PlateDetector
from ..utils.errors import ConfigError
from .limits import Limits
from .model_card import describe_model
from .page import PlatePage
from .private_folder import ignored_signals

#: Maximum number of simultaneous connections.
MAX_CONNECTIONS = 300
#: Seconds that running requests have to finish when the server stops.
GRACE_SECONDS = 2


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
        detector: Detector for the photographs.
        config: Config file of the detector.
        folder: Private folder for uploads, which the caller removes.
        limits: Limits for uploads and users.
        host: Address to listen on.
        port: Port to listen on; 0 for any free port.
        token: Require a random token, which is part of the printed address.
        hosts: Further accepted host names, see :class:`.AccessGuard`.

    Raises:
        ConfigError: The address or port is in use, not allowed or invalid.
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
        finally:  # after a second Ctrl-C, uvicorn does not run the end of the lifespan
            with ignored_signals():
                page.close()


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f'cannot listen on {host}:{port} ({error}). Is the page running already? '
            'Otherwise use another --port'
        ) from error
    with listener:
        yield listener


@contextlib.contextmanager
def _sighup_as_sigterm() -> Iterator[None]:
    """Handle SIGHUP (a closed terminal or SSH connection) as SIGTERM during a ``with`` block.

    Has no effect under ``nohup``, which ignores SIGHUP.
    """

    def forward(_number: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGHUP)
    if before == signal.SIG_IGN:
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
