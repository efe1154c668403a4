"""A fitted normalisation with its thresholds, in a JSON file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairface.errors import DataError
from fairface.files import write_json
from fairface.parsing import parse_json
from fairface.scoring.fairness.threshold import SharedThreshold
from fairface.scoring.normalisation.normaliser import Normaliser
from fairface.scoring.normalisation.stored import FORMAT, as_plain, from_plain


@dataclass(frozen=True)
class SavedNormalisation:
    """All that applying it takes.

    Attributes:
        normaliser: fitted.
        by: ``clusters``, or the protected attributes joined by "+".
        before, after: thresholds of raw and of normalised scores, set on the calibration people.
        people: fingerprints of the calibration people.
        calibration: on how many of what it was fitted.
        model, dimensions: what made the calibration people's embeddings, and how many values each has; empty and 0
            where only scores were given, or the file does not tell.
    """

    normaliser: Normaliser
    by: str
    before: SharedThreshold
    after: SharedThreshold
    people: tuple[str, ...]
    calibration: dict[str, int]
    model: str = ""
    dimensions: int = 0


def save_normalisation(path: str, found: SavedNormalisation) -> None:
    """Write it, for its owner only: a cohort's embeddings are personal data.

    Raises:
        DataError: the file cannot be written.
    """
    thresholds = {name: _plain(getattr(found, name)) for name in ("before", "after")}
    write_json(path, {
        "format": FORMAT, "by": found.by, "thresholds": thresholds, "calibration": found.calibration,
        "people": list(found.people), "model": found.model, "dimensions": found.dimensions,
        **as_plain(found.normaliser),
    }, personal=True)  # fmt: skip


def load_normalisation(path: str) -> SavedNormalisation:
    """Read what :func:`save_normalisation` wrote.

    Raises:
        DataError: another file, or a damaged one.
    """
    try:
        stored = parse_json(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is not JSON ({error}); give a file that --save wrote") from error
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise DataError(f"{path}: is not a {FORMAT!r}; give a file that --save wrote")
    try:
        before, after = (_threshold(stored["thresholds"][name]) for name in ("before", "after"))
        people = tuple(str(mark) for mark in stored["people"])
        calibration = {str(key): int(count) for key, count in stored["calibration"].items()}
        model, dimensions = str(stored.get("model", "")), int(stored.get("dimensions", 0))
        return SavedNormalisation(
            from_plain(stored), str(stored["by"]), before, after, people, calibration, model, dimensions
        )
    except (KeyError, TypeError, ValueError, AttributeError, DataError) as error:
        raise DataError(f"{path}: cannot be used ({error}); save it again with --save") from error


def _plain(threshold: SharedThreshold) -> dict[str, Any]:
    return {"value": threshold.value, "how": threshold.how, "target": threshold.target}


def _threshold(stored: dict[str, Any]) -> SharedThreshold:
    value, target = float(stored["value"]), float(stored["target"])
    if not math.isfinite(value) or not (math.isnan(target) or 0 <= target <= 1):
        raise ValueError(f"a threshold of {value} for a rate of {target}")
    return SharedThreshold(value, str(stored["how"]), target)
