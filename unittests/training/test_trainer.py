"""The loop by itself: what it asks of the parts around it, step by step, with a clock that is set by hand."""

import json
import math
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fairface.config.schema import LogConfig, OptimizerConfig, TrainConfig
from fairface.data.types import Batch
from fairface.errors import DataError, TrainingError
from fairface.methods.base import StepReport
from fairface.mx import mx, nd
from fairface.parallel import World
from fairface.training import trainer as module
from fairface.training.log import RunLog
from fairface.training.loss_scale import LossScale
from fairface.training.trainer import Trainer

ROWS = 4


class Falling:
    """The loss is a parameter times the number of the step, halved over two devices; a random number beside it."""

    def __init__(self, values=None):
        self.parameters = [nd.ones((1,), ctx=mx.cpu(i)) for i in range(2)]
        for parameter in self.parameters:
            parameter.attach_grad()
        self.values, self.outcomes, self.drawn, self.gradients = values or {}, [], [], []
        self.step = 0

    def losses(self, shards, world):
        value = self.values.get(self.step, float(self.step + 1))
        self.drawn.append(float(nd.random.uniform(shape=(1,)).asscalar()))
        self.step += 1
        losses = [parameter * value / 2 for parameter in self.parameters]
        twice = [parameter * value for parameter in self.parameters]
        return StepReport({"loss": losses, "more": twice}, {"rows": [nd.ones((1,)) * len(s.labels) for s in shards]})

    def after_step(self, outcome):
        self.gradients.append([float(parameter.grad.asscalar()) for parameter in self.parameters])
        self.outcomes.append((outcome.step, outcome.lr, outcome.loss_scale, outcome.applied))


class Around:
    """Updates, loader and checkpointer in one; every call is noted."""

    def __init__(self, every=3, fails_at=None, finite=True, last=None):
        self.every, self.fails_at, self.finite = every, fails_at, finite
        self.folder = SimpleNamespace(folder=Path("models/x"), last_step=lambda: last)
        self.asked, self.stepped, self.saved = [], [], []

    def iterate(self, start, stop):
        self.asked.append((start, stop))
        for step in range(start, stop):
            if step == self.fails_at:
                raise DataError("record 7 is bad")
            none = np.zeros(ROWS, np.int32)
            yield Batch(np.zeros((ROWS, 2, 2, 3), np.uint8), none, none, np.zeros((ROWS, 0), np.int8), none)

    def step(self, lr, factor, check_finite):
        self.stepped.append((lr, factor, check_finite))
        return self.finite

    def due(self, step):
        return step % self.every == 0

    def after_step(self, step, total, stopping):
        self.saved.append((step, total, stopping))

    def make_up(self, total):
        self.made_up = total

    def save(self, step, score):
        self.saved.append((step, score))


def make(tmp_path, method, around, total=7, start=0, scale=None, every=2, on_first=None):
    config = TrainConfig(
        seed=5,
        log=LogConfig(every=every),
        optimizer=OptimizerConfig(lr=0.5, schedule="step", milestones=(4,), warmup=0),
    )
    log = RunLog(tmp_path, quiet=True)
    world = World((mx.cpu(0), mx.cpu(1)))
    return Trainer(config, method, around, around, world, log, around, total, start, scale, on_first)


def lines_of(tmp_path):
    return [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]


def test_every_step_in_its_order(tmp_path, monkeypatch):
    clock = SimpleNamespace(now=0.0)

    def monotonic():
        clock.now += 0.25
        return clock.now

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=monotonic))
    said = []
    method, around, first = Falling(), Around(), []
    trainer = make(tmp_path, method, around, on_first=first.append)
    record = trainer.log.record
    trainer.log.record = lambda event, step, values, text: (said.append(text), record(event, step, values, text))
    assert trainer.run() is None
    assert (around.asked, len(first)) == ([(0, 7)], 1)
    rates = [0.5] * 4 + [0.05] * 3
    assert around.stepped == [(rate, 1.0, False) for rate in rates]
    assert method.outcomes == [(step, rate, 1.0, True) for step, rate in enumerate(rates)]
    assert around.saved == [(3, 7, False), (6, 7, False), (7, 7, False)]
    for step, drawn in enumerate(method.drawn):
        philox = np.random.Philox(key=np.array([5, step], np.uint64), counter=np.array([0, 0, 0, 8], np.uint64))
        mx.random.seed(int(np.random.Generator(philox).integers(2**31 - 1)))
        assert drawn == float(nd.random.uniform(shape=(1,)).asscalar())
    assert method.gradients == [[1.5 * (step + 1)] * 2 for step in range(7)]  # of both losses
    lines = lines_of(tmp_path)
    assert [(line["event"], line["step"], line["loss"], line["more"], line["rows"]) for line in lines] == [
        ("train", 2, 1.5, 3.0, 4.0), ("train", 4, 3.5, 7.0, 4.0), ("train", 6, 5.5, 11.0, 4.0),
        ("train", 7, 7.0, 14.0, 4.0),
    ]  # fmt: skip
    assert [line["lr"] for line in lines] == [0.5, 0.5, 0.05, 0.05]
    # Every reading of the clock takes a quarter of a second. A checkpoint in between (at steps 3 and 6) makes two: the
    # time from one to the other, its own, does not count.
    assert [line["images_per_second"] for line in lines] == [
        2 * ROWS / 0.25,
        2 * ROWS / 0.5,
        2 * ROWS / 0.25,
        ROWS / 0.5,
    ]
    # Two steps in 0.25 s leave 0.125 s for each of the other five; then 0.25 s for each of three.
    assert said[0] == "step 2/7  loss 1.5  more 3  rows 4  lr 0.5  32 images/s  ETA 0.6 s"
    assert said[1].endswith("16 images/s  ETA 0.8 s")
    assert said[3].endswith("8 images/s")  # the last step leaves none
    assert "loss_scale" not in lines[0]


