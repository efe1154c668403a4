"""The errors that a user can meet.

Each message is one line and says which file and record, what is wrong and what to do. Programs print it without a
traceback and exit with code 2 (see :func:`fairface.cli.run`).
"""


class FairfaceError(Exception):
    """Base of every error that a user can fix."""


class ConfigError(FairfaceError):
    """A configuration key or value that cannot be used."""


class DataError(FairfaceError):
    """A data file, record or list that cannot be used."""


class CheckpointError(FairfaceError):
    """A checkpoint that is missing, damaged or does not fit."""


class DeviceError(FairfaceError):
    """A device (GPU, CPU context) that is not there or does not work."""


class TrainingError(FairfaceError):
    """Training that cannot go on, such as a loss that is not finite."""


class MissingPackageError(FairfaceError, ImportError):
    """A package that is not installed; the message names the command that installs it (:mod:`fairface.extras`)."""
