"""Running an experiment on this machine, one run after another."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..utils.errors import UserError
from .execution import execute, read_record, steps_done
from .jobs import Job

#: Seconds of history for the remaining time: all, since runs differ.
MEMORY = 30 * 24 * 3600.0
#: Steps that tests and process starts count for in the progress bar.
OVERHEAD = 20


def run_here(jobs: list[Job], console: Console) -> list[tuple[Job, str]]:
    """Run what is not complete, and show the progress.

    Args:
        jobs: Of the experiment.
        console: For a line per finished run.

    Returns:
        Failed runs, with the reason.
    """
    outstanding = [job for job in jobs if not read_record(job)]
    failures = []
    columns = (
        TextColumn('{task.description}', table_column=None),
        BarColumn(),
        TextColumn('{task.fields[run]}'),
        TimeElapsedColumn(),
        TextColumn('left'),
        TimeRemainingColumn(),
    )
    total = sum(job.steps + OVERHEAD for job in outstanding)
    with Progress(*columns, console=console, speed_estimate_period=MEMORY) as bar:
        task = bar.add_task('experiment', total=total, run='')
        done = 0
        for number, job in enumerate(outstanding, 1):
            place = f'{number}/{len(outstanding)} {escape(job.name)}'

            def watch(job: Job = job, done: int = done, place: str = place) -> None:
                steps = steps_done(job)
                run = f'{place}: step {steps}/{job.steps}'
                bar.update(task, completed=done + steps, run=run)

            watch()
            try:
                record = execute(job, watch)
                console.print(f'{place}: {escape(describe(record))}', highlight=False)
            except UserError as error:
                failures.append((job, str(error)))
                console.print(f'{place}: [red]failed[/red]', highlight=False)
            done += job.steps + OVERHEAD
            bar.update(task, completed=done)
    return failures


def describe(record: dict[str, Any]) -> str:
    """A record in one line.

    Args:
        record: Of :func:`.execute`.

    Example:
        >>> describe({'tests': {'val': {'AP': 0.4218}, 'hard': {'AP': None}}, 'seconds': 75.2})
        'AP 0.422 on val, AP – on hard, 1.3 min'
    """
    figures = [
        f'AP {"–" if figures["AP"] is None else format(figures["AP"], ".3f")} on {name}'
        for name, figures in record['tests'].items()
    ]
    return ', '.join([*figures, f'{record["seconds"] / 60:.1f} min'])
