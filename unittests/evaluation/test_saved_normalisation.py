"""Saved normalisations that somebody changed: a threshold that no score can reach is no threshold."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from fairface.errors import DataError
from fairface.evaluation.saved_normalisation import SavedNormalisation, load_normalisation, save_normalisation
from fairface.scoring.fairness.threshold import SharedThreshold
from fairface.scoring.normalisation.calibration import GroupCalibration
from fairface.scoring.normalisation.normaliser import Normaliser
from fairface.scoring.normalisation.platt import Platt


@pytest.fixture
def path(tmp_path: Path) -> Path:
    normaliser = Normaliser("platt", ("f", "m"), GroupCalibration((Platt(2.0, -1.0), Platt(3.0, -2.0))), None)
    threshold = SharedThreshold(0.5, "FMR 0.01 on x", 0.01)
    save_normalisation(
        str(tmp_path / "n.json"), SavedNormalisation(normaliser, "sex", threshold, threshold, ("a1",), {"people": 1})
    )
    return tmp_path / "n.json"


def test_it_comes_back_and_is_its_owners(path: Path) -> None:
    found = load_normalisation(str(path))
    assert (found.before.value, found.after.target, found.normaliser.labels) == (0.5, 0.01, ("f", "m"))
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("which", "key", "value"),
    [("before", "value", math.nan), ("after", "value", math.inf), ("after", "value", -math.inf),
     ("before", "target", 1.5), ("before", "target", -0.1), ("after", "value", "x"), ("after", "value", None)],
)  # fmt: skip
def test_thresholds_that_are_none(path: Path, which: str, key: str, value: object) -> None:
    stored = json.loads(path.read_text())
    stored["thresholds"][which][key] = value
    path.write_text(json.dumps(stored))
    with pytest.raises(DataError, match=r"n\.json: cannot be used \(.*save it again with --save"):
        load_normalisation(str(path))


def test_what_is_nested_too_deeply(path: Path) -> None:
    path.write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(DataError, match=r"n\.json: is not JSON"):
        load_normalisation(str(path))
