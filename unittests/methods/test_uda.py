"""UDA: against UFace's own numbers and a float64 loop; empty sets, several branches, several devices, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.config.schema import HeadConfig, UDAConfig
from fairface.data.array import ArrayDataset
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.data.types import Batch
from fairface.data.unlabeled import without_labels
from fairface.heads import build_head
from fairface.methods.base import Stage, StepOutcome
from fairface.methods.branches import Branch
from fairface.methods.part_norms import part_norms
from fairface.methods.uda import UDA
from fairface.mx import autograd, gluon, mx, nd
from fairface.parallel import Shard, World, shard
from fairface.parameters import structural
from unittests.methods.helpers import EMBEDDING, SIZE, Flat, start, step

VECTORS = Path(__file__).parent.parent / "vectors"
REGULARISERS, HEADS = (np.load(VECTORS / f"loss_uface_{name}.npz") for name in ("regularisers", "head_ce"))
PUBLISHED = {"upper": slice(128, 384), "lower": slice(384, 512)}
ONE = World((mx.cpu(),))
CONTEXTS = [mx.cpu(0), mx.cpu(1), mx.cpu(2)]
PARTS = {"upper": slice(2, 6), "lower": slice(6, 8)}


@pytest.mark.parametrize("case", ["mix", "nomask", "onemask"])
def test_regularisers_equal_the_reference(case: str) -> None:
    x = nd.array(REGULARISERS[f"{case}_x"])
    x.attach_grad()
    for name in ("L1", "L2"):
        with autograd.record():
            found = part_norms([x], [nd.array(REGULARISERS[f"{case}_label"], dtype="int32")], PUBLISHED, ONE)
            value = found.masked_loss if name == "L1" else found.normal_loss
        value.backward()
        np.testing.assert_allclose(value.asscalar(), REGULARISERS[f"{case}_{name}"].item(), rtol=1e-5)
        key = f"{case}_grad_{name}"
        expected = REGULARISERS[key] if key in REGULARISERS.files else np.zeros(x.shape)
        np.testing.assert_allclose(x.grad.asnumpy(), expected, rtol=0, atol=1e-5 * np.abs(expected).max() + 1e-12)
    for part, kind in (("upper", "U"), ("lower", "D")):
        for rows in ("normal", "masked"):
            key = f"{case}_{kind}_{rows}"
            expected = REGULARISERS[key].item() if key in REGULARISERS.files else 0.0
            assert found.lengths[f"{part}_{rows}"].asscalar() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("key", "head", "m"), [("arc", "arcface", "m2"), ("cos", "cosface", "m3")])
def test_the_whole_loss_equals_the_reference(key: str, head: str, m: str) -> None:
    x, labels = nd.array(HEADS["x1"]), nd.array(HEADS["label1"], dtype="int32")
    x.attach_grad()
    made = build_head(HeadConfig(name=head, s=64.0, **{m: float(HEADS[f"{key}_m"])}), 512, HEADS["kernel"].shape[1])
    made.initialize()
    made.weight.set_data(nd.array(HEADS["kernel"].T))
    branch = Branch("faces", 0, made, 1.0, 0.0, alone=True)
    rows = len(HEADS["x1"])
    part = Shard(x, labels, nd.zeros((rows,)), None, (slice(0, rows),), rows, (rows,))
    with autograd.record():
        losses, metrics = branch.classified([part], [x], [], "batch", ONE)
        norms = part_norms([x], [labels], PUBLISHED, ONE)
        total = losses["loss"][0] + 0.3 * norms.masked_loss - 0.2 * norms.normal_loss
    total.backward()
    np.testing.assert_allclose(losses["loss"][0].asscalar(), HEADS[f"{key}_ce1"], rtol=1e-5)
    np.testing.assert_allclose(total.asscalar(), HEADS[f"{key}_total1"], rtol=1e-5)
    for found, name in ((x.grad.asnumpy(), "grad_x_total1"), (made.weight.grad().asnumpy().T, "grad_kernel1")):
        expected = HEADS[f"{key}_{name}"]
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5 * np.abs(expected).max())
    masked = HEADS["label1"] < 0
    logits = HEADS[f"{key}_origin1"]
    correct = (logits.argmax(axis=1) == HEADS["label1"])[~masked]
    assert metrics["accuracy"][0].asscalar() == pytest.approx(correct.mean())


def test_masked_rows_have_no_class_gradient_and_no_holistic_gradient() -> None:
    rng = np.random.default_rng(0)
    x = nd.array(rng.normal(size=(6, 8)))
    labels = nd.array([0, -1, 2, -1, 1, 1], dtype="int32")
    head = build_head(HeadConfig(name="curricularface", s=8.0), 8, 3)
    head.initialize()
    branch = Branch("faces", 0, head, 1.0, 0.1, alone=True)
    x.attach_grad()
    part = Shard(x, labels, nd.zeros((6,)), None, (slice(0, 6),), 6, (6,))
    with autograd.record():
        losses, _ = branch.classified([part], [x], [], "batch", ONE)
    losses["loss"][0].backward()
    assert not x.grad.asnumpy()[[1, 3]].any()
    assert x.grad.asnumpy()[[0, 2, 4, 5]].any(axis=1).all()
    with autograd.record():
        norms = part_norms([x], [labels], PARTS, ONE)
        both = norms.masked_loss - norms.normal_loss
    both.backward()
    assert not x.grad.asnumpy()[:, :2].any()
    assert x.grad.asnumpy()[:, 2:].any(axis=1).all()


@pytest.mark.parametrize("labels", [[-1, -1, -1], [0, 1, 2]])
def test_a_batch_of_one_kind_has_finite_losses(labels: list[int]) -> None:
    x = nd.array(np.random.default_rng(1).normal(size=(3, 8)))
    x.attach_grad()
    with autograd.record():
        norms = part_norms([x], [nd.array(labels, dtype="int32")], PARTS, ONE)
        total = norms.masked_loss + norms.normal_loss
    total.backward()
    assert np.isfinite(x.grad.asnumpy()).all()
    if labels[0] < 0:
        assert norms.normal_loss.asscalar() == -1.0
        assert norms.lengths["upper_normal"].asscalar() == 0.0
    else:
        assert norms.masked_loss.asscalar() == 1.0
        assert norms.ratios["ratio_masked"].asscalar() == 0.0
    x[:] = 0  # no length, no slope
    with autograd.record():
        norms = part_norms([x], [nd.array(labels, dtype="int32")], PARTS, ONE)
    norms.masked_loss.backward()
    assert np.isfinite(x.grad.asnumpy()).all()


def _source(classes: int, rows: int, name: str, stream: int) -> Source:
    labels = np.arange(classes, dtype=np.int32).repeat(2)
    images = np.zeros((len(labels), SIZE, SIZE, 3), np.uint8)
    return Source(ArrayDataset(images, labels), rows, RandomSampler(len(labels), rows, 0, stream=stream), name=name)


def _method(options: UDAConfig, contexts: list[mx.Context], heads: tuple[str, str] = ("cosface", "arcface")) -> UDA:
    """Two branches of 5 and 4 identities, weights 1 and 0.5, and masked faces."""
    first, second = _source(5, 7, "one", 0), _source(4, 4, "two", 1)
    masked = _source(3, 5, "masked", 2)
    masked = Source(without_labels(masked.dataset), 5, masked.sampler, name="masked")
    branches = [
        Branch(source.name, place, build_head(HeadConfig(name=name, s=4.0), EMBEDDING, classes), weight, 0.1, False)
        for source, place, name, classes, weight in (
            (first, 0, heads[0], 5, 1.0), (second, 2, heads[1], 4, 0.5),
        )
    ]  # fmt: skip
    made = UDA(Flat(), branches, [first, masked, second], PARTS, options)
    start(made, contexts)
    made.parameter_groups("all")
    return made


def _batch(masked_in_first: tuple[int, ...] = (2,)) -> Batch:
    rng = np.random.default_rng(5)
    labels = np.concatenate([rng.integers(0, 5, 7), np.full(5, -1), rng.integers(0, 4, 4)]).astype(np.int32)
    labels[list(masked_in_first)] = -1
    return Batch(
        images=rng.integers(0, 256, (16, SIZE, SIZE, 3), dtype=np.uint8), labels=labels,
        source=np.repeat(np.array([0, 1, 2], np.int16), [7, 5, 4]), attributes=np.zeros((16, 0), np.int8),
        indices=np.arange(16),
    )  # fmt: skip


def _expected(method: UDA, batch: Batch, options: UDAConfig) -> dict[str, float]:
    """The step's numbers by float64 loops."""
    values = {name: p.data(mx.cpu(0)).asnumpy().astype(np.float64) for name, p in structural(method.backbone).items()}
    flat = batch.images.transpose(0, 3, 1, 2).reshape(16, -1).astype(np.float64) / 255 - 0.5
    embeddings = flat @ values["dense.weight"].T + values["dense.bias"]
    found: dict[str, float] = {}
    for branch, rows, margin in zip(method.branches, (range(7), range(12, 16)), ("cos", "arc"), strict=True):
        weight = branch.term.head.weight.data(mx.cpu(0)).asnumpy().astype(np.float64)
        weight /= np.linalg.norm(weight, axis=1)[:, None]
        losses, correct = [], []
        for row in rows:
            label = batch.labels[row]
            if label < 0:
                continue
            cosine = weight @ embeddings[row] / np.linalg.norm(embeddings[row])
            correct.append(cosine.argmax() == label)
            cosine[label] = cosine[label] - 0.35 if margin == "cos" else np.cos(np.arccos(cosine[label]) + 0.5)
            log_softmax = 4 * cosine - np.log(np.exp(4 * cosine).sum())
            losses.append(-0.9 * log_softmax[label] - 0.1 * log_softmax.mean())
        total = len(rows) + 5 if options.mean == "batch" else len(losses)
        found[f"loss_{branch.name}"] = branch.weight * sum(losses) / total
        found[f"accuracy_{branch.name}"] = float(np.mean(correct))
    upper, lower = (np.linalg.norm(embeddings[:, part], axis=1) for part in (PARTS["upper"], PARTS["lower"]))
    masked = batch.labels < 0
    r = lower[masked].mean() / (upper[masked].mean() + lower[masked].mean() + 1e-5)
    q = lower[~masked].mean() / (upper[~masked].mean() + 1e-5)
    return {
        **found, "masked": options.masked_weight * (np.exp(r) - r), "normal": options.normal_weight * (q - np.log(q)),
        "ratio_masked": r, "ratio_normal": q,
        "upper_masked": upper[masked].mean(), "lower_masked": lower[masked].mean(),
        "upper_normal": upper[~masked].mean(), "lower_normal": lower[~masked].mean(),
    }  # fmt: skip


