"""The errors that a user can meet.

Each message is one line and says which file and record, what is wrong and what to do. Programs print it without a
traceback and exit with code 2 (see :func:`fairface.cli.run`).
"""

# What a user may allow or tell so that a program goes on, as a training run's configuration calls it.
RESIZE, SKIP_BAD, SKIP_MISSING = "data.resize=true", "data.on_bad_record=skip", "data.on_missing=skip"
ROOT = "data.root=FOLDER"
SETTINGS = {
    ROOT: "name the folder that its paths are below",
    RESIZE: "have images resized",
    SKIP_BAD: "leave such records out",
    SKIP_MISSING: "leave them out",
}


class FairfaceError(Exception):
    """Base of every error that a user can fix.

    ``settings``, keys of :data:`SETTINGS`, would let some programs go on; the message does not name them, since each
    program calls them otherwise or has none (see :func:`fairface.cli.describe`).
    """

    def __init__(self, message: str = "", *, settings: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.settings = settings


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

    def __init__(self, message: str = "", *, name: str | None = None) -> None:
        super().__init__(message)
        self.name = name
