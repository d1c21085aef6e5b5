"""Access control of the page: a token in its address, and protection from other websites.

Without the token, every user of a shared machine could open the page. Without the checks of host
and origin, every website that a user visits could send requests to it, because browsers let
websites send requests to 127.0.0.1.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import socket
from collections.abc import Collection
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Security headers of every response.
HEADERS = {
    # Scripts, styles and images from this server only, nothing inline, no embedding in frames.
    'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-store',
}

STATIC = Path(__file__).parent / 'static'
#: The only file that is served without the token: the style sheet of the page that asks for it.
PUBLIC_FILE = '/static/token.css'


class AccessGuard:
    """ASGI middleware that refuses unknown hosts, other origins and requests without the token.

    Args:
        app: Application to protect.
        token: Secret token; ``None`` to accept requests without one.
        hosts: Accepted host names, in addition to IP addresses, ``localhost`` and the name of this
            machine. Unknown names are refused because of DNS rebinding attacks, in which a website
            resolves its own name to 127.0.0.1.
    """

    def __init__(self, app: ASGIApp, token: str | None, hosts: Collection[str]) -> None:
        self.app, self.token = app, token
        names = ('localhost', socket.gethostname(), *hosts)
        self.hosts = {name.lower().rstrip('.') for name in names}
        # All ports of a host share cookies, so the names differ between servers.
        digest = hashlib.sha256((token or secrets.token_hex()).encode()).hexdigest()
        self.token_cookie, self.session_cookie = f'plates-{digest[:8]}', f'plates-s-{digest[:8]}'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the application, or refuse it."""
        if scope['type'] != 'http':
            if scope['type'] == 'lifespan':
                await self.app(scope, receive, send)
            return  # WebSockets are not used

        async def send_with_headers(message: Message) -> None:
            if message['type'] == 'http.response.start':
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refuse(scope) or self._ask_for_token(scope)
        await (answer or self.app)(scope, receive, send_with_headers)

    def _refuse(self, scope: Scope) -> Response | None:
        """Return the response to a request with an unknown host or another origin, or ``None``."""
        headers = Headers(scope=scope)
        host = headers.get('host', '')
        if len(headers.getlist('host')) != 1 or not self.is_known_host(host):
            return PlainTextResponse(
                'Host not allowed: use the printed link, or --allow-host NAME', 403
            )
        origins = headers.getlist('origin')
        foreign = any(origin.partition('://')[2].lower() != host.lower() for origin in origins)
        # Links from other websites to '/' are accepted. 'same-site' includes other ports.
        site = headers.get('sec-fetch-site', 'none')
        if foreign or (scope['path'] != '/' and site not in ('none', 'same-origin')):
            return PlainTextResponse('Other websites may not use this page.', 403)
        return None

    def _ask_for_token(self, scope: Scope) -> Response | None:
        """Return the response to a request without a valid cookie, or ``None``.

        The first request has the token in its query; the response moves it to a cookie.
        """
        if self.token is None:
            return None
        cookie = HTTPConnection(scope).cookies.get(self.token_cookie)
        if scope['path'] == PUBLIC_FILE or self._is_token(cookie):
            return None
        given = parse_qs(scope['query_string'].decode('latin-1')).get('token', [''])[-1]
        if scope['path'] == '/' and self._is_token(given):
            answer = RedirectResponse('./', 303)
            answer.set_cookie(self.token_cookie, self.token, httponly=True, samesite='lax')
            return answer
        if scope['path'] == '/':
            return FileResponse(STATIC / 'token.html', 403)
        return PlainTextResponse('Open the page again by the link with its token.', 403)

    def _is_token(self, given: str | None) -> bool:
        assert self.token is not None
        return secrets.compare_digest((given or '').encode(), self.token.encode())

    def is_known_host(self, host: str) -> bool:
        """Whether a ``Host`` header is an IP address or one of the accepted names.

        Args:
            host: Value of the header, with or without a port.

        Example:
            >>> guard = AccessGuard(Response(), None, ['plates.lab.example'])
            >>> [guard.is_known_host(h) for h in ('127.0.0.1:7860', '[::1]', 'evil.example:7860')]
            [True, True, False]
        """
        name, _, port = host.rpartition(':') if not host.endswith(']') else (host, '', '')
        name = (name or port).lower().rstrip('.')
        try:
            ipaddress.ip_address(name.strip('[]'))
        except ValueError:
            return name in self.hosts
        return True
