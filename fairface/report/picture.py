"""Pictures drawn with matplotlib, which only they need: an empty figure, and the finished one written whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fairface.errors import ConfigError, MissingPackageError
from fairface.extras import remedy
from fairface.files import atomic_write

SUFFIXES = (".png", ".pdf", ".svg")


def new_figure(path: str | os.PathLike[str], width: float, height: float) -> Any:
    """An empty figure of ``width`` x ``height`` inches, to be written to ``path``.

    Raises:
        ConfigError: ``path`` is another kind of picture.
        MissingPackageError: matplotlib is not installed.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path}: pictures are written as {', '.join(SUFFIXES)}; choose a name with such a suffix")
    try:
        from matplotlib.figure import Figure  # here: only pictures need it, and it is not always installed
    except ImportError as error:
        raise MissingPackageError(f"{path}: drawing needs matplotlib; {remedy('matplotlib')}") from error
    return Figure(figsize=(width, height), layout="constrained")


def check_picture(path: str | os.PathLike[str]) -> None:
    """Refuse, before anything is computed, a picture that could not be written.

    Raises:
        ConfigError: another kind of picture, or its folder is not there.
        MissingPackageError: matplotlib is not installed.
    """
    new_figure(path, 1, 1)
    if not Path(path).parent.is_dir():
        raise ConfigError(f"{path}: there is no folder {Path(path).parent}; create it, or name another one")


def drawn(path: str | os.PathLike[str], what: str) -> str:
    """The line that says that ``what`` stands in the picture."""
    return f"drawn: {what}, in {path}"


def save_figure(path: str | os.PathLike[str], figure: Any, dpi: int = 150) -> None:
    """Write the picture, whole or not at all, in the format that ``path`` ends with.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_write(path) as file:
        figure.savefig(file, format=Path(path).suffix.lower()[1:], dpi=dpi)
