"""A Slurm cluster of this machine alone, of daemons that a test starts and ends."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

#: Debian: apt-get install slurm-wlm munge
DAEMONS = ('munged', 'slurmctld', 'slurmd')
#: Where they are, which is not always in a user's PATH.
PLACES = os.pathsep.join((os.environ.get('PATH', ''), '/usr/sbin', '/sbin'))
#: Seconds until the node takes jobs.
START = 60

# No cgroups, accounting or mail. Made-up GPUs, since tools/slurm_train.sh asks for some. KillWait, the
# seconds to finish a step and save, is 30 by default, on machines that are less loaded.
CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={controller}
SlurmdPort={node}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=60
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 Sockets=8 RealMemory=8000 Gres=gpu:2
PartitionName=test Nodes={host} Default=YES MaxTime=60 State=UP OverSubscribe=FORCE:4
"""


def missing_daemons() -> list[str]:
    """Those that are not installed here."""
    return [name for name in DAEMONS if not shutil.which(name, path=PLACES)]


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start the daemons.

    Args:
        folder: For all their files; its path has to be short, for the sake of a socket.

    Yields:
        The environment in which Slurm's commands find the cluster.
    """
    host = socket.gethostname().split('.')[0]
    for name in ('state', 'spool'):
        (folder / name).mkdir()
    folder.chmod(0o755)
    key = folder / 'munge.key'
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    config = folder / 'slurm.conf'
    config.write_text(
        CONFIG.format(
            host=host, user=getpass.getuser(), folder=folder,
            controller=_free_port(), node=_free_port(),
        )
    )  # fmt: skip
    for number in range(2):
        (folder / f'gpu{number}').touch()  # stands for a device
    (folder / 'gres.conf').write_text(f'Name=gpu File={folder}/gpu[0-1]\n')
    env = {**os.environ, 'SLURM_CONF': str(config)}
    files = {'key-file': 'munge.key', 'socket': 'munge.socket', 'log-file': 'munged.log',
             'pid-file': 'munged.pid', 'seed-file': 'munged.seed'}  # fmt: skip
    commands = [
        ['munged', '--foreground', '--force', *(f'--{k}={folder / v}' for k, v in files.items())],
        ['slurmctld', '-D', '-f', str(config)],
        ['slurmd', '-D', '-f', str(config), '-N', host],
    ]
    with contextlib.ExitStack() as stack:
        for command in commands:
            stack.enter_context(_running(command, env, folder))
        _wait_for_node(env, folder)
        yield env


@contextlib.contextmanager
def _running(command: list[str], env: dict[str, str], folder: Path) -> Iterator[None]:
    program = shutil.which(command[0], path=PLACES)
    assert program
    with (folder / f'{command[0]}.out').open('w') as out:
        daemon = subprocess.Popen([program, *command[1:]], env=env, stdout=out, stderr=out)
        try:
            yield
        finally:
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def _wait_for_node(env: dict[str, str], folder: Path) -> None:
    end = time.monotonic() + START
    while True:
        states = subprocess.run(
            ['sinfo', '--noheader', '--format=%T'], env=env, capture_output=True, text=True
        )
        if states.stdout.strip() == 'idle':
            return
        if time.monotonic() > end:
            logs = '\n'.join(path.read_text()[-2000:] for path in folder.glob('*.out'))
            raise RuntimeError(f'no node takes jobs: {states.stdout}{states.stderr}\n{logs}')
        time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]
