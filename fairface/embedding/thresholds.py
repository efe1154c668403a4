"""Thresholds that were saved with a model: a file beside its weights, bound to one checkpoint.

A run has them in ``thresholds.json`` in its folder, any other model in ``NAME.thresholds.json`` beside the file NAME of
its weights. The file tells the checkpoint's step and the sum of its weights, so that thresholds of another checkpoint
are refused. MXNet is not needed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from fairface.checkpoints import CheckpointFiles
from fairface.errors import CheckpointError
from fairface.files import sha256, write_json
from fairface.parsing import parse_json
from fairface.quantity import quantity
from fairface.scoring.decision import choose_points, explain
from fairface.scoring.operating_point import OVER_COMPARISONS, OVER_SUBJECTS, OperatingPoint

THRESHOLDS = "thresholds.json"
MEASURE = "cosine"
REMEDY = "save them with: python test/verification.py --model {} --set FILE --save-thresholds"


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of one checkpoint.

    Attributes:
        step: the checkpoint's step (or epoch); 0 in a file of PyTorch or ONNX.
        weights: SHA-256 of its file of weights.
        flip: whether the embedding of the mirrored image was added.
        data: name of the set of comparisons that they were set on.
        date: when, YYYY-MM-DD.
        points: the lowest FMR first.
        path: their file; empty before they are saved.
    """

    step: int
    weights: str
    flip: bool
    data: str
    date: str
    points: tuple[OperatingPoint, ...]
    path: str = field(default="", compare=False)

    def explain(self, fmr: Sequence[float] = ()) -> tuple[str, ...]:
        """What decisions mean, a sentence each; ``fmr`` as in :func:`fairface.decide`."""
        return explain(*choose_points(self.points, fmr), self.data)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: what the file holds."""
        return {
            "step": self.step, "weights_sha256": self.weights, "measure": MEASURE, "flip": self.flip,
            "data": self.data, "date": self.date, "thresholds": [point.to_dict() for point in self.points],
        }  # fmt: skip


def thresholds_path(files: CheckpointFiles) -> Path:
    """Where the thresholds of a checkpoint lie."""
    if files.manifest:
        return files.params.parent / THRESHOLDS
    return files.params.parent / f"{files.params.name}.{THRESHOLDS}"


def weights_sum(files: CheckpointFiles) -> str:
    """SHA-256 of the checkpoint's weights; a run's manifest knows it."""
    known = files.manifest.get("sha256", {}).get(files.params.name)
    return str(known or sha256(files.params))


def save_thresholds(files: CheckpointFiles, thresholds: Thresholds) -> Path:
    """Write the thresholds beside the checkpoint, in place of earlier ones; returns their file.

    Raises:
        DataError: the file cannot be written.
    """
    path = thresholds_path(files)
    write_json(path, thresholds.to_dict())
    return path


def thresholds_of(files: CheckpointFiles) -> Thresholds:
    """The thresholds that were saved with this checkpoint.

    Raises:
        CheckpointError: there are none, they belong to another checkpoint, or the file is damaged.
    """
    path, remedy = thresholds_path(files), REMEDY.format(files.name)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CheckpointError(f"{files.name}: no thresholds were saved with this model; {remedy}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path}: cannot be read ({' '.join(str(error).split())}); {remedy}") from error
    try:
        found = _parse(parse_json(text), str(path))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise CheckpointError(f"{path}: is damaged ({' '.join(what.split())}); {remedy}") from error
    if found.weights != weights_sum(files):
        other = f"step {found.step}, this is step {files.step}" if found.step != files.step else "other weights"
        raise CheckpointError(f"{path}: belongs to another checkpoint ({other}); {remedy}")
    return found


def _parse(content: Mapping[str, Any], path: str) -> Thresholds:
    if content["measure"] != MEASURE:
        raise ValueError(f"measure {content['measure']!r}, which is not {MEASURE}")
    if not isinstance(content["flip"], bool):
        raise TypeError(f"flip {content['flip']!r}")
    points = tuple(OperatingPoint(**point) for point in content["thresholds"])
    for point in points:
        _check(point)
    if not points or any(a.target >= b.target or a.threshold < b.threshold for a, b in pairwise(points)):
        raise ValueError("no thresholds, or not in the order of their FMR")
    return Thresholds(
        int(content["step"]), str(content["weights_sha256"]), content["flip"], str(content["data"]),
        str(content["date"]), points, path,
    )  # fmt: skip


def _check(point: OperatingPoint) -> None:
    """Raise ValueError or TypeError for a point that nothing here wrote."""
    rates = (point.target, point.fmr, point.low, point.high, point.level, point.fnmr)
    if not math.isfinite(point.threshold) or not all(0 <= rate <= 1 for rate in rates):
        raise ValueError(f"a threshold of {point.threshold} with rates {rates}")
    if not 0 <= point.false_matches <= point.impostor or point.genuine < 1:
        raise ValueError(f"{point.false_matches} of {quantity(point.impostor, 'comparison')}")
    if point.over not in (OVER_SUBJECTS, OVER_COMPARISONS):
        raise ValueError(f"an interval over {point.over!r}")
