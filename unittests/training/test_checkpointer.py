"""When a run is scored and saved, and which checkpoint is the best."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fairface.config.schema import VerifyConfig
from fairface.errors import DataError
from fairface.mx import nd
from fairface.parallel import World
from fairface.training.checkpointer import Checkpointer, method_state
from fairface.training.verifier import Verifier


@pytest.mark.parametrize(
    ("save", "verify", "due"),
    [(3, 0, [3, 6]), (4, 3, [3, 4, 6]), (9, 2, [2, 4, 6]), (9, 0, []), (1, 5, [1, 2, 3, 4, 5, 6])],
)
def test_what_is_due_after_a_step(save, verify, due):
    checkpointer = Checkpointer(None, None, None, None, None, save, verify, {})
    assert [step for step in range(1, 7) if checkpointer.due(step)] == due
    assert checkpointer.scale is None


class Recorded:
    """Stands for the folder of a run; remembers what is saved."""

    def __init__(self, best=None):
        self.folder, self.best, self.saved = Path("models/x"), best, []

    def best_score(self):
        return self.best

    def last_step(self):
        return None

    def save(self, step, inference, blocks, state, position, score, is_best):
        self.saved.append((step, score, is_best))
        self.state, self.position = state, position


def checkpointer_of(folder, score=0.5, monitor="auc", verify_every=2):
    method = SimpleNamespace(blocks=dict, inference=lambda: "net", state=lambda: {"t": np.array([2.0])})
    updates = SimpleNamespace(state=lambda: {"o.x": nd.ones((1,))}, optimizer=SimpleNamespace(updates=7))

    def run(net, step, log):
        if score == "bad":
            raise DataError("a set is gone")
        return score

    judge = Verifier([], VerifyConfig(monitor=monitor), World(()), 8)
    verifier = SimpleNamespace(run=run, better=judge.better, takes_part=True, world=World(()))
    return Checkpointer(folder, method, updates, verifier, "log", 3, verify_every, {"total": 9})


def test_when_a_checkpoint_is_scored():
    for step, stopping, score in ((2, False, 0.5), (3, False, None), (9, False, 0.5), (2, True, None), (9, True, None)):
        folder = Recorded()
        checkpointer_of(folder).after_step(step, 9, stopping)
        assert folder.saved == [(step, score, score is not None)]
    folder = Recorded()
    checkpointer_of(folder, verify_every=0).after_step(2, 9)
    assert folder.saved == [(2, None, False)]
    assert folder.position == {"total": 9, "updates": 7}
    assert set(folder.state) == {"step", "o.x", "method.t"}
    assert folder.state["step"].asnumpy().tolist() == [2]
    assert method_state(folder.state) == {"t": np.array([2.0])}
    folder = Recorded()
    with pytest.raises(DataError, match="a set is gone"):
        checkpointer_of(folder, "bad").after_step(2, 9)
    assert folder.saved == [(2, None, False)]


@pytest.mark.parametrize(
    ("monitor", "score", "best", "is_best"),
    [
        ("auc", 0.5, None, True), ("auc", 0.5, 0.4, True), ("auc", 0.5, 0.5, True), ("auc", 0.5, 0.6, False),
        ("eer", 0.5, 0.4, False), ("eer", 0.5, 0.5, True), ("eer", 0.5, 0.6, True), ("fmr_worst", 0.5, 0.4, False),
        ("fnmr_worst", 0.5, 0.6, True), ("accuracy", 0.5, 0.6, False), ("auc", math.nan, None, False),
        ("auc", None, None, False), ("auc", math.inf, 0.1, False),
    ],
)  # fmt: skip
def test_which_checkpoint_is_the_best(monitor, score, best, is_best):
    folder = Recorded(best)
    config = {"monitor": monitor}
    checkpointer = checkpointer_of(folder, monitor="auc")
    checkpointer.verifier = SimpleNamespace(
        better=lambda a, b: Verifier.better(SimpleNamespace(config=SimpleNamespace(**config)), a, b)
    )
    checkpointer.save(4, score)
    assert folder.saved[0][2] == is_best
