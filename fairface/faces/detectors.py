"""The detectors that need nothing but a name, and several of them tried one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.errors import ConfigError
from fairface.faces.centerface import CenterFaceDetector
from fairface.faces.centerface_source import centerface_net
from fairface.faces.choose import only_main
from fairface.faces.detect import FaceDetector, Faces, LimitedDetector
from fairface.faces.find import look
from fairface.faces.mtcnn import MtcnnConfig, MtcnnDetector

MTCNN, CENTERFACE = "mtcnn", "centerface"
NAMES = (MTCNN, CENTERFACE)
SPELLING = f"{', '.join(NAMES)}, several with commas in the order of trying, or PREFIX,EPOCH of a RetinaFace model"


def named_detectors(text: str) -> tuple[str, ...] | None:
    """The names in ``mtcnn``, ``centerface`` or ``mtcnn,centerface``; ``None`` where the text is ``prefix,epoch``.

    An epoch is a number and no detector's name is one, so the two cannot be confused.

    Raises:
        ConfigError: neither of both, or a detector twice.
    """
    names = tuple(part.strip() for part in text.split(","))
    if len(names) > 1 and names[-1].isdecimal():
        return None
    check_names(names)
    return names


def check_names(names: Sequence[str]) -> None:
    """Refuse names of no detector.

    Raises:
        ConfigError: there is such a name, none at all, or one twice.
    """
    for name in names:
        if name not in NAMES:
            raise ConfigError(f"detector is {name!r}; it must be {SPELLING}")
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"detectors are {','.join(names) or 'none'}; name each once that is to be tried")


def make_detector(names: Sequence[str], mtcnn: MtcnnConfig) -> FaceDetector:
    """The detector of these ``names``; of several the first that finds a face in an image counts.

    Raises:
        ConfigError: see :func:`check_names`.
        DeviceError: a net does not run.
        MissingPackageError: a net cannot be had.
    """
    check_names(names)
    made: list[FaceDetector] = [MtcnnDetector(mtcnn) if name == MTCNN else CenterFaceDetector() for name in names]
    return made[0] if len(made) == 1 else FirstDetector(made)


def fetch_nets(names: Sequence[str]) -> None:
    """Download what is missing, before several processes would do so at once.

    Raises:
        MissingPackageError: a net cannot be had.
    """
    if CENTERFACE in names:
        centerface_net()


class FirstDetector:
    """A :class:`~fairface.faces.detect.MainFaceDetector` of several: the first that finds a face in an image counts."""

    def __init__(self, detectors: Sequence[FaceDetector]) -> None:
        self._detectors = tuple(detectors)

    def detect(self, rgb: NDArray[np.uint8]) -> Faces:
        """The faces that the first detector sees, if it sees none the second, and so on."""
        return self._first(rgb, count=True)

    def detect_main(self, rgb: NDArray[np.uint8]) -> Faces:
        """The main face that the first detector sees, if it sees none the second, and so on."""
        height, width = rgb.shape[:2]
        return only_main(self._first(rgb, count=False), width, height)

    def without_limit(self) -> FaceDetector:
        """The same detectors for images of the size that they have."""
        return FirstDetector(
            [one.without_limit() if isinstance(one, LimitedDetector) else one for one in self._detectors]
        )

    def _first(self, rgb: NDArray[np.uint8], count: bool) -> Faces:
        faces = Faces.none()
        for detector in self._detectors:
            faces = look(detector, rgb, count)
            if len(faces):
                break
        return faces
