"""Keeping a process from reaching for the network, whatever the libraries in it would like."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any


def stay_offline() -> None:
    """Refuse every connection of this process but to itself, for as long as it lives.

    gradio fetches what a request names by URL; neither it nor anything else in the page's process
    has a reason to. Python's own audit events are what is listened to, so that no library is
    changed; an event loop that would not raise them is kept away.
    """
    sys.modules['uvloop'] = None  # type: ignore[assignment]
    sys.addaudithook(_refuse_connections)


def _refuse_connections(event: str, arguments: tuple[Any, ...]) -> None:
    if event == 'socket.connect' and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event in ('socket.getaddrinfo', 'socket.gethostbyname') and arguments[0]:
        host = arguments[0]
    else:
        return
    if not is_loopback(host):
        raise PermissionError(f'this process does not use the network, but tried to reach {host}')


def is_loopback(host: str | bytes) -> bool:
    """Whether an address or name is this machine's own, as only it can reach it.

    Example:
        >>> is_loopback('127.0.0.1'), is_loopback('localhost'), is_loopback('example.org')
        (True, True, False)
    """
    name = host.decode('ascii', 'replace') if isinstance(host, bytes) else str(host)
    if name == 'localhost':
        return True
    try:
        return ipaddress.ip_address(name.split('%')[0]).is_loopback
    except ValueError:
        return False
