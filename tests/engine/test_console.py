"""What libraries print and warn of goes to the log; errors and our warnings reach the console."""

import contextlib
import io
import logging
import warnings
from types import SimpleNamespace

import pytest

from mmdet_cleargrasp.engine import console
from mmdet_cleargrasp.engine.hooks.progress_hook import ProgressHook


@pytest.fixture
def logger(tmp_path):
    logger = logging.Logger('run')
    logger.addHandler(logging.FileHandler(tmp_path / 'run.log'))
    return logger


def test_console_is_quiet_and_the_log_has_everything(logger, tmp_path, capsys):
    with console.quiet(logger) as stream:
        print('Accumulating evaluation results...')
        print('DONE', end=' ')
        print('(t=0.01s).')
        warnings.warn('a library speaks', UserWarning, stacklevel=1)
        print('epoch 1 of 2', file=stream)
    print('end')
    printed = capsys.readouterr()
    assert printed.out == 'epoch 1 of 2\nend\n'
    assert printed.err == ''
    log = (tmp_path / 'run.log').read_text().splitlines()
    assert log == [
        'Accumulating evaluation results...', 'DONE (t=0.01s).', 'UserWarning: a library speaks',
    ]  # fmt: skip


def test_a_live_line_on_a_terminal_leaves_the_tables_of_libraries_in_the_log(logger, tmp_path):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    with contextlib.redirect_stdout(Terminal()) as terminal, console.quiet(logger) as stream:
        hook = ProgressHook(stream)
        hook.before_test(SimpleNamespace())
        print('Average Recall')
        hook.close()
    assert 'Average Recall' not in terminal.getvalue()
    assert 'Average Recall' in (tmp_path / 'run.log').read_text()


def test_verbose_changes_nothing(logger, capsys):
    with console.quiet(logger, verbose=True):
        print('all of it')
    assert capsys.readouterr().out == 'all of it\n'


@pytest.mark.parametrize(
    ('path', 'level', 'shown'),
    [
        ('/lib/mmengine/runner.py', logging.INFO, False),
        ('/lib/mmengine/runner.py', logging.WARNING, False),
        ('/lib/mmengine/runner.py', logging.ERROR, True),
        (console.__file__, logging.INFO, False),
        (console.__file__, logging.WARNING, True),
    ],
)
def test_what_passes(path, level, shown):
    record = logging.LogRecord('run', level, path, 1, 'text', (), None)
    assert console.ConsoleFilter().filter(record) == shown
