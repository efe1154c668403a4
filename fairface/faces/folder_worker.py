"""What one worker process does: find or look up the landmarks of some photographs and write their aligned crops."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.images import encode_jpeg, encode_png
from fairface.errors import ConfigError, DataError
from fairface.faces.align import FILLS, align
from fairface.faces.detect import FaceDetector
from fairface.faces.detectors import MTCNN, check_names, make_detector
from fairface.faces.find import find_main
from fairface.faces.landmarks import Landmarks
from fairface.faces.layouts import ARCFACE, DLIB, LAYOUTS, SIZES
from fairface.faces.mtcnn import MtcnnConfig
from fairface.faces.photographs import read_photograph, too_large
from fairface.faces.rescue import find_or_rescue, last_resort
from fairface.files import atomic_write, inside

FORMATS = ("jpg", "png")


@dataclass(frozen=True)
class AlignConfig:
    """How to align: crop ``size`` in pixels, ``format`` and JPEG ``quality`` of the crops, ``fill`` outside the image.

    ``enlarge`` and ``border`` are those of :func:`fairface.faces.find.find_faces`. With ``rescue`` a photograph in
    which no face is found is tried again as :mod:`fairface.faces.rescue` says, and gets a crop in any case.
    ``detectors`` are names of :mod:`fairface.faces.detectors`, tried one after the other; ``detector`` is MTCNN's part.
    With ``count_faces`` all faces are looked for, to tell how many there are; without it MTCNN only finds the main one.
    ``layout`` is that of the crops (:mod:`fairface.faces.layouts`); dlib's has one size only, by which it is known.
    """

    size: int = 112
    format: str = "jpg"
    quality: int = 95
    fill: str = "black"
    enlarge: float = 1.0
    border: int = 0
    detector: MtcnnConfig = field(default_factory=MtcnnConfig)
    rescue: bool = False
    detectors: tuple[str, ...] = (MTCNN,)
    count_faces: bool = False
    layout: str = ARCFACE

    def __post_init__(self) -> None:
        limits = {"size": (16, 1024), "quality": (1, 100), "enlarge": (0.1, 16), "border": (0, 1000)}
        for key, (low, high) in limits.items():
            if not low <= getattr(self, key) <= high:
                raise ConfigError(f"{key} is {getattr(self, key)}; it must lie between {low} and {high}")
        for key, known in {"format": FORMATS, "fill": FILLS, "layout": LAYOUTS}.items():
            if getattr(self, key) not in known:
                raise ConfigError(f"{key} is {getattr(self, key)!r}; it must be one of {', '.join(known)}")
        if self.layout == DLIB and self.size != SIZES[DLIB]:
            raise ConfigError(f"size is {self.size}; crops for dlib's net have {SIZES[DLIB]} pixels")
        check_names(self.detectors)


@dataclass(frozen=True)
class Task:
    """Photographs ``names`` below ``source``; ``given`` are their known landmarks, ``None`` to run the detector."""

    source: Path
    target: Path
    names: tuple[str, ...]
    given: tuple[Landmarks | None, ...] | None
    config: AlignConfig


@dataclass(frozen=True)
class Outcome:
    """One photograph: its landmarks, or no ``row`` and the ``problem`` that it has."""

    name: str
    row: Landmarks | None
    problem: str = ""


def start_worker() -> None:
    """Set up a worker process: one thread, and Ctrl-C is left to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


def output_name(name: str, config: AlignConfig) -> str:
    """The crop's name: the photograph's with the output format's suffix."""
    return str(PurePosixPath(name).with_suffix(f".{config.format}"))


def align_task(task: Task, detector: FaceDetector | None = None) -> list[Outcome]:
    """Align the photographs of a task, in order, with ``detector`` or else with those that are named.

    Raises:
        DataError: a crop cannot be written. A photograph that cannot be read is an outcome, not an error.
    """
    if task.given is None and detector is None:
        detector = make_detector(task.config.detectors, task.config.detector)
    given = task.given or (None,) * len(task.names)
    return [_align_one(task, detector, name, row) for name, row in zip(task.names, given, strict=True)]


def _align_one(task: Task, detector: FaceDetector | None, name: str, given: Landmarks | None) -> Outcome:
    config = task.config
    try:
        rgb = read_photograph(task.source / name, name)
        if detector is None:
            row = _looked_up(name, given, config)
        elif config.rescue:
            row = find_or_rescue(detector, rgb, name, config.enlarge, config.border, config.count_faces)
        else:
            row = find_main(detector, rgb, name, config.enlarge, config.border, config.count_faces)
        crop = _crop(rgb, row, config)
    except (DataError, MemoryError, cv2.error) as error:
        return unusable(name, error)
    path = inside(task.target, output_name(name, config))
    if crop is None:
        path.unlink(missing_ok=True)  # an earlier run with other settings may have found a face
    else:
        with atomic_write(path) as file:
            file.write(_encode(crop, config))
    return Outcome(name, row)


def unusable(name: str, error: Exception) -> Outcome:
    """The outcome of a photograph that cannot be read, or on which memory ran out; anything else is raised again."""
    if isinstance(error, MemoryError) or (isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem):
        error = too_large(name)
    if not isinstance(error, DataError):
        raise error
    return Outcome(name, None, str(error).removeprefix(f"{name}: "))


def _looked_up(name: str, given: Landmarks | None, config: AlignConfig) -> Landmarks:
    """The given row; without points it says what becomes of the photograph now, whatever became of it before."""
    row = given or Landmarks(name, 0, None, None)
    return row if row.points is not None else replace(row, how="cropped" if config.rescue else "none")


def _crop(rgb: NDArray[np.uint8], row: Landmarks, config: AlignConfig) -> NDArray[np.uint8] | None:
    if row.points is not None:
        return align(rgb, row.points, config.size, config.fill, config.layout)
    return last_resort(rgb, config.size) if row.how == "cropped" else None


def _encode(rgb: NDArray[np.uint8], config: AlignConfig) -> bytes:
    return encode_jpeg(rgb, config.quality) if config.format == "jpg" else encode_png(rgb)
