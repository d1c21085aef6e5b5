"""Run any script that MMDetection ships, with the plugin in place.

MMDetection's scripts import operators before they read a config, so that ``custom_imports`` comes
too late for them where mmcv was installed without its compiled operators.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import mmdet

from .utils.errors import ConfigError, friendly_exit

TOOLS_DIR = Path(mmdet.__file__).parent / '.mim' / 'tools'

USAGE = """usage: python -m mmdet_cleargrasp TOOL [ARGUMENT ...]

Runs a script that MMDetection ships, with this plugin's types and operators in place:
  python -m mmdet_cleargrasp analysis_tools/get_flops configs/frcnn_cleargrasp_plates.py
  python -m mmdet_cleargrasp analysis_tools/confusion_matrix CONFIG predictions.pkl OUT_DIR
  python -m mmdet_cleargrasp misc/print_config configs/frcnn_cleargrasp_plates.py
The folder may be left out where the name is clear; TOOL --help tells a script's arguments.

scripts:
"""


def list_tools() -> list[str]:
    """Names of MMDetection's scripts, as paths without ``.py``.

    Example:
        >>> 'analysis_tools/confusion_matrix' in list_tools()
        True
    """
    scripts = (path.relative_to(TOOLS_DIR).with_suffix('') for path in TOOLS_DIR.rglob('*.py'))
    return sorted(script.as_posix() for script in scripts)


def find_tool(name: str) -> Path:
    """The script of a name.

    Args:
        name: As :func:`list_tools` gives it, or its last part where that is clear.

    Raises:
        ConfigError: No script of the name, or several.

    Example:
        >>> find_tool('get_flops').name
        'get_flops.py'
    """
    name = name.removesuffix('.py')
    tools = list_tools()
    hits = [tool for tool in tools if tool == name] or [
        tool for tool in tools if tool.split('/')[-1] == name
    ]
    if len(hits) != 1:
        found = f'several scripts: {", ".join(hits)}' if hits else 'no script of MMDetection'
        raise ConfigError(f'{name!r} is {found}. python -m mmdet_cleargrasp lists them.')
    return TOOLS_DIR / f'{hits[0]}.py'


def main() -> None:
    """List the scripts, or run one."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ('-h', '--help'):
        print(USAGE + '\n'.join(f'  {tool}' for tool in list_tools()))
        return
    with friendly_exit():
        script = find_tool(arguments[0])
        sys.argv = [str(script), *arguments[1:]]
        # As python does for a script: some import their neighbors.
        sys.path.insert(0, str(script.parent))
        runpy.run_path(str(script), run_name='__main__')


if __name__ == '__main__':
    main()
