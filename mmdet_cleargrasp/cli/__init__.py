"""The command lines, one module each, which ``tools/*.py`` and ``mmdet-cleargrasp TOOL`` call.

A module has ``make_parser()`` and ``main(argv)``, which returns the exit status. Frameworks are
imported in ``main`` after the options are parsed, so that ``--help`` and invalid options are fast.
"""
