"""Print shell completion for ``mmdet-cleargrasp``: tools, options and files."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from .arguments import new_parser
from .command import command

EXAMPLES = """
examples:
  eval "$(mmdet-cleargrasp completion)"                # bash; add it to ~/.bashrc
  eval "$(mmdet-cleargrasp completion zsh)"            # zsh; add it to ~/.zshrc, after compinit
  mmdet-cleargrasp completion fish > ~/.config/fish/completions/mmdet-cleargrasp.fish
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('shell', nargs='?', default='bash', choices=('bash', 'zsh', 'fish'))
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Print the completion code.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        Exit status.
    """
    args = make_parser().parse_args(argv)

    import argcomplete

    print(argcomplete.shellcode(['mmdet-cleargrasp'], shell=args.shell))
    return 0


def complete(tools: Sequence[str]) -> None:
    """Print the completions of the command line in the environment, and exit.

    Args:
        tools: Names of the tools, which are modules of this package.
    """
    import argcomplete

    parser = argparse.ArgumentParser('mmdet-cleargrasp')
    commands = parser.add_subparsers()
    for tool in tools:
        sys.argv = [f'mmdet-cleargrasp {tool}']
        options = importlib.import_module(f'{__package__}.{tool}').make_parser()
        commands.add_parser(tool, parents=[options], add_help=False)
    argcomplete.autocomplete(parser)
