"""Error handling of commands, and the dispatcher."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmdet_cleargrasp.cli import dispatch
from mmdet_cleargrasp.cli.command import command
from mmdet_cleargrasp.utils.errors import ConfigError


def stop():
    os.kill(os.getpid(), signal.SIGTERM)
    raise AssertionError('SIGTERM did not arrive')


def fail(error):
    raise error


def fail_while_stopping(error):
    try:
        stop()
    except BaseException:
        raise error from None


@pytest.mark.parametrize(
    ('work', 'status', 'message'),
    [
        (lambda: 3, 3, ''),
        (lambda: sys.exit(2), 2, ''),
        (lambda: fail(ConfigError('depth 42 is unknown')), 1, 'error: depth 42 is unknown'),
        (lambda: os.stat('/absent'), 1, 'error: No such file or directory: /absent'),
        (lambda: fail(PermissionError(13, 'Permission denied', 'a')), 1, 'error: Permission denied: a'),
        (lambda: fail(OSError(28, 'No space left on device')), 1, 'No space left on device'),
        (lambda: fail(MemoryError()), 1, 'error: out of memory (MemoryError)'),
        (lambda: fail(RuntimeError("DefaultCPUAllocator: can't allocate memory")), 1, 'out of memory'),
        (lambda: b'\xff'.decode(), 1, 'error: a text is not in the expected encoding'),
        (lambda: fail(RecursionError('maximum recursion depth')), 1, 'nested too deeply'),
        (lambda: fail(ImportError('libGL.so.1: cannot open')), 1, 'opencv-python-headless'),
        (lambda: fail(KeyboardInterrupt()), 130, 'stopped by Ctrl-C'),
        (stop, 143, 'stopped by SIGTERM'),
        (lambda: fail_while_stopping(SyntaxError('as mmengine raises')), 143, 'stopped by SIGTERM'),
        (lambda: Path('a\0b').resolve(), 1, 'error: a file name cannot be used'),
        (lambda: fail(BrokenPipeError()), 141, ''),
    ],
)  # fmt: skip
def test_user_errors_give_one_message_and_an_exit_status(capsys, work, status, message):
    before = signal.getsignal(signal.SIGTERM)
    assert command(lambda argv: work())([]) == status
    printed = capsys.readouterr().err.strip()
    assert message in printed and (message or not printed)
    assert '\n' not in printed
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_traceback_of_a_worker_is_removed(capsys):
    text = 'Caught ConfigError in DataLoader worker.\nTraceback (most recent call last):\n  ...\n'
    error = ConfigError(f'{text}mmdet_cleargrasp.utils.errors.ConfigError: wrong size')
    assert command(lambda argv: fail(error))([]) == 1
    assert capsys.readouterr().err.strip() == 'error: wrong size'


def test_a_bug_keeps_its_traceback():
    with pytest.raises(KeyError):
        command(lambda argv: fail(KeyError('bug')))([])


def test_the_dispatcher_lists_every_tool(capsys):
    assert dispatch.main([]) == 0
    listed = capsys.readouterr().out
    for tool in dispatch.TOOLS:
        assert f'\n  {tool} ' in listed


@pytest.mark.parametrize('tool', dispatch.TOOLS)
def test_every_tool_has_help(monkeypatch, capsys, tool):
    monkeypatch.setattr(sys, 'argv', ['mmdet-cleargrasp'])
    assert dispatch.main([tool, '--help']) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f'usage: mmdet-cleargrasp {tool}')
    assert 'python tools/' not in shown


def test_an_unknown_tool_is_refused(capsys):
    assert dispatch.main(['trian']) == 2
    assert "'trian' is not a tool" in capsys.readouterr().err


@pytest.mark.parametrize(
    ('line', 'expected'),
    [('mmdet-cleargrasp tra', 'train'), ('mmdet-cleargrasp train --res', '--resume')],
)
def test_the_shell_gets_completions(tmp_path, line, expected):
    pytest.importorskip('argcomplete')
    answer = tmp_path / 'answer'
    environment = {
        **os.environ,
        '_ARGCOMPLETE': '1',
        '_ARGCOMPLETE_IFS': '\n',
        '_ARGCOMPLETE_STDOUT_FILENAME': str(answer),
        'COMP_LINE': line,
        'COMP_POINT': str(len(line)),
        'COMP_TYPE': '9',
    }
    subprocess.run([sys.executable, '-m', 'mmdet_cleargrasp'], env=environment, check=True)
    assert expected in answer.read_text().split()


@pytest.mark.parametrize(('number', 'status'), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_during_a_finalizer_is_not_lost(monkeypatch, capsys, number, status):
    """Python ignores exceptions there: the command would continue, after a traceback."""
    signal.signal(signal.SIGINT, signal.default_int_handler)

    class Finalized:
        def __del__(self):
            os.kill(os.getpid(), number)
            time.sleep(0.01)

    @command
    def main(argv=None):
        Finalized()
        time.sleep(20)
        return 0

    started = time.monotonic()
    assert main([]) == status
    assert time.monotonic() - started < 10
    assert 'Traceback' not in capsys.readouterr().err


def test_a_log_on_a_full_disk_prints_no_traceback(capsys):
    @command
    def main(argv=None):
        log = logging.Logger('full')
        log.addHandler(logging.StreamHandler(open('/dev/full', 'w')))  # noqa: SIM115
        log.error('lost')
        return 0

    assert main([]) == 0
    assert capsys.readouterr().err == ''
    assert logging.raiseExceptions
