"""What the command lines have in common."""

import argparse
import os


def new_parser(description: str, examples: str) -> argparse.ArgumentParser:
    """A parser whose help ends in examples, with the lines as they are written."""
    return argparse.ArgumentParser(
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the config and what changes it."""
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--data-root',
        metavar='DIR',
        help='a folder of your own data with COCO annotations; classes and their number come from '
        'there and are set everywhere they are needed',
    )
    add_cfg_options(parser)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add what changes single values of a config."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=_KeyValues,
        metavar='KEY=VALUE',
        help='values that replace those of the config, such as train_dataloader.batch_size=4',
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add where a run writes and how its processes were started."""
    parser.add_argument('--work-dir', help='where everything goes [work_dirs/CONFIG]')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def add_training(parser: argparse.ArgumentParser) -> None:
    """Add a training's length, precision and where it goes on from."""
    parser.add_argument('--epochs', type=int, help="length of the run [the config's]")
    parser.add_argument('--amp', action='store_true', help='mixed precision; bfloat16 on a CPU')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from a checkpoint, or from the latest in the work dir',
    )


def set_local_rank(args: argparse.Namespace) -> None:
    """Tell mmengine this process's number on its machine, where the launcher did not."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))


class _KeyValues(argparse.Action):
    """mmengine's reading of KEY=VALUE, with argparse's kind of error."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: list[str],
        option_string: str | None = None,
    ) -> None:
        for value in values:
            if '=' not in value:
                parser.error(f'{option_string} {value}: expected KEY=VALUE')
        from mmengine.config import DictAction  # late: it takes seconds, and --help none

        read = DictAction(self.option_strings, self.dest)
        read(parser, namespace, values, option_string)
