"""Train and test arms x seeds x subsets of the training images; run again to resume."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .arguments import new_parser
from .command import command

EXAMPLES = """
examples:
  python tools/run_experiment.py configs/experiments/example.yaml --dry-run
  python tools/run_experiment.py configs/experiments/example.yaml
  python tools/run_experiment.py my_experiment.yaml --slurm
  python tools/analysis_tools/compare_runs.py work_dirs/example

writes WORK_DIR/ARM/fraction-100/seed-0/ and so on, one folder per run; see docs/comparison.md
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('spec', help='YAML spec of the experiment')
    parser.add_argument('--work-dir', help='folder for all output [work_dirs/NAME]')
    parser.add_argument(
        '--dry-run', action='store_true', help='check and list the runs without starting them'
    )
    parser.add_argument(
        '--slurm',
        nargs='?',
        const='slurm',
        choices=['slurm', 'local'],
        help='submit the runs as Slurm jobs with submitit; `local` runs all jobs on this machine',
    )
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        Exit status.
    """
    args = make_parser().parse_args(argv)

    from rich.console import Console

    from ..experiments import jobs, listing, local, slurm
    from ..experiments.spec import read_experiment
    from ..utils.errors import ConfigError

    console = Console()
    failures = []
    spec = read_experiment(args.spec)
    root = Path(args.work_dir or Path('work_dirs') / spec.name)
    plan = jobs.plan_experiment(spec, root)
    errors = listing.print_findings(console, jobs.check_arms(plan))
    if args.dry_run:
        listing.print_plan(console, plan)
    if errors:
        raise ConfigError(f'{errors} error(s); no run was started')
    if args.dry_run:
        jobs.refuse_changed(plan)
        return 0
    jobs.write_plan(plan)
    if args.slurm:
        ids = slurm.submit(spec, plan.jobs, root, args.slurm)
        for name, number in ids.items():
            console.print(f'job {number}: {name}', markup=False, highlight=False)
        text = f'submitted {len(ids)} run(s); logs are in {root / "slurm"}'
        console.print(text, markup=False)
    else:
        failures = local.run_here(plan.jobs, console)
    for job, reason in failures:
        print(f'\nerror: {job.name}: {reason}', file=sys.stderr)
    if plan.folds:
        from ..experiments.pooling import pool_folds, summarize

        pooled = pool_folds(plan)
        for line in summarize(pooled) if pooled else ():
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    complete = listing.count_complete(plan.jobs)
    print(f'\n{complete} of {len(plan.jobs)} runs are complete; output is in {root}')
    if complete:
        print(f'next: python tools/analysis_tools/compare_runs.py {root}')
    return 1 if failures else 0
