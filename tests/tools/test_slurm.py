"""On a Slurm cluster of this machine: several processes, an experiment, requeued jobs."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch
import yaml

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.visualization.training_logs import read_run

from ..conftest import ROOT
from .slurm_cluster import missing_daemons, running_cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(missing_daemons()),
        reason=f'no {", ".join(missing_daemons())} here: apt-get install slurm-wlm munge',
    ),
]
WAIT = 900
EPOCHS = 10
#: As in docs/hpc.md.
BATCH = """#!/bin/bash
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={output}
srun {python} tools/train.py {config} --data-root {data} --work-dir {work_dir} \\
    --epochs {epochs} --resume --cfg-options default_hooks.logger.interval=1 \\
    train_cfg.val_interval={epochs} default_hooks.checkpoint.interval={epochs} \\
    train_dataloader.num_workers=1
"""


@pytest.fixture(scope='module')
def slurm():
    """Run a command of Slurm's in a new cluster; returns what it printed."""
    with (
        tempfile.TemporaryDirectory(prefix='slurm_', dir='/tmp') as folder,
        running_cluster(Path(folder)) as env,
    ):
        env |= {'OMP_NUM_THREADS': '1', 'PATH': f'{Path(sys.executable).parent}:{env["PATH"]}'}

        def run(*command, **variables):
            done = subprocess.run(
                [str(part) for part in command], env={**env, **variables}, cwd=ROOT, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=WAIT,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout[-3000:]
            return done.stdout

        yield run


def wait_for(happened, log=None):
    end = time.monotonic() + WAIT
    while not happened():
        output = log.read_text()[-3000:] if log and log.exists() else ''
        assert time.monotonic() < end, f'it takes too long: {output}'
        time.sleep(0.2)


def logged_steps(work_dir):
    logs = work_dir.glob('*/vis_data/scalars.json')
    return sum('"loss"' in line for log in logs for line in log.read_text().splitlines())


def start_again(slurm, job):
    """Start a requeued job at once, not two minutes later."""
    wait_for(lambda: 'PENDING' in slurm('squeue', '--noheader', '--format=%T', '--job', job))
    slurm('scontrol', 'update', f'JobId={job}', 'StartTime=now')


def test_two_processes_train(slurm, tiny_config, toy_plates, tmp_path):
    output = slurm(
        'tools/slurm_train.sh', 'test', 'plates', tiny_config, tmp_path / 'run',
        '--data-root', toy_plates, '--epochs', '1', '--verbose',
        GPUS='2', CPUS_PER_TASK='1',
    )  # fmt: skip
    assert 'Distributed training: True' in output and 'GPU number: 2' in output
    assert (tmp_path / 'run' / 'epoch_1.pth').is_file()


def test_requeued_job_resumes_and_ends_as_if_nothing_had_been(
    slurm, tiny_config, toy_plates, tmp_path
):
    def submit(name):
        script, log = tmp_path / f'{name}.sh', tmp_path / f'{name}.log'
        script.write_text(
            BATCH.format(
                output=log, python=sys.executable, config=tiny_config, data=toy_plates,
                work_dir=tmp_path / name, epochs=EPOCHS,
            )
        )  # fmt: skip
        return slurm('sbatch', '--parsable', script).strip(), log

    number, log = submit('requeued')
    wait_for(lambda: logged_steps(tmp_path / 'requeued') >= 4, log)
    slurm('scontrol', 'requeue', number)
    wait_for(lambda: 'stopped by SIGTERM after step' in log.read_text(), log)
    start_again(slurm, number)
    _, whole = submit('whole')
    last = f'epoch_{EPOCHS}.pth'
    wait_for((tmp_path / 'whole' / last).is_file, whole)
    wait_for((tmp_path / 'requeued' / last).is_file, log)
    assert 'Traceback' not in log.read_text()
    steps = [entry['step'] for entry in read_run(tmp_path / 'requeued').train]
    assert steps == list(range(1, len(steps) + 1))  # none was trained twice
    one, other = (
        read_checkpoint(tmp_path / name / last)['state_dict'] for name in ('whole', 'requeued')
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_an_experiment_is_submitted_and_continues_after_its_time_limit(
    slurm, tiny_config, toy_plates, tmp_path
):
    spec = {
        'name': 'sent',
        'question': 'Does it run?',
        'arms': {'plain': {'config': str(tiny_config)}},
        'seeds': [0],
        'epochs': EPOCHS,
        'data_root': str(toy_plates),
        'cfg_options': {
            'default_hooks.logger.interval': 1,
            'train_cfg.val_interval': EPOCHS,
            'train_dataloader.num_workers': 1,  # which gets the signals too
        },
        'slurm': {'timeout_min': 30, 'partition': 'test', 'cpus_per_task': 1},
    }
    (tmp_path / 'sent.yaml').write_text(yaml.safe_dump(spec))
    root = tmp_path / 'sent'
    run = root / 'plain' / 'fraction-100' / 'seed-0'
    command = [
        sys.executable,
        'tools/run_experiment.py',
        tmp_path / 'sent.yaml',
        '--work-dir',
        root,
    ]
    output = slurm(*command, '--slurm')
    assert 'submitted 1 run(s)' in output
    number = output.split('job ')[1].split(':')[0]
    wait_for(lambda: logged_steps(run) >= 4, run / 'output.log')
    slurm('scancel', '--signal=USR2', number)  # as Slurm sends it before the time limit
    start_again(slurm, number)
    wait_for((run / 'record.json').is_file, run / 'output.log')
    assert json.loads((run / 'record.json').read_text())['epochs'] == EPOCHS
    assert 'stopped by SIGUSR2 after step' in (run / 'output.log').read_text()
    steps = [entry['step'] for entry in read_run(run).train]
    assert steps == list(range(1, len(steps) + 1))
    assert 'submitted 0 run(s)' in slurm(*command, '--slurm')
