"""Which files of a long list are not there, and what becomes of the list then."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.config.limits import check_value, limit_of
from fairface.config.schema import DataConfig
from fairface.errors import SKIP_MISSING, DataError
from fairface.quantity import agree, quantity

STOP, SKIP = "stop", "skip"
NAMES_ALL = "data_process/inspect_data.py names them all"
_FEW = 16  # files of one folder; fewer are looked up one by one, more by listing the folder
_SHOWN = 5


def find_missing(root: Path, names: Sequence[str]) -> NDArray[np.int64]:
    """Positions of the names that are no file below ``root`` (a link that leads nowhere is none).

    Folders are listed rather than files asked for one by one, which takes a fraction of the time.
    """
    by_folder: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        by_folder.setdefault(name.rpartition("/")[0], []).append(position)
    missing: list[int] = []
    for folder, positions in by_folder.items():
        if len(positions) < _FEW:
            missing += [i for i in positions if not os.path.isfile(os.path.join(root, names[i]))]
        else:
            there = _files(os.path.join(root, folder))
            missing += [i for i in positions if names[i].rpartition("/")[2] not in there]
    return np.array(sorted(missing), np.int64)


def _files(folder: str) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if entry.is_file()}
    except OSError:
        return set()


def check_policy(on_missing: str) -> None:
    """Raise a ConfigError unless ``on_missing`` is ``stop`` or ``skip``."""
    check_value(on_missing, limit_of(DataConfig, "on_missing"), "data.on_missing")


def report_missing(
    source: str,
    named: Sequence[str],
    total: int,
    on_missing: str,
    remedy: str,
    settings: tuple[str, ...] = (),
    hint: str = "",
) -> tuple[str, ...]:
    """A note for the user where missing files are left out; an error where they are not.

    Args:
        source: the list, for people.
        named: how to name each missing file to a person.
        total: files of the list.
        on_missing: ``stop`` or ``skip``.
        remedy: what to do about it.
        settings: what else a program may offer (:data:`fairface.errors.SETTINGS`), besides leaving them out.
        hint: what is there instead (:func:`fairface.data.other_formats.other_format_hint`).

    Raises:
        DataError: files are missing and ``on_missing`` is ``stop``, or all of them are missing.
    """
    if not named:
        return ()
    shown = "; ".join(named[:_SHOWN]) + ("; …" if len(named) > _SHOWN else "")
    if on_missing == STOP or len(named) == total:
        raise DataError(
            f"{source}: {len(named)} of {quantity(total, 'file')} {agree(len(named), 'is', 'are')} missing: {shown}; "
            f"{hint}{remedy}",
            settings=(*settings, SKIP_MISSING) if len(named) < total else settings,
        )
    note = (
        f"warning: {source}: {len(named)} of {quantity(total, 'file')} "
        f"{agree(len(named), 'is missing and was', 'are missing and were')} left out: {shown}; {hint}"
    )
    return (note.removesuffix("; "),)
