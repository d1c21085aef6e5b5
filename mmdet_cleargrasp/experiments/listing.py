"""Listing of an experiment before it runs: findings of checks, and its runs."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..utils.findings import Finding
from .config_differences import config_differences
from .execution import read_record, state
from .jobs import Job, Plan


def print_findings(console: Console, findings: Iterable[tuple[str, Finding]]) -> int:
    """Print warnings and errors, each once.

    Args:
        console: To print to.
        findings: Of :func:`.check_arms`.

    Returns:
        Number of errors.
    """
    arms: dict[Finding, list[str]] = {}
    for arm, finding in findings:
        if finding.level != 'ok':
            arms.setdefault(finding, []).append(arm)
    for finding, names in arms.items():
        text = f'{finding.level}: {", ".join(names)}: {finding.subject}: {finding.text}'
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    return sum(finding.level == 'error' for finding in arms)


def print_plan(console: Console, plan: Plan) -> None:
    """Print the runs of an experiment, and the differences between its arms.

    Args:
        console: To print to.
        plan: From :func:`.plan_experiment`.
    """
    headings = ('arm', 'part', 'seed', 'fold', 'images', 'epochs', 'steps', 'state')
    table = Table(*headings, title=escape(plan.spec.name))
    for job in plan.jobs:
        numbers = (
            f'{job.fraction:g} %',
            job.seed,
            job.fold or '–',
            job.images,
            job.epochs,
            job.steps,
        )
        table.add_row(escape(job.arm), *map(str, numbers), state(job))
    console.print(table)
    first = [next(j for j in plan.jobs if j.arm == arm.name) for arm in plan.spec.arms]
    configs = {job.arm: plan.configs[job.train_config] for job in first}
    differences = config_differences(configs)
    table = Table('what the arms differ in')
    for name in configs:
        table.add_column(escape(name), overflow='fold')
    for key, values in differences.items():
        table.add_row(escape(key), *(escape(values[arm]) for arm in configs))
    console.print(table)


def count_complete(jobs: list[Job]) -> int:
    """Number of complete runs.

    Args:
        jobs: Of the experiment.
    """
    return sum(read_record(job) is not None for job in jobs)
