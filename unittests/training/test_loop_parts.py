"""The parts around the loop, each by itself: loss scale, schedule, log, signals, updates."""

import json
import math
import os
import signal
import sys
import threading
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from fairface.config.schema import OptimizerConfig
from fairface.errors import CheckpointError, ConfigError, DataError
from fairface.methods.base import ParameterGroup
from fairface.mx import autograd, mx, nd, nn
from fairface.parallel import World
from fairface.training.log import RunLog
from fairface.training.loss_scale import PATIENCE, LossScale
from fairface.training.optimizer import FUSED_SIZE, Optimizer, as_arrays
from fairface.training.schedule import learning_rate, steps_of
from fairface.training.stop import StopSignal
from fairface.training.updates import Updates, clip


def test_a_loss_scale_by_default_is_that_of_the_paper():
    """Micikevicius et al. 2018: doubled after 2000 steps, halved at an overflow."""
    scale = LossScale()
    assert (scale.value, scale.growth_steps, scale.largest, PATIENCE) == (32768.0, 2000, 16777216.0, 20)
    assert scale.state() == {"value": 32768.0, "good_steps": 0, "skipped": 0, "at_floor": 0}
    for _ in range(1999):
        scale.update(True)
    assert (scale.value, scale.good_steps) == (32768.0, 1999)
    scale.update(True)
    assert (scale.value, scale.good_steps) == (65536.0, 0)
    fixed = LossScale(1.0, growth_steps=0)
    for _ in range(5):
        fixed.update(True)
    assert (fixed.value, fixed.good_steps) == (1.0, 5)


def test_a_loss_scale_goes_no_lower_than_one():
    scale = LossScale(3.0)
    assert [scale.update(False) for _ in range(3)] == [False] * 3
    assert scale.state() == {"value": 1.0, "good_steps": 0, "skipped": 3, "at_floor": 1}
    scale.update(True)
    assert scale.state() == {"value": 1.0, "good_steps": 1, "skipped": 3, "at_floor": 0}
    scale.load_state({"value": 4, "good_steps": 3.0, "skipped": 2.0})  # of before there was a count at the floor
    assert scale.state() == {"value": 4.0, "good_steps": 3, "skipped": 2, "at_floor": 0}
    scale.load_state({"value": 1, "good_steps": 0, "skipped": 2, "at_floor": 19})
    assert not scale.exhausted
    scale.update(False)
    assert scale.exhausted


def test_rates_at_the_ends_of_a_run():
    base = {"lr": 2.0, "final_lr": 0.5, "power": 2.0, "warmup": 0.2}
    for schedule, last in (("cosine", 0.5 + 1.5 * (1 + math.cos(math.pi * 7 / 8)) / 2), ("poly", 0.5 + 1.5 / 64)):
        config = OptimizerConfig(schedule=schedule, **base)
        rates = [learning_rate(config, step, 10) for step in range(11)]
        assert rates[:3] == [1.0, 2.0, 2.0]
        assert rates[9:] == pytest.approx([last, 0.5])
        assert learning_rate(config, 3, 3) == pytest.approx(0.5)
    every = OptimizerConfig(lr=1.0, schedule="cosine", warmup=4)
    assert [learning_rate(every, step, 4) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]  # warm-up alone
    steps = OptimizerConfig(lr=1.0, schedule="step", milestones=(0.5, 7), gamma=0.5, warmup=0)
    assert [learning_rate(steps, step, 10) for step in (0, 4, 5, 6, 7, 9)] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert [steps_of(value, 10) for value in (0.0, 0.04, 0.06, 0.99, 1.0, 1.4, 1.6)] == [0, 0, 1, 10, 1, 1, 2]


def lines_of(log):
    return [json.loads(line) for line in log.path.read_text().splitlines()]


def test_a_line_for_programs_and_one_for_people(tmp_path, capsys, monkeypatch):
    log = RunLog(tmp_path / "a" / "run")
    monkeypatch.setattr("time.time", lambda: 1234.56789)
    log.record("train", 3, {"loss": 0.5, "bad": math.nan}, "a line")
    log.record("verify/x", 4, {"auc": 1})
    assert lines_of(log) == [
        {"event": "train", "step": 3, "time": 1234.568, "loss": 0.5, "bad": None},
        {"event": "verify/x", "step": 4, "time": 1234.568, "auc": 1},
    ]
    assert capsys.readouterr().err == "a line\n"
    quiet = RunLog(tmp_path / "b", quiet=True)
    quiet.record("train", 1, {}, "a line")
    quiet.say("another")
    assert capsys.readouterr().err == ""
    assert not log.quiet
    log.path.unlink()
    log.path.mkdir()
    with pytest.raises(DataError, match=r"log\.jsonl: cannot be written \(Is a directory\); free space, then --resume"):
        log.record("train", 5, {})


