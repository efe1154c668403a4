"""What is to be packed into TFRecords, named by a list of photographs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.missing import STOP, check_policy, find_missing, report_missing
from fairface.data.other_formats import other_format_hint
from fairface.data.packing.plan import Photo
from fairface.data.text_lines import read_lines
from fairface.errors import ROOT

Points = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class NamedPhotos:
    """``names`` as the list has them, ``photos`` in step, and ``notes`` for the user."""

    names: tuple[str, ...]
    photos: tuple[Photo, ...]
    notes: tuple[str, ...]


def read_image_list(path: str | os.PathLike[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Names and line numbers of a list with one photograph a line.

    Raises:
        DataError: the list cannot be read.
    """
    return read_lines(Path(path), "with the path of one photograph")


def plan_names(
    path: str | os.PathLike[str],
    root: str | os.PathLike[str] = ".",
    points: Points | None = None,
    on_missing: str = STOP,
) -> NamedPhotos:
    """The photographs of a list, with their landmarks where ``points`` are given.

    Args:
        path: the list, one path a line, absolute or below ``root``.
        root: the folder.
        points: landmarks by the names of the list; every photograph then needs some.
        on_missing: ``stop`` or ``skip`` photographs that are not there or have no landmarks.

    Raises:
        DataError: the list cannot be read, or photographs or landmarks are missing and may not be left out.
    """
    check_policy(on_missing)
    names, lines = read_image_list(path)
    gone = find_missing(Path(root), names).tolist()
    remedy = "correct the list or its folder"
    hint = other_format_hint(root, [names[i] for i in gone])
    notes = report_missing(str(path), _name(names, lines, gone), len(names), on_missing, remedy, (ROOT,), hint)
    pointless = [i for i, name in enumerate(names) if name not in points] if points is not None else []
    notes += report_missing(
        f"{path}: landmarks", _name(names, lines, pointless), len(names), on_missing, "add them (make_pts_list.py)"
    )
    left_out = {*gone, *pointless}
    kept = [i for i in range(len(names)) if i not in left_out]
    photos = [
        Photo(os.path.join(root, names[i]), 0, int(lines[i]), (), points[names[i]] if points is not None else None)
        for i in kept
    ]
    return NamedPhotos(tuple(names[i] for i in kept), tuple(photos), notes)


def _name(names: Sequence[str], lines: NDArray[np.int64], positions: Sequence[int]) -> list[str]:
    return [f"line {lines[i]}: {names[i]}" for i in positions]