@pytest.mark.parametrize("mean", ["batch", "labeled"])
@pytest.mark.parametrize("devices", [1, 2, 3])
def test_two_branches_equal_loops_on_any_number_of_devices(mean: str, devices: int) -> None:
    options = UDAConfig(masked_weight=0.4, normal_weight=0.7, mean=mean)
    method = _method(options, CONTEXTS[:devices])
    numbers, gradients = step(method, _batch(), CONTEXTS[:devices])
    expected = _expected(method, _batch(), options)
    assert numbers.keys() == expected.keys()
    for name, value in expected.items():
        assert numbers[name] == pytest.approx(value, rel=2e-5, abs=1e-6), name
    alone = step(_method(options, CONTEXTS[:1]), _batch(), CONTEXTS[:1])[1]
    assert gradients.keys() == alone.keys()
    for name, gradient in alone.items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=0, atol=2e-5 * np.abs(gradient).max() + 1e-8)


def test_gradient_equals_finite_differences() -> None:
    options = UDAConfig(masked_weight=0.4, normal_weight=0.7)
    method = _method(options, CONTEXTS[:1])
    _, gradients = step(method, _batch(), CONTEXTS[:1])
    weight = method.backbone.dense.weight
    start_value = weight.data(mx.cpu(0)).asnumpy().astype(np.float64)

    def total(change: np.ndarray[Any, Any]) -> float:
        weight.set_data(nd.array(start_value + change))
        values = _expected(method, _batch(), options)
        return sum(values[name] for name in ("loss_one", "loss_two", "masked", "normal"))

    rng = np.random.default_rng(2)
    name = next(key for key in gradients if key.endswith("dense.weight"))
    for _ in range(3):
        direction = rng.normal(size=start_value.shape)
        slope = (total(1e-2 * direction) - total(-1e-2 * direction)) / 2e-2
        assert float((gradients[name] * direction).sum()) == pytest.approx(slope, rel=2e-2)


