"""A few photographs by name, and the main face of each. No MXNet."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.image_kinds import LeftOut
from fairface.errors import DataError
from fairface.faces.align import adapted, align
from fairface.faces.detect import FaceDetector
from fairface.faces.find import find_main
from fairface.faces.folder_worker import unusable
from fairface.faces.layouts import ARCFACE
from fairface.faces.photographs import list_photographs, read_photograph


@dataclass(frozen=True)
class MainFaces:
    """The main face of every photograph that shows one.

    Attributes:
        names: of the photographs with a face.
        crops: their faces, aligned, uint8 RGB.
        left_out: name and reason of every other photograph.
        notes: what else a user should know, a line each.
    """

    names: tuple[str, ...]
    crops: tuple[NDArray[np.uint8], ...]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def find_photographs(given: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The photographs that files and folders stand for, each once, in order; and what a user should know.

    Raises:
        DataError: a file or folder that is not there, or a folder without a photograph.
    """
    found: dict[str, str] = {}
    notes: list[str] = []
    for name in given:
        if Path(name).is_dir():
            inside, others = list_photographs(name)
            notes += LeftOut.of(others).notes(name)
            paths = [os.path.join(name, file) for file in inside]
        elif Path(name).is_file():
            paths = [name]
        else:
            raise DataError(f"{name}: no such file or folder; name photographs, or a folder of them")
        for path in paths:
            first = found.setdefault(os.path.realpath(path), path)
            if first is not path:
                notes.append(f"{path}: is {first} once more; it is used once")
    return tuple(found.values()), tuple(notes)


def main_faces(
    photographs: Sequence[str], size: int, detector: FaceDetector | None,
    on_done: Callable[[int], object] = lambda count: None, layout: str = ARCFACE,
) -> MainFaces:  # fmt: skip
    """Find and align the main face of every photograph; one that cannot be used is left out with its reason.

    Args:
        photographs: paths.
        size: height and width of the crops.
        detector: finds the faces; ``None``: the photographs are aligned crops of this size already.
        on_done: is told 1 after every photograph.
        layout: of the crops (:mod:`fairface.faces.layouts`).
    """
    crops: dict[str, NDArray[np.uint8]] = {}
    left_out: list[tuple[str, str]] = []
    notes: list[str] = []
    for name in photographs:
        try:
            rgb = read_photograph(Path(name), name)
            crop, faces = _face(rgb, name, size, detector, layout)
        except (DataError, MemoryError, cv2.error) as error:
            left_out.append((name, unusable(name, error).problem))
        else:
            crops[name] = crop
            notes += [f"{name}: shows {faces} faces; the main one is used"] if faces > 1 else []
        on_done(1)
    return MainFaces(tuple(crops), tuple(crops.values()), tuple(left_out), tuple(notes))


def _face(
    rgb: NDArray[np.uint8], name: str, size: int, detector: FaceDetector | None, layout: str
) -> tuple[NDArray[np.uint8], int]:
    """The aligned crop, and how many faces there are."""
    height, width = rgb.shape[:2]
    if detector is None:
        crop = adapted(rgb, size, layout)
        if crop.shape[:2] != (size, size):
            raise DataError(f"{width}x{height} pixels, not {size}x{size}: no aligned crop for this model")
        return crop, 1
    found = find_main(detector, rgb, name)
    if found.points is None:
        raise DataError(f"no face found in {width}x{height} pixels")
    return align(rgb, found.points, size, layout=layout), found.faces or 1
