"""Run one of MMDetection's scripts with this project's types registered.

MMDetection's scripts import mmcv's operators before they read a config. With mmcv-lite this fails
before ``custom_imports`` is evaluated, so the operators have to be provided before.
"""

from __future__ import annotations

import argparse
import importlib.util
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from ..utils.errors import ConfigError
from .arguments import new_parser
from .command import command

EXAMPLES = """
examples:
  mmdet-cleargrasp mmdet analysis_tools/get_flops configs/frcnn_cleargrasp_plates.py
  mmdet-cleargrasp mmdet analysis_tools/confusion_matrix CONFIG predictions.pkl OUT_DIR
  mmdet-cleargrasp mmdet misc/print_config configs/frcnn_cleargrasp_plates.py
  mmdet-cleargrasp mmdet get_flops --help

The folder may be omitted if the name is unique. The scripts are:
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    scripts = list_scripts()
    listed = '\n'.join(f'  {script}' for script in scripts)
    parser = new_parser(__doc__, EXAMPLES + listed)
    parser.add_argument('script', metavar='SCRIPT', help='path or name, without .py')
    parser.add_argument('arguments', nargs=argparse.REMAINDER, metavar='...', help='its arguments')
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run a script of MMDetection.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        Exit status.
    """
    args = make_parser().parse_args(argv)
    script = find_script(args.script)

    from ..engine.runner import safe_files

    sys.argv = [str(script), *args.arguments]
    # As for `python script.py`: some scripts import modules from their folder.
    sys.path.insert(0, str(script.parent))
    with safe_files():
        runpy.run_path(str(script), run_name='__main__')
    return 0


def scripts_dir() -> Path:
    """Return the folder of the scripts in the installed MMDetection, without importing it.

    Raises:
        ConfigError: MMDetection is not installed.
    """
    spec = importlib.util.find_spec('mmdet')
    if spec is None or spec.origin is None:
        raise ConfigError("MMDetection is not installed: pip install 'mmdet>=3.3,<3.4'")
    return Path(spec.origin).parent / '.mim' / 'tools'


def list_scripts() -> list[str]:
    """Return the names of MMDetection's scripts, as paths without ``.py``.

    Example:
        >>> 'analysis_tools/confusion_matrix' in list_scripts()
        True
    """
    folder = scripts_dir()
    return sorted(
        path.relative_to(folder).with_suffix('').as_posix() for path in folder.rglob('*.py')
    )


def find_script(name: str) -> Path:
    """Find a script by name.

    Args:
        name: Name from :func:`list_scripts`, or its last part if that is unique.

    Raises:
        ConfigError: No script or several scripts match.

    Example:
        >>> find_script('get_flops').name
        'get_flops.py'
    """
    name = name.removesuffix('.py')
    scripts = list_scripts()
    hits = [script for script in scripts if script == name] or [
        script for script in scripts if script.split('/')[-1] == name
    ]
    if len(hits) != 1:
        found = f'several scripts: {", ".join(hits)}' if hits else 'no script of MMDetection'
        raise ConfigError(f'{name!r} is {found}. mmdet-cleargrasp mmdet --help lists them.')
    return scripts_dir() / f'{hits[0]}.py'
