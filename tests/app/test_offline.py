SCRIPT = """
import asyncio, socket
from mmdet_cleargrasp.app.offline import stay_offline
stay_offline()
server = socket.create_server(('127.0.0.1', 0))
socket.create_connection(server.getsockname()).close()
async def connect(host):
    await asyncio.open_connection(host, 80)
for host in {hosts!r}:
    for attempt in (lambda: socket.create_connection((host, 80), timeout=5),
                    lambda: asyncio.run(connect(host))):
        try:
            attempt()
        except PermissionError as error:
            print('refused:', error)
"""
HOSTS = ['example.org', '192.0.2.1', '2001:db8::1']


def test_connections_leave_the_process_for_itself_only(run_tool):
    done = run_tool('-c', SCRIPT.format(hosts=HOSTS))
    for host in HOSTS:
        line = f'refused: this process does not use the network, but tried to reach {host}'
        assert done.stdout.count(line) == 2
