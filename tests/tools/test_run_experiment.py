"""An experiment from its spec to the comparison, interrupted and with an arm that fails."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml

from mmdet_cleargrasp.visualization.training_logs import read_run
from tests.conftest import ROOT

TOOL = 'tools/run_experiment.py'
WAIT = 1800


def wait_for(happened, process=None):
    end = time.monotonic() + WAIT
    while not happened():
        assert time.monotonic() < end, 'it takes too long'
        assert process is None or process.poll() is None, process.stdout.read()
        time.sleep(0.2)


@pytest.fixture(scope='module')
def write_spec(tiny_config, toy_plates, tmp_path_factory):
    folder = tmp_path_factory.mktemp('specs')

    def write(name, arms, **changes):
        spec = {
            'name': name,
            'question': 'Does a gentle start help?',
            'arms': {
                arm: {'config': str(tiny_config), 'cfg_options': options}
                for arm, options in arms.items()
            },
            'seeds': [0],
            'fractions': [50],
            'epochs': 2,
            'data_root': str(toy_plates),
            'tests': [
                {
                    'annotations': str(toy_plates / 'annotations' / 'val.json'),
                    'images': str(toy_plates / 'val'),
                }
            ],
            **changes,
        }
        (folder / f'{name}.yaml').write_text(yaml.safe_dump(spec, sort_keys=False))
        return folder / f'{name}.yaml'

    return write


ARMS = {
    'plain': {},
    'gentle': {'optim_wrapper.optimizer.lr': 1e-5},
    # The checks do not find this: it fails when training starts.
    'broken': {'optim_wrapper.optimizer.type': 'NoSuchOptimizer'},
}


def test_a_dry_run_lists_the_runs_and_starts_none(write_spec, run_tool, tmp_path):
    done = run_tool(TOOL, write_spec('dry', ARMS), '--work-dir', tmp_path / 'dry', '--dry-run')
    for part in ('plain', 'gentle', '50 %', 'to do', 'optim_wrapper.optimizer'):
        assert part in done.stdout
    assert not (tmp_path / 'dry').exists()


def test_an_arm_that_cannot_run_ends_in_one_message_before_anything_starts(
    write_spec, run_tool, tmp_path
):
    arms = {'plain': {}, 'lost': {'model.backbone.init_cfg.checkpoint': 'gone.pth'}}
    spec = write_spec('lost', arms)
    done = run_tool(TOOL, spec, '--work-dir', tmp_path / 'lost', check=False)
    assert done.returncode == 1
    assert 'lost: checkpoint: no checkpoint at gone.pth' in done.stdout
    assert 'no run was started' in done.stderr
    assert 'Traceback' not in done.stderr
    assert not (tmp_path / 'lost').exists()


@pytest.mark.slow
def test_an_interrupted_experiment_goes_on_and_is_compared(write_spec, run_tool, tmp_path):
    spec, root = write_spec('whole', ARMS), tmp_path / 'whole'
    first = root / 'plain' / 'fraction-50' / 'seed-0'
    command = [sys.executable, ROOT / TOOL, spec, '--work-dir', root]
    process = subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, text=True,
        env={**os.environ, 'OMP_NUM_THREADS': '1'}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    wait_for((first / 'last_checkpoint').is_file, process)
    # As when the machine goes down: nothing is tidied up.
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (first / 'record.json').exists()

    done = run_tool(TOOL, spec, '--work-dir', root, check=False, timeout=WAIT)
    assert done.returncode == 1
    assert 'broken, 50 %, seed 0: tools/train.py ended with status 1' in done.stderr
    assert 'broken/fraction-50/seed-0/output.log' in done.stderr
    assert '2 of 3 runs are complete' in done.stdout
    record = json.loads((first / 'record.json').read_text())
    assert (record['images'], record['epochs'], record['checkpoint']) == (3, 2, 'epoch_2.pth')
    assert 0 <= record['tests']['val']['AP'] <= 1
    # The second start took up the first one's checkpoint: every epoch was trained once.
    assert (first / 'output.log').read_text().count('--resume') == 2
    assert sorted({entry['epoch'] for entry in read_run(first).train}) == [1, 2]
    assert [path.name for path in first.glob('*.pth')] == ['epoch_2.pth']

    written = (first / 'record.json').stat().st_mtime_ns
    again = run_tool(TOOL, spec, '--work-dir', root, '--dry-run')
    assert again.stdout.count('complete') == 2
    assert (first / 'record.json').stat().st_mtime_ns == written
    longer = write_spec('longer', ARMS, epochs=3)
    refused = run_tool(TOOL, longer, '--work-dir', root, '--dry-run', check=False)
    assert refused.returncode == 1 and 'were started with another spec' in refused.stderr

    # As when it was killed in the last validation, which measures the score threshold of the test.
    (first / 'record.json').unlink()
    run_tool(TOOL, spec, '--work-dir', root, check=False, timeout=WAIT)
    assert json.loads((first / 'record.json').read_text())['tests'] == record['tests']
    assert (first / 'output.log').read_text().count('--resume') == 3  # which validates once more

    run_tool('tools/analysis_tools/compare_runs.py', root, '--replicates', '100', '--no-cost')
    assert 'Does a gentle start help?' in (root / 'comparison' / 'comparison.html').read_text()
    assert 'Only 2 of 3 runs' in (root / 'comparison' / 'comparison.md').read_text()


@pytest.mark.slow
def test_submitted_runs_are_carried_out(write_spec, run_tool, tmp_path):
    spec = write_spec('sent', {'plain': {}}, epochs=1, slurm={'timeout_min': 30, 'partition': 'x'})
    root = tmp_path / 'sent'
    done = run_tool(TOOL, spec, '--work-dir', root, '--slurm', 'local')
    assert 'submitted 1 run(s)' in done.stdout
    wait_for((root / 'plain' / 'fraction-50' / 'seed-0' / 'record.json').is_file)
    again = run_tool(TOOL, spec, '--work-dir', root, '--slurm', 'local')
    assert 'submitted 0 run(s)' in again.stdout


def test_without_slurm_the_message_says_so(write_spec, run_tool, tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))  # where sbatch is not, even if this machine has it
    spec = write_spec('unsent', {'plain': {}})
    done = run_tool(TOOL, spec, '--work-dir', tmp_path / 'unsent', '--slurm', check=False)
    assert done.returncode == 1
    assert 'error: Slurm rejected the runs' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.slow
def test_cross_validation_of_one_arm(write_spec, toy_plates, run_tool, tmp_path):
    changes = {'folds': 3, 'fractions': [100], 'epochs': 1, 'tests': None}
    spec = write_spec('folds', {'plain': {}}, **changes)
    done = run_tool(TOOL, spec, '--work-dir', tmp_path / 'folds', timeout=WAIT)
    assert re.search(r'^plain: AP \d\.\d{3} \(.* to .*\).*; 9 images, 1 seed$', done.stdout, re.M)
    run = tmp_path / 'folds' / 'plain' / 'fraction-100' / 'seed-0'
    record = json.loads((run / 'record.json').read_text())
    assert len(record['folds']) == 3 and list(record['tests']) == ['cross_validation']
    again = run_tool(TOOL, spec, '--work-dir', tmp_path / 'folds', timeout=WAIT)
    assert '3 of 3 runs are complete' in again.stdout
