"""Error handling of all commands: one message and a documented exit status."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from ..compat.garbage_collection import freeze_until_import
from ..compat.versions import explain_import_error
from ..utils.errors import Terminated, UserError

#: Type of a command's ``main(argv)``, which returns the exit status.
Main = Callable[..., int]

#: Environment variable; set it to 1 to print the traceback of an error.
TRACEBACK_VARIABLE = 'MMDET_CLEARGRASP_TRACEBACK'
#: Delay before a signal that was lost in a finalizer is sent again.
REPEAT_SECONDS = 0.05
#: Exit statuses.
SUCCESS, FAILURE, CTRL_C, BROKEN_PIPE, SIGTERM = 0, 1, 130, 141, 143


def command(main: Main) -> Main:
    """Decorator for ``main(argv)`` that prints one message instead of a traceback.

    Handled are errors that a user can cause: a :class:`.UserError`, Ctrl-C, SIGTERM, a full disk,
    missing permissions, a wrong encoding and lack of memory. Any other exception is a bug and
    is raised. docs/messages.md lists the exit statuses.

    Args:
        main: Function that parses ``argv``, does the work and returns the exit status.

    Returns:
        The decorated function. It returns the status instead of raising ``SystemExit``.

    Example:
        >>> @command
        ... def main(argv: Sequence[str] | None = None) -> int:
        ...     raise UserError('depth 42 is unknown')
        >>> main([])
        1
    """

    @functools.wraps(main)
    def guarded(argv: Sequence[str] | None = None) -> int:
        if argv is None:  # the arguments of the process, which then belongs to the command
            freeze_until_import('mmdet_cleargrasp.registered_types')
        escape_unprintable_names()
        try:
            with sigterm_as_exception(), _quiet_log_handlers(), warnings.catch_warnings():
                # mmengine imports pkg_resources; its last versions warn each time.
                warnings.filterwarnings('ignore', message='pkg_resources is deprecated')
                status = main(argv)
                sys.stdout.flush()
                return status
        except SystemExit as stop:
            return stop.code if isinstance(stop.code, int) else FAILURE if stop.code else SUCCESS
        except BaseException as error:
            explained = explain(error)
            if explained is None:
                raise
            status, message = explained
            if os.environ.get(TRACEBACK_VARIABLE):
                traceback.print_exc()
            _print_error(message)
            return status

    return guarded


def explain(error: BaseException) -> tuple[int, str] | None:
    """Return the exit status and message for an error that a user can cause.

    Args:
        error: Exception raised by a command.

    Returns:
        Exit status and message; ``None`` for a bug.

    Example:
        >>> explain(PermissionError(13, 'Permission denied', 'work_dirs/a'))
        (1, 'error: Permission denied: work_dirs/a')
        >>> explain(KeyError('a bug')) is None
        True
    """
    # A library's bare `except:` may have replaced the signal's exception by another one.
    error = _interruption(error) or error
    if isinstance(error, UserError):
        return FAILURE, f'error: {_text(error)}'
    if isinstance(error, Terminated):
        return SIGTERM, 'stopped by SIGTERM'
    if isinstance(error, KeyboardInterrupt):
        return CTRL_C, 'stopped by Ctrl-C'
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE, ''
    if _out_of_memory(error):
        return FAILURE, (
            f'error: out of memory ({_text(error)}). Use smaller batches, smaller images or '
            'fewer processes'
        )
    if isinstance(error, RecursionError):
        return FAILURE, f'error: a file is nested too deeply ({_text(error)})'
    if isinstance(error, UnicodeError):
        return FAILURE, f'error: a text is not in the expected encoding, UTF-8 ({_text(error)})'
    if isinstance(error, ImportError):
        text = explain_import_error(error)
        return (FAILURE, f'error: {text}') if text else None
    if isinstance(error, OSError):
        return FAILURE, f'error: {_os_error_text(error)}'
    if _is_invalid_path(error):
        return FAILURE, f'error: a file name cannot be used ({_text(error)})'
    return None


@contextlib.contextmanager
def sigterm_as_exception() -> Iterator[None]:
    """Raise :class:`.Terminated` on SIGTERM during a ``with`` block.

    A command then cleans up as on Ctrl-C: it removes temporary folders and writes its results so
    far. Forked processes are terminated by SIGTERM as usual. Has no effect outside of the main
    thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    process = os.getpid()

    def terminate(number: int, _frame: FrameType | None) -> None:
        if os.getpid() == process:
            raise Terminated
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, terminate)
    try:
        with _interruptions_repeated():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _quiet_log_handlers() -> Iterator[None]:
    """Do not print a traceback if a log file cannot be written, such as on a full disk."""
    before = logging.raiseExceptions
    logging.raiseExceptions = bool(os.environ.get(TRACEBACK_VARIABLE))
    try:
        yield
    finally:
        logging.raiseExceptions = before


@contextlib.contextmanager
def _interruptions_repeated() -> Iterator[None]:
    """Send SIGINT or SIGTERM again if it arrived during a finalizer.

    Python prints and ignores exceptions in ``__del__`` and in callbacks of weak references,
    including those that signal handlers raise, so the program would not end.
    """
    before, ended = sys.unraisablehook, threading.Event()

    def send_again(number: signal.Signals) -> None:
        if not ended.wait(REPEAT_SECONDS):
            os.kill(os.getpid(), number)

    def hook(dropped: sys.UnraisableHookArgs) -> None:
        if not isinstance(dropped.exc_value, KeyboardInterrupt):
            before(dropped)
            return
        is_sigterm = isinstance(dropped.exc_value, Terminated)
        number = signal.SIGTERM if is_sigterm else signal.SIGINT
        threading.Thread(target=send_again, args=(number,), daemon=True).start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        ended.set()
        sys.unraisablehook = before


def escape_unprintable_names() -> None:
    """Let ``print`` escape characters that the terminal's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


def _print_error(message: str) -> None:
    try:
        if message:
            print(f'\n{message}', file=sys.stderr)
        sys.stdout.flush()
    except OSError:
        # The reader of stdout has exited; without this, Python would flush again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _out_of_memory(error: BaseException) -> bool:
    """Whether Python, a GPU or torch's CPU allocator ran out of memory; does not import torch."""
    name, text = type(error).__name__, str(error)
    return (
        isinstance(error, MemoryError)
        or name == 'OutOfMemoryError'
        or (isinstance(error, RuntimeError) and 'DefaultCPUAllocator' in text)
    )


def _interruption(error: BaseException) -> KeyboardInterrupt | None:
    """Return the Ctrl-C or SIGTERM during whose handling an exception was raised, if any."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, KeyboardInterrupt):
        seen = seen.__cause__ or seen.__context__
    return seen


def _is_invalid_path(error: BaseException) -> bool:
    """Whether ``pathlib`` refuses a path: it has a null byte, or is a link to itself."""
    text = str(error)
    return (isinstance(error, ValueError) and 'embedded null' in text) or (
        isinstance(error, RuntimeError) and text.startswith('Symlink loop')
    )


def _text(error: BaseException) -> str:
    """Return the message without the traceback that a data loader's worker adds."""
    text = str(error)
    if 'Traceback (most recent call last)' in text:
        text = text.split(f'{type(error).__name__}: ')[-1]
    return text.strip() or type(error).__name__


def _os_error_text(error: OSError) -> str:
    files = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return f'{error.strerror}: {" -> ".join(files)}' if files and error.strerror else _text(error)
