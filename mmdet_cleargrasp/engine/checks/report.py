"""Findings as text, as warnings, or as one error."""

from __future__ import annotations

from collections.abc import Iterable

from ...utils.errors import ConfigError, UserError
from ...utils.findings import Finding, error
from ..runner import rank

#: Checks whose result is only shown on request.
DETAILS = ('versions', 'strides')
MARKS = {'ok': 'ok     ', 'warning': 'warning', 'error': 'ERROR  '}


def collect(check: Iterable[Finding]) -> list[Finding]:
    """The findings of one check; an exception becomes one of them.

    Args:
        check: A generator of findings.
    """
    findings: list[Finding] = []
    try:
        for finding in check:
            findings.append(finding)
    except UserError as reason:
        findings.append(error(type(reason).__name__.removesuffix('Error').lower(), str(reason)))
    except Exception as reason:  # a config may hold anything anywhere, and is Python besides
        findings.append(
            error('config', f'cannot be checked ({type(reason).__name__}: {reason}); see configs/')
        )
    return findings


def refuse_errors(findings: list[Finding], launcher: str = 'none') -> None:
    """Print the warnings, in one process; raise the errors.

    Args:
        findings: Of a check.
        launcher: Of the run's processes.

    Raises:
        ConfigError: With every error found.
    """
    for finding in findings:
        if finding.level == 'warning' and rank(launcher) == 0:
            print(f'warning: {finding.subject}: {finding.text}')
    errors = [f'{f.subject}: {f.text}' for f in findings if f.level == 'error']
    if errors:
        raise ConfigError('\n       '.join(errors))


def introduce(findings: list[Finding], launcher: str = 'none') -> None:
    """Print, in one process, what a run will work with: data, model, device, work dir.

    Args:
        findings: Of a check without errors.
        launcher: Of the run's processes.
    """
    if rank(launcher) == 0:
        for finding in findings:
            if finding.level == 'ok' and finding.subject not in DETAILS:
                print(f'{finding.subject:<14} {finding.text}')
        print()


def describe(findings: list[Finding]) -> str:
    """Findings as lines of text.

    Example:
        >>> from mmdet_cleargrasp.utils.findings import ok
        >>> print(describe([ok('device', 'CPU with 2 threads')]))
        ok      device: CPU with 2 threads
    """
    return '\n'.join(f'{MARKS[f.level]} {f.subject}: {f.text}' for f in findings)
