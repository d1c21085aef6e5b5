"""The process of the page cannot connect to other machines."""

SCRIPT = """
import asyncio, socket
from mmdet_cleargrasp.app.offline import stay_offline
stay_offline()
server = socket.create_server(('127.0.0.1', 0))
socket.create_connection(server.getsockname()).close()
async def connect(host):
    await asyncio.open_connection(host, 80)
for host in {hosts!r}:
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    attempts = [lambda: socket.create_connection((host, 80), timeout=5),
                lambda: asyncio.run(connect(host)),
                lambda: socket.gethostbyaddr(host)]
    if host != 'example.org':
        attempts += [lambda: udp.sendto(b'x', (host, 53)),
                     lambda: udp.sendmsg([b'x'], [], 0, (host, 53))]
    for attempt in attempts:
        try:
            attempt()
        except PermissionError as error:
            print('refused:', error)
"""
HOSTS = ['example.org', '192.0.2.1', '2001:db8::1']


def test_connections_are_refused_except_to_loopback_addresses(run_tool):
    done = run_tool('-c', SCRIPT.format(hosts=HOSTS))
    for host in HOSTS:
        line = f'refused: this process does not use the network, but tried to reach {host}'
        assert done.stdout.count(line) == (3 if host == 'example.org' else 5)