def test_statistics_of_every_branch_are_kept_by_a_step_that_counts() -> None:
    method = _method(UDAConfig(), CONTEXTS[:1], ("curricularface", "adaface"))
    before = method.state()
    assert {name.split(".")[0] for name in before} == {"head_one", "head_two"}
    world = World(tuple(CONTEXTS[:1]))
    with autograd.record():
        method.losses(shard(_batch(), world), world)
    method.after_step(StepOutcome(0, 0.1, 1.0, applied=False))
    assert all(np.array_equal(value, before[name]) for name, value in method.state().items())
    method.after_step(StepOutcome(0, 0.1, 1.0, applied=True))
    after = method.state()
    assert not any(np.array_equal(value, before[name]) for name, value in after.items())
    other = _method(UDAConfig(), CONTEXTS[:1], ("curricularface", "adaface"))
    other.load_state(after)
    assert all(np.array_equal(value, after[name]) for name, value in other.state().items())


def test_stage_head_leaves_the_backbone() -> None:
    method = _method(UDAConfig(), CONTEXTS[:1])
    assert method.stages["head"] == Stage(("head",))
    assert [group.name for group in method.parameter_groups("head")] == ["head_one", "head_two"]
    assert isinstance(method.inference(), gluon.HybridBlock)


def test_weights_of_zero_leave_a_regulariser_out() -> None:
    method = _method(UDAConfig(masked_weight=0.0), CONTEXTS[:1])
    numbers, _ = step(method, _batch(), CONTEXTS[:1])
    assert "masked" not in numbers
    assert numbers["normal"] > 0
    assert numbers["ratio_masked"] > 0  # still reported
