"""Errors that a user can act on."""

from __future__ import annotations


class UserError(Exception):
    """A mistake in what the user gave: its text says what was found, expected and to be done.

    The command lines print only the text (:mod:`mmdet_cleargrasp.cli.command`); Python callers can
    catch it.
    """


class CheckpointError(UserError):
    """A checkpoint that is absent, unreadable, unsafe or made for another network."""


class DataError(UserError):
    """A data set that is absent, malformed or at odds with the configuration."""


class ConfigError(UserError):
    """A configuration or command line that cannot work."""


class TrainingError(UserError):
    """A training that cannot go on."""


class InstallationError(UserError, ImportError):
    """Installed packages that cannot work together."""


class Terminated(KeyboardInterrupt):
    """SIGTERM during a command, which ends it in order as Ctrl-C does."""
