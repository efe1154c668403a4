"""A monitored score over several sets: undefined as soon as one of them is."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from fairface.config.schema import VerifyConfig
from fairface.parallel import World
from fairface.training.verifier import Verifier

RESULT = SimpleNamespace(tar={}, accuracy=0.5, eer=0.5, is_balanced=True)


class Log:
    """Keeps what is said and recorded."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.recorded: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def record(self, event: str, step: int, values: object, text: str) -> None:
        self.recorded.append(f"{event} {step}")


def verifier_of(monkeypatch: pytest.MonkeyPatch, *aucs: float) -> Verifier:
    """Of two sets, whose AUCs come in turns."""
    sets = [SimpleNamespace(name=name, comparisons=None) for name in ("hard", "easy")]
    verifier = Verifier(sets, VerifyConfig(monitor="auc"), World(()), 8)  # type: ignore[arg-type]
    left = iter(aucs)
    monkeypatch.setattr(verifier, "scored", lambda net: ((item, np.zeros(0)) for item in sets))
    monkeypatch.setattr(verifier, "_verified", lambda *_: SimpleNamespace(**vars(RESULT), auc=next(left)))
    return verifier


def test_a_set_without_a_score_does_not_drop_out_of_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean over the other set alone would be the best so far."""
    verifier, log = verifier_of(monkeypatch, 0.5, 0.75, math.nan, 0.99, 0.25, 0.5, math.nan, math.nan), Log()
    found = [verifier.run(None, step, log) for step in (1, 2, 3, 4)]  # type: ignore[arg-type]
    assert found == [(0.5 + 0.75) / 2, None, (0.25 + 0.5) / 2, None]
    assert log.said == [
        "warning: step 2 has no score, since auc is undefined on hard; "
        "a step without a score is never the best (said once)"
    ]
    assert log.recorded == [f"verify/{name} {step}" for step in (1, 2, 3, 4) for name in ("hard", "easy")]


def test_all_undefined_sets_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier, log = verifier_of(monkeypatch, math.nan, math.nan), Log()
    assert verifier.run(None, 7, log) is None  # type: ignore[arg-type]
    assert "step 7 has no score, since auc is undefined on hard, easy;" in log.said[0]
    empty = Verifier([], VerifyConfig(), World(()), 8)
    monkeypatch.setattr(empty, "scored", lambda net: iter(()))
    assert (empty.run(None, 1, log), len(log.said)) == (None, 1)  # type: ignore[arg-type]
