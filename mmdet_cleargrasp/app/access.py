"""Who may use the page: a token in its address, and no other website in the user's browser.

Without this, every user of a shared machine could open the page, and every website that a user
visits could send requests to it, since browsers let pages of any origin reach 127.0.0.1.
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

HEADERS = {
    # Scripts, styles and pictures of this server only; nothing inline, no other site's frame.
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
#: The only file that is served without the token: the style of the page that asks for it.
OPEN_FILE = '/static/token.css'


class AccessGuard:
    """ASGI middleware that refuses foreign hosts, foreign origins and requests without the token.

    Args:
        app: What is guarded.
        token: Its secret; ``None`` lets everyone in who can reach the server.
        hosts: Names under which the server may be addressed, beside IP addresses and the name of
            this machine. DNS rebinding always comes under a name of its own.
    """

    def __init__(self, app: ASGIApp, token: str | None, hosts: Collection[str]) -> None:
        self.app, self.token = app, token
        names = ('localhost', socket.gethostname(), *hosts)
        self.hosts = {name.lower().rstrip('.') for name in names}
        # Cookies are shared by all ports of a host.
        digest = hashlib.sha256((token or secrets.token_hex()).encode()).hexdigest()
        self.token_cookie, self.session_cookie = f'plates-{digest[:8]}', f'plates-s-{digest[:8]}'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or answer it here."""
        if scope['type'] != 'http':
            if scope['type'] == 'lifespan':
                await self.app(scope, receive, send)
            return  # there are no web sockets

        async def send_with_headers(message: Message) -> None:
            if message['type'] == 'http.response.start':
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refuse(scope) or self._ask_for_token(scope)
        await (answer or self.app)(scope, receive, send_with_headers)

    def _refuse(self, scope: Scope) -> Response | None:
        """The answer to a request of a foreign host or origin."""
        headers = Headers(scope=scope)
        host = headers.get('host', '')
        if len(headers.getlist('host')) != 1 or not self.is_known_host(host):
            return PlainTextResponse(
                'Host not allowed: use the printed link, or --allow-host NAME', 403
            )
        origins = headers.getlist('origin')
        foreign = any(origin.partition('://')[2].lower() != host.lower() for origin in origins)
        # Links on other pages may lead to '/'. Another port of this machine is 'same-site'.
        site = headers.get('sec-fetch-site', 'none')
        if foreign or (scope['path'] != '/' and site not in ('none', 'same-origin')):
            return PlainTextResponse('Other websites may not use this page.', 403)
        return None

    def _ask_for_token(self, scope: Scope) -> Response | None:
        """The answer to a request without the token, and to the first one with it."""
        if self.token is None:
            return None
        cookie = HTTPConnection(scope).cookies.get(self.token_cookie)
        if scope['path'] == OPEN_FILE or self._is_token(cookie):
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
        """Whether a Host header names this machine: by address, or by a name that is its own.

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
