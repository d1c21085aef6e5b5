"""A process that never connects to the network."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

#: Audit events of Python whose second argument is an address, and whose first is a host.
ADDRESS_EVENTS = ('socket.connect', 'socket.sendto', 'socket.sendmsg')
NAME_EVENTS = ('socket.getaddrinfo', 'socket.gethostbyname', 'socket.gethostbyaddr')


def stay_offline() -> None:
    """Refuse every outgoing connection of this process but to itself, for as long as it lives.

    Nothing in the page's process has a reason for one. Python's audit events are used, so that no
    library is changed; uvloop, which does not raise them, is disabled. A name that is given to a
    socket itself, not to ``create_connection`` or asyncio, is looked up before its event.
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
    """Whether only this machine itself can reach an address or name.

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
