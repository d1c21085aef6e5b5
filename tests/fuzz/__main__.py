"""Attack the commands and readers with random damage, for as long as you like.

    python -m tests.fuzz                                  # a few minutes
    python -m tests.fuzz annotations images --seconds 3600
    python -m tests.fuzz annotations --seed 3 --first 127 --count 1   # one case again

targets: annotations (to_coco.py), images, checkpoints, flips (of bits in checkpoints) and kills of
train, test, infer, to_coco, render, export and experiment, such as kills:train.

The exit status is 1 at the first fault: a traceback, a hang, damage that is read as if it were whole,
half a result that looks finished, another result after a rerun, or files left behind. The last line
names the case; what it had written stays in --folder. A crash of the interpreter ends with a signal.
"""

from __future__ import annotations

import argparse
import importlib
import resource
import sys
import tempfile
from collections import Counter
from pathlib import Path

from mmdet_cleargrasp.cli.arguments import at_least

from .runs import Found, run_cases

#: Targets with the number of cases of a run without ``--count``.
COUNTS = {'annotations': 1000, 'images': 1000, 'checkpoints': 1000, 'flips': 500}
KILLED = ('train', 'test', 'infer', 'to_coco', 'render', 'export', 'experiment')
KILLS = 3


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog='python -m tests.fuzz',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    targets = [*COUNTS, 'kills', *(f'kills:{name}' for name in KILLED)]
    parser.add_argument('targets', nargs='*', choices=[*targets, []], metavar='TARGET')
    parser.add_argument('--seconds', type=float, default=float('inf'), help='limit of each target')
    parser.add_argument(
        '--count', type=at_least(1), help='cases of each target, kills of each command'
    )
    parser.add_argument('--seed', type=int, default=0, help='random seed [0]')
    parser.add_argument('--first', type=at_least(0), default=0, help='number of the first case [0]')
    parser.add_argument('--folder', type=Path, help='working folder [a temporary one]')
    return parser


def run_target(target: str, folder: Path, args: argparse.Namespace) -> Counter[str]:
    """Run a target in a folder and return how often each outcome was."""
    kind, _, command = target.partition(':')
    # An hour of a target whose cases are not counted ends by its seconds.
    endless = args.seconds < float('inf') and not args.count
    count = args.count or (10**9 if endless else COUNTS.get(kind, KILLS))
    module = importlib.import_module(f'{__package__}.{kind}')
    if kind == 'kills':
        space = module.Space(folder)
        return module.fuzz_command(
            command, space, seed=args.seed, count=count, seconds=args.seconds
        )
    if kind == 'checkpoints':
        return module.fuzz(folder, seed=args.seed, count=count, seconds=args.seconds)
    work = folder / 'case'
    work.mkdir()
    return run_cases(
        module.make_case(folder), work, seed=args.seed, first=args.first, count=count,
        seconds=args.seconds,
    )  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Run the targets; returns 1 at the first fault."""
    args = make_parser().parse_args(argv)
    folder = args.folder or Path(tempfile.mkdtemp(prefix='fuzz_'))
    for target in args.targets or [*COUNTS, 'kills']:
        for each in [f'kills:{name}' for name in KILLED] if target == 'kills' else [target]:
            place = Path(folder) / each.replace(':', '_')
            place.mkdir(parents=True)
            try:
                outcomes = run_target(each, place, args)
            except Found as fault:
                print(f'{each}: FOUND {fault}')
                return 1
            for outcome, number in sorted(outcomes.items()):
                print(f'{number:8d} {each}: {outcome}')
            print(f'{sum(outcomes.values()):8d} {each}, no fault', flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f'peak of memory {peak / 1024:.0f} MB; files in {folder}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