def test_nobody_who_reads_stops_the_talk_and_not_the_run(tmp_path, monkeypatch):
    log = RunLog(tmp_path)
    said = []

    def broken(text, file):
        said.append(text)
        raise BrokenPipeError

    monkeypatch.setattr("fairface.training.log.tqdm", SimpleNamespace(write=broken))
    assert not log.cut_off
    log.say("one")
    assert log.cut_off
    log.say("two")
    assert said == ["one"]
    log.record("train", 1, {"loss": 1.0}, "three")
    assert (said, len(lines_of(log))) == (["one"], 1)


class Writer:
    """What tensorboardX offers, as far as a log uses it."""

    made: ClassVar[list["Writer"]] = []

    def __init__(self, folder):
        self.folder, self.written, self.closed = folder, [], 0
        Writer.made.append(self)

    def add_scalar(self, name, value, step):
        self.written.append((name, value, step))

    def close(self):
        self.closed += 1


def test_finite_numbers_go_to_tensorboard(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", SimpleNamespace(SummaryWriter=Writer))
    Writer.made.clear()
    RunLog(tmp_path / "none").record("train", 1, {"loss": 1.0})
    assert Writer.made == []
    log = RunLog(tmp_path, tensorboard=True)
    (writer,) = Writer.made
    assert writer.folder == str(tmp_path / "tensorboard")
    log.record("train", 7, {"loss": 0.5, "count": 3, "best": True, "name": "x", "nan": math.nan, "inf": math.inf})
    assert writer.written == [("train/loss", 0.5, 7), ("train/count", 3, 7)]
    log.close()
    log.close()
    assert writer.closed == 1
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    capsys.readouterr()
    RunLog(tmp_path, tensorboard=True).close()
    assert "TensorBoard events are not written: tensorboardX is not installed" in capsys.readouterr().err


def test_a_resumed_log_forgets_what_is_made_again(tmp_path, capsys):
    log = RunLog(tmp_path)
    log.forget_after(3)
    assert not log.path.exists()
    whole = [json.dumps({"step": step, "text": "é"}) for step in (1, 3, 4, 2)]
    damaged = ["{", "[]", '{"stop": 1}', '{"step": null}', '{"step": "x"}', '{"step": 1e999}']
    log.path.write_text("\n".join([*whole, *damaged]) + "\n")
    log.forget_after(3)
    assert log.path.read_text().splitlines() == [whole[0], whole[1], whole[3]]
    assert f"warning: {log.path}: 6 damaged lines were dropped" in capsys.readouterr().err
    log.forget_after(3)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_a_wish_and_the_second_an_order(number):
    before = {known: signal.getsignal(known) for known in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with StopSignal() as stop:
        assert stop.received is None
        signal.raise_signal(number)
        assert stop.received == number
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert stop.received == number
    assert {known: signal.getsignal(known) for known in before} == before


def test_nohup_outlives_its_terminal_and_other_threads_take_no_signals():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignal() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert stop.received is None
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    own = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with StopSignal() as stop:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.received == signal.SIGTERM  # only SIGHUP is left to nohup
    finally:
        signal.signal(signal.SIGTERM, own)
    handlers = []

    def elsewhere():
        with StopSignal():
            handlers.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert handlers == [own]


def net_of(*sizes):
    """Parameters of these many values, all one, with gradients of a half."""
    block = nn.HybridSequential()
    for number, size in enumerate(sizes):
        block.params.get(f"p{number}", shape=(size,), init="ones")
    block.initialize()
    parameters = {name.rsplit("_", 1)[-1]: p for name, p in block.params.items()}
    with autograd.record():
        loss = sum((p.data() * 0.5).sum() for p in parameters.values())
    loss.backward()
    return parameters


def optimizer_of(parameters, **options):
    config = OptimizerConfig(**{"name": "sgd", "lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, **options})
    return Optimizer([ParameterGroup("all", parameters)], config, [mx.cpu()], "device")


@pytest.mark.parametrize("sizes", [(FUSED_SIZE - 1, FUSED_SIZE, FUSED_SIZE + 1), (FUSED_SIZE + 5,), (3,), (2, 3) * 40])
def test_parameters_of_every_size_are_updated_once(sizes):
    assert FUSED_SIZE == 16384
    parameters = net_of(*sizes)
    optimizer = optimizer_of(parameters)
    optimizer.gradients()
    optimizer.update(0.1)
    for parameter in parameters.values():
        np.testing.assert_allclose(parameter.data().asnumpy(), 1 - 0.1 * 0.5, rtol=1e-6)
    assert optimizer.updates == 1


def test_what_an_optimizer_of_nothing_does():
    parameters = net_of(3)
    for parameter in parameters.values():
        parameter.grad_req = "null"
    optimizer = optimizer_of(parameters)
    assert (optimizer.names, optimizer.gradients(), optimizer.state()) == ([], [], {})
    optimizer.update(0.1)
    optimizer.load_state({}, "x")
    np.testing.assert_array_equal(parameters["p0"].data().asnumpy(), 1)


def test_groups_have_their_own_rates_and_decay():
    parameters = net_of(2, 2)
    first, second = ({name: p} for name, p in parameters.items())
    groups = [ParameterGroup("a", first, lr_mult=10.0, wd_mult=0.0), ParameterGroup("b", second, wd_mult=2.0)]
    config = OptimizerConfig(name="nag", lr=0.01, momentum=0.0, weight_decay=0.1)
    optimizer = Optimizer(groups, config, [mx.cpu()], "device", updates=7)
    assert (optimizer.names, optimizer.updates) == (["p0", "p1"], 7)
    optimizer.update(0.01, 2.0)
    np.testing.assert_allclose(parameters["p0"].data().asnumpy(), 1 - 0.1 * 0.25, rtol=1e-6)
    np.testing.assert_allclose(parameters["p1"].data().asnumpy(), 1 - 0.01 * (0.25 + 0.2), rtol=1e-6)
    assert optimizer.updates == 8


def test_a_state_of_another_shape_is_refused():
    parameters = net_of(3)
    optimizer = optimizer_of(parameters, momentum=0.9)
    optimizer.update(0.1)
    state = optimizer.state()
    assert list(state) == ["p0.0"]
    for wrong in ({}, {"p0.0": nd.ones((2,))}, {"p0.1": nd.ones((3,))}):
        with pytest.raises(CheckpointError, match=r"a\.params: has no fitting optimizer state for p0; use start_from"):
            optimizer_of(parameters, momentum=0.9).load_state(wrong, "a.params")
    arrays = as_arrays({"count": np.array([2**40 + 1]), "mean": np.array([0.1]), "small": np.float32([1])}, "method.")
    assert {name: (a.dtype, a.asnumpy().tolist()) for name, a in arrays.items()} == {
        "method.count": (np.int64, [2**40 + 1]), "method.mean": (np.float64, [0.1]), "method.small": (np.float32, [1.0])
    }  # fmt: skip


@pytest.mark.parametrize(("largest", "factor"), [(2.0, 0.4), (5.0, 1.0), (100.0, 1.0), (0.5, 0.1)])
def test_gradients_are_scaled_to_the_largest_norm_on_every_device(largest, factor):
    values = [np.array([[3.0]]), np.array([0.0, 4.0])]  # norm 5
    gradients = [[nd.array(value, ctx=mx.cpu(c)) for c in range(2)] for value in values]
    gradients[1] = gradients[1][1:]  # of one device only
    clip(gradients, largest)
    for value, copies in zip(values, gradients, strict=True):
        for copy in copies:
            np.testing.assert_allclose(copy.asnumpy(), value * factor, rtol=1e-6)
    clip([], 1.0)
    zero = nd.zeros((2,))
    clip([[zero]], 1.0)
    assert zero.asnumpy().tolist() == [0.0, 0.0]


class Named:
    """An updater that remembers what it is told."""

    def __init__(self, name, gradient=1.0, device=0):
        self.name, self.parameters, self.told = name, [], []
        self.array = nd.array([gradient], ctx=mx.cpu(device))

    def gradients(self):
        return [[self.array]]

    def update(self, lr, loss_scale):
        self.told.append((lr, loss_scale, float(self.array.asscalar())))

    def state(self):
        return {"x": self.array}

    def load_state(self, state, source):
        self.told.append((dict(state), source))


def updates_of(*others, clip_norm=0.0):
    parameters = net_of(1)
    return Updates(optimizer_of(parameters), others, clip_norm, World((mx.cpu(),)))


@pytest.mark.parametrize("names", [("a", "a"), ("optimizer",), ("a.b",), ("",)])
def test_updaters_are_told_apart_by_their_names(names):
    with pytest.raises(ConfigError) as caught:
        updates_of(*map(Named, names))
    said = f"updaters are named optimizer, {', '.join(names)}; each needs a name of its own without a dot"
    assert str(caught.value) == said


def test_a_step_of_several_updaters():
    other = Named("other", 6.0)
    together = updates_of(other, clip_norm=1.0)
    assert together.step(0.2, 4.0)
    norm = math.hypot(6, 0.5)
    assert other.told == [(0.2, 4.0, pytest.approx(6 * 4 / norm, rel=1e-5))]  # the norm is that of scaled gradients
    assert updates_of(other).step(0.2)
    assert other.told[-1][:2] == (0.2, 1.0)
    together.load_state({"other.x": other.array, "others.x": other.array, "optimizer.y": other.array}, "file")
    assert other.told[-1] == ({"x": other.array}, "file")
    assert set(together.state()) == {"other.x"}


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_updater_acts_where_one_gradient_is_not_finite(place, value):
    others = [Named("a", value if place == 0 else 1.0), Named("b", value if place else 1.0, 1)]
    together = updates_of(*others)
    assert not together.step(0.1, 1.0, check_finite=True)
    assert [other.told for other in others] == [[], []]
    assert together.step(0.1, 1.0)  # nobody looked
    fine = Named("a")
    assert updates_of(fine).step(0.1, 1.0, check_finite=True)
    assert len(fine.told) == 1
