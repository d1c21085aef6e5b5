"""Slurm's environment variables are translated to those of torchrun."""

import os

import pytest
from mmengine.config import Config

from mmdet_cleargrasp.compat.processes import FIRST_PORT, PORTS, use_slurm_variables
from mmdet_cleargrasp.engine.runner import build_runner
from mmdet_cleargrasp.utils.errors import ConfigError

SRUN = {'SLURM_JOB_ID': '7', 'SLURM_PROCID': '3', 'SLURM_NTASKS': '4', 'SLURM_LOCALID': '1',
        'MASTER_ADDR': 'node-2'}  # fmt: skip


@pytest.fixture
def variables(monkeypatch):
    """Set the variables of srun, with changes; returns the environment with those of torchrun."""

    def use(**changes):
        for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_PORT', 'SLURM_STEP_ID'):
            monkeypatch.setenv(name, '')  # recorded, so that it is restored after the test
            monkeypatch.delenv(name)
        for name, value in {**SRUN, **changes}.items():
            monkeypatch.setenv(name, value)
        use_slurm_variables()
        return dict(os.environ)

    return use


def test_ranks_and_address(variables):
    found = variables()
    names = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR')
    assert [found[name] for name in names] == ['3', '4', '1', 'node-2']


def test_jobs_and_steps_have_different_ports(variables):
    jobs = [('7', '0'), ('7', '1'), ('8', '0'), ('99999999', '0')]
    ports = {int(variables(SLURM_JOB_ID=j, SLURM_STEP_ID=s)['MASTER_PORT']) for j, s in jobs}
    assert len(ports) == 4 and all(FIRST_PORT <= port < FIRST_PORT + PORTS for port in ports)
    assert variables(MASTER_PORT='1234')['MASTER_PORT'] == '1234'


@pytest.mark.parametrize(('launcher', 'starter'), [('slurm', 'srun'), ('pytorch', 'torchrun')])
def test_a_process_that_the_launcher_did_not_start_is_refused(monkeypatch, launcher, starter):
    for name in ('RANK', 'SLURM_PROCID'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=f'processes that {starter} started'):
        build_runner(Config(dict(launcher=launcher)))
