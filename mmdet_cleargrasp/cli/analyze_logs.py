"""Plot training curves or print training times, from work dirs or JSON logs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .arguments import new_parser
from .command import command

EXAMPLES = """
examples:
  python tools/analysis_tools/analyze_logs.py plot_curve work_dirs/frcnn_cleargrasp_plates \\
      --keys loss_cls loss_bbox --out losses.png
  python tools/analysis_tools/analyze_logs.py plot_curve RUN_A RUN_B --keys bbox_mAP \\
      --legend ClearGrasp random --out map.png
  python tools/analysis_tools/analyze_logs.py cal_train_time work_dirs/frcnn_cleargrasp_plates
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    tasks = parser.add_subparsers(dest='task', required=True)
    plot = tasks.add_parser('plot_curve', help='plot logged values')
    plot.add_argument('json_logs', nargs='+', help='work dirs or JSON logs')
    plot.add_argument('--keys', nargs='+', default=['bbox_mAP'], help='values to plot [bbox_mAP]')
    plot.add_argument('--start-epoch', type=int, default=1, help='epoch to start from [1]')
    plot.add_argument('--title', help='title of the plot')
    plot.add_argument('--legend', nargs='+', help='one name per curve, in the order of the runs')
    plot.add_argument('--out', default='curves.png', help='image to write [curves.png]')
    times = tasks.add_parser('cal_train_time', help='seconds per training step, by epoch')
    times.add_argument('json_logs', nargs='+', help='work dirs or JSON logs')
    times.add_argument(
        '--include-outliers',
        action='store_true',
        help='include the first step of each epoch',
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

    from ..visualization.training_curves import plot_curves, train_times
    from ..visualization.training_logs import read_run

    if args.task == 'plot_curve':
        plot_curves(args.json_logs, args.keys, args.out, args.legend, args.title, args.start_epoch)
        print(f'wrote {Path(args.out)}')
        return 0
    for log in args.json_logs:
        print_times(log, train_times(read_run(log), args.include_outliers))
    return 0


def print_times(log: str, times: dict[int, float]) -> None:
    """Print the slowest and fastest epoch, and mean and standard deviation over epochs.

    Args:
        log: Name of the log.
        times: Seconds per training step, by epoch.
    """
    slowest, fastest = max(times, key=times.__getitem__), min(times, key=times.__getitem__)
    mean = sum(times.values()) / len(times)
    deviation = (sum((value - mean) ** 2 for value in times.values()) / len(times)) ** 0.5
    print(f'-----Analyze train time of {log}-----')
    print(f'slowest epoch {slowest}, average time is {times[slowest]:.4f} s/iter')
    print(f'fastest epoch {fastest}, average time is {times[fastest]:.4f} s/iter')
    print(f'time std over epochs is {deviation:.4f}')
    print(f'average iter time: {mean:.4f} s/iter\n')
