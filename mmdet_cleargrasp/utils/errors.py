"""Exceptions whose message is meant for the user."""

from __future__ import annotations


class UserError(Exception):
    """Base class of errors that a user can fix.

    The message says what was found, what was expected and what to do. The command lines print only
    the message (:mod:`mmdet_cleargrasp.cli.command`); Python code can catch the exception.
    """


class CheckpointError(UserError):
    """A checkpoint is missing, unreadable, unsafe or of another network."""


class DataError(UserError):
    """A data set, image or other input file is missing, malformed or does not match the config."""


class ConfigError(UserError):
    """A config, option or output path is invalid."""


class TrainingError(UserError):
    """A training run cannot continue."""


class InstallationError(UserError, ImportError):
    """Installed packages are missing or do not work together."""


class Terminated(KeyboardInterrupt):
    """Raised in the main thread on SIGTERM, so that a command cleans up as on Ctrl-C."""
