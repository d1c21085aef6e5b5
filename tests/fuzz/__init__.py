"""Random attacks on the commands and readers; ``python -m tests.fuzz --help``."""
