"""Block network connections of this process to other machines."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

#: Python's audit events with an address as their second argument, and with a host as their first.
ADDRESS_EVENTS = ('socket.connect', 'socket.sendto', 'socket.sendmsg')
NAME_EVENTS = ('socket.getaddrinfo', 'socket.gethostbyname', 'socket.gethostbyaddr')


def stay_offline() -> None:
    """Refuse connections to other machines from now on; cannot be undone.

    The page needs none. Connections and look-ups of host names raise ``PermissionError``, by
    Python's audit events, without changes to libraries. uvloop does not raise these events and is
    disabled. A host name passed to ``socket.connect`` itself, not to ``create_connection`` or
    asyncio, is looked up before the event.
    """
    sys.modules['uvloop'] = None  # type: ignore[assignment]
    sys.addaudithook(_refuse_connections)


def _refuse_connections(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ADDRESS_EVENTS and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event in NAME_EVENTS and arguments[0]:
        host = arguments[0]
    else:
        return
    if not is_loopback(host):
        raise PermissionError(f'this process does not use the network, but tried to reach {host}')


def is_loopback(host: str | bytes) -> bool:
    """Whether a host is a loopback address or ``localhost``, which other machines cannot reach.

    Args:
        host: IP address or host name.

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
