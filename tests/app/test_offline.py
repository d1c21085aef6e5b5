import pytest

SCRIPT = """
import asyncio, socket, threading
from mmdet_cleargrasp.app.offline import stay_offline
stay_offline()
server = socket.create_server(('127.0.0.1', 0))
socket.create_connection(server.getsockname()).close()
async def connect():
    await asyncio.open_connection({host!r}, 80)
for attempt in (lambda: socket.create_connection(({host!r}, 80), timeout=5),
                lambda: asyncio.run(connect())):
    try:
        attempt()
    except PermissionError as error:
        print('refused:', error)
"""


@pytest.mark.parametrize('host', ['example.org', '192.0.2.1', '2001:db8::1'])
def test_connections_leave_the_process_for_itself_only(run_tool, host):
    done = run_tool('-c', SCRIPT.format(host=host))
    assert (
        done.stdout.count(
            f'refused: this process does not use the network, but tried to reach {host}'
        )
        == 2
    )
