"""A small share of ``python -m tests.fuzz``; SECURITY.md has the numbers of a long run."""

import pytest

FEW = {'annotations': 300, 'images': 400, 'checkpoints': 400, 'flips': 100}
KILLED = ('train', 'test', 'infer', 'to_coco')


@pytest.mark.slow
@pytest.mark.parametrize('target', FEW)
def test_damage_is_refused_or_without_effect(run_tool, tmp_path, target):
    done = run_tool('-m', 'tests.fuzz', target, '--count', FEW[target], '--folder', tmp_path)
    assert f'{target}, no fault' in done.stdout


@pytest.mark.slow
def test_killed_commands_leave_nothing_half(run_tool, tmp_path):
    targets = [f'kills:{name}' for name in KILLED]
    done = run_tool('-m', 'tests.fuzz', *targets, '--count', 1, '--folder', tmp_path, timeout=900)
    for target in targets:
        assert f'{target}, no fault' in done.stdout
