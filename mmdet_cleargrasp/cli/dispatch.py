"""The commands ``mmdet-cleargrasp TOOL …`` and ``python -m mmdet_cleargrasp TOOL …``."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from .command import command
from .completion import complete

#: Tools, in the order in which they are listed: names of modules in this package.
TOOLS = (
    'train',
    'test',
    'infer',
    'app',
    'export',
    'doctor',
    'run_experiment',
    'compare_runs',
    'analyze_logs',
    'browse_dataset',
    'to_coco',
    'draw_toy_plates',
    'render_plates',
    'pretrain',
    'draw_pretraining',
    'publish_detector',
    'extract_backbone',
    'random_backbone',
    'mmdet',
    'completion',
)

#: Beginning of the help.
USAGE = """usage: mmdet-cleargrasp TOOL [ARGUMENT ...]

tools (TOOL --help shows options and examples):
"""


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run a tool, or list all tools.

    Args:
        argv: Name of a tool and its arguments; those of the process by default.

    Returns:
        Exit status.
    """
    if '_ARGCOMPLETE' in os.environ:  # called by shell completion
        complete(TOOLS)
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ('-h', '--help'):
        print(USAGE + list_tools())
        return 0
    name = arguments[0].replace('-', '_')
    if name not in TOOLS:
        print(
            f'mmdet-cleargrasp: error: {arguments[0]!r} is not a tool of this project. '
            'mmdet-cleargrasp --help lists them; for a script of MMDetection, run '
            'mmdet-cleargrasp mmdet SCRIPT',
            file=sys.stderr,
        )
        return 2
    sys.argv = [f'mmdet-cleargrasp {name}', *arguments[1:]]
    return int(importlib.import_module(f'{__package__}.{name}').main())


def list_tools() -> str:
    """Return the names and summaries of all tools, one per line."""
    return '\n'.join(f'  {name:18}{summary(name)}' for name in TOOLS)


def summary(name: str) -> str:
    """Return the summary of a tool, the first line of its module's docstring.

    Args:
        name: One of :data:`TOOLS`.

    Example:
        >>> summary('train')
        'Train a detector.'
    """
    return (importlib.import_module(f'{__package__}.{name}').__doc__ or '').splitlines()[0]