def test_a_resumed_run_begins_at_its_step(tmp_path):
    method, around, first = Falling(), Around(every=100), []
    assert make(tmp_path, method, around, start=5, every=100, on_first=first.append).run() is None
    assert (around.asked, around.saved, len(first)) == ([(5, 7)], [(7, 7, False)], 1)
    assert [line["step"] for line in lines_of(tmp_path)] == [7]
    method, around = Falling(), Around()
    assert make(tmp_path, method, around, total=2, start=2).run() is None
    assert (around.stepped, around.saved) == ([], [])


@pytest.mark.parametrize("how", ["signal", "pipe"])
def test_a_wish_to_stop_saves_after_the_step(tmp_path, how):
    method, around = Falling(), Around(every=100)
    trainer = make(tmp_path, method, around, every=100)

    def stop(batch):
        if how == "signal":
            signal.raise_signal(signal.SIGINT)
        else:
            trainer.log.cut_off = True

    trainer.on_first_batch = stop
    assert trainer.run() == (signal.SIGINT if how == "signal" else signal.SIGPIPE)
    assert around.saved == [(1, 7, True)]
    assert len(around.stepped) == 1


def test_another_process_that_stops_stops_this_one(tmp_path):
    class Others(World):
        def any(self, flag):
            return True

    trainer = make(tmp_path, Falling(), Around(every=100))
    trainer.world = Others(trainer.world.contexts)
    assert trainer.run() == signal.SIGTERM


def test_a_terminal_that_is_gone_stops_the_run(tmp_path):
    trainer = make(tmp_path, Falling(), Around(every=100))

    def broken(count):
        if count == 1:
            raise OSError(5, "Input/output error")

    trainer._show(SimpleNamespace(update=broken))
    assert trainer.log.cut_off


@pytest.mark.parametrize("fails_at", [0, 1, 4])
def test_a_bad_record_costs_no_step_before_it(tmp_path, fails_at):
    method, around = Falling(), Around(every=100, fails_at=fails_at)
    with pytest.raises(DataError) as caught:
        make(tmp_path, method, around, every=1).run()
    if not fails_at:
        assert (str(caught.value), around.saved) == ("record 7 is bad", [])
        return
    saved = "1 step before it is" if fails_at == 1 else f"{fails_at} steps before it are"
    said = f"record 7 is bad; the {saved} saved, --resume goes on from there"
    assert (str(caught.value), around.saved) == (said, [(fails_at, None)])
    assert [line["step"] for line in lines_of(tmp_path)] == list(range(1, fails_at + 1))


@pytest.mark.parametrize(("last", "where"), [(None, "none was saved"), (3, "models/x@3")])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, last, where, value):
    around = Around(last=last, every=5)
    with pytest.raises(TrainingError) as caught:
        make(tmp_path, Falling({4: value}), around).run()
    said = f"step 5: loss is {value} at learning rate 0.05; last good checkpoint: {where}. Lower optimizer.lr, add"
    assert str(caught.value).startswith(said)
    assert around.saved == []  # met before it could reach a checkpoint


def test_gradients_in_half_precision_are_scaled_and_looked_at(tmp_path):
    method, around, scale = Falling({1: math.nan}), Around(every=100), LossScale(8.0, growth_steps=2)
    assert make(tmp_path, method, around, total=3, scale=scale, every=1).run() is None  # a loss may overflow
    assert around.stepped == [(0.5, 8.0, True), (0.5, 8.0, True), (0.5, 16.0, True)]
    assert method.gradients[0] == [12.0, 12.0]
    assert [line["loss_scale"] for line in lines_of(tmp_path)] == [8.0, 16.0, 16.0]
    method, around, scale = Falling(), Around(every=100, finite=False), LossScale(2.0)
    with pytest.raises(TrainingError, match=r"step 21: every gradient is nan at learning rate 0\.05; last good"):
        make(tmp_path, method, around, total=99, scale=scale).run()
    assert method.outcomes[0] == (0, 0.5, 2.0, False)


def test_the_numbers_of_a_step_are_read_before_the_next_update(tmp_path):
    """Workers wait for gradients in the update: that time is the next step's, also where a checkpoint follows."""
    method, around, before = Falling(), Around(every=3), []
    trainer = make(tmp_path, method, around, total=5, every=1)
    step = around.step
    around.step = lambda *of, **also: (before.append(len(lines_of(tmp_path))), step(*of, **also))[1]
    (tmp_path / "log.jsonl").touch()
    assert trainer.run() is None
    assert before == [0, 1, 2, 3, 4]
