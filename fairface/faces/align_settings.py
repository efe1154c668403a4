"""The settings of an alignment run in align.json, so that a run is taken up again with the same ones only."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from fairface.errors import DataError
from fairface.faces.detect import FaceDetector
from fairface.faces.folder_worker import AlignConfig
from fairface.files import atomic_write
from fairface.parsing import parse_json

SETTINGS = "align.json"
# Settings that files of earlier versions lack, with the value that those versions worked by.
_ADDED = {"rescue": False, "detectors": ["mtcnn"], "count_faces": True, "layout": "arcface"}


def settings_of(config: AlignConfig, landmarks_given: bool, detector: FaceDetector | None) -> dict[str, Any]:
    """What decides the result, as JSON holds it.

    A ``detector`` that was given stands in the place of MTCNN's settings: its class, and what its ``config`` says where
    that is a dataclass.
    """
    settings: dict[str, Any] = {**asdict(config), "landmarks_given": landmarks_given}
    if detector is not None:
        own = getattr(detector, "config", None)
        values = asdict(own) if is_dataclass(own) and not isinstance(own, type) else {}
        settings["detector"] = {"class": type(detector).__name__, **values}
    return dict(json.loads(json.dumps(settings)))


def keep_settings(folder: Path, settings: dict[str, Any], resume: bool) -> None:
    """Write them into ``folder``, with ``resume`` only where no others are there.

    Raises:
        DataError: other settings than those of the run to be resumed, a damaged file, or it cannot be written.
    """
    path = folder / SETTINGS
    if resume and path.exists():
        try:
            before = _ADDED | parse_json(path.read_text(encoding="utf-8"))
        except (ValueError, TypeError) as error:
            raise DataError(f"{path}: not the settings of an earlier run; start without resuming") from error
        if before != settings:
            raise DataError(f"{path}: the run to be resumed had other settings; use the same or start without resuming")
    with atomic_write(path, "w", encoding="utf-8") as file:
        json.dump(settings, file, indent=2)
