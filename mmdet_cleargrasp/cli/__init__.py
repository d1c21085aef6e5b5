"""The command lines, one module each; ``tools/*.py`` and ``mmdet-cleargrasp TOOL`` call them.

Each module has ``main(argv) -> int`` and imports little at its top, so that ``--help`` and a wrong
option answer at once.
"""
