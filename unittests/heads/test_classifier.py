"""A margin does not mind in which matrix a class lies: shards and virtual classes give the logits of one matrix."""

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.heads import HEADS, build_head, build_margin
from fairface.heads.base import Target
from fairface.heads.classifier import lengths, scaled_cosines
from fairface.heads.loss import CrossEntropy
from fairface.mx import autograd, nd
from unittests.heads.helpers import close, run, unit
from unittests.heads.test_heads import STATISTICS, rows_of_all_kinds


def sharded_logits(margin, x, weights, label, statistics):
    """The logits of class matrices side by side; each sees the target's cosine, and its own columns only."""
    rows = nd.concat(*weights, dim=0)[nd.array(np.maximum(label, 0), dtype="int32")]
    cosine = (nd.L2Normalization(x) * nd.L2Normalization(rows)).sum(axis=1, keepdims=True)
    if not margin.normalises:
        cosine = (x * rows).sum(axis=1, keepdims=True)
    labeled = nd.array((label >= 0)[:, None], dtype="float64")
    parts, start = [], 0
    for weight in weights:
        count = len(weight)
        own = np.where((label >= start) & (label < start + count), label - start, -1)
        column = nd.array(np.maximum(own, 0), dtype="int32")
        mask = nd.one_hot(nd.array(own, dtype="int32"), count, dtype="float64")
        target = Target(cosine, labeled, column, mask) if margin.uses_label else None
        length = lengths(nd, x) if margin.uses_length else None
        parts.append(margin(nd, scaled_cosines(nd, margin, x, weight, count), target, length, *statistics))
        start += count
    return nd.concat(*parts, dim=1)


@pytest.mark.parametrize("cuts", [(2,), (1, 4)])
@pytest.mark.parametrize("name", sorted(HEADS))
def test_shards_give_the_logits_and_gradients_of_one_matrix(name, cuts):
    x, weight, label = rows_of_all_kinds()
    statistics = STATISTICS.get(name, ())
    head = build_head(HeadConfig(name=name, s=8.0), 6, 5)
    logits, rows, dx, dweight = run(head, x, weight, label, "float64", statistics=statistics)
    data = nd.array(x, dtype="float64")
    parts = [nd.array(part, dtype="float64") for part in np.split(weight, cuts)]
    for array in (data, *parts):
        array.attach_grad()
    values = [nd.array([value], dtype="float64") for value in statistics]
    with autograd.record():
        ours = sharded_logits(build_margin(HeadConfig(name=name, s=8.0)), data, parts, label, values)
        losses = CrossEntropy()(ours, nd.array(label, dtype="int32"))
        losses.mean().backward()
    close(ours.asnumpy(), logits, 1e-12)
    close(losses.asnumpy(), rows, 1e-12)
    close(data.grad.asnumpy(), dx, 1e-10)
    close(np.concatenate([part.grad.asnumpy() for part in parts]), dweight, 1e-10)


@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize("name", sorted(HEADS))
def test_virtual_classes_are_further_columns(name, hybridize):
    x, weight, label = rows_of_all_kinds()
    label[6] = 4  # a row of a virtual class: columns 3 and 4 have no weights of their own
    statistics = STATISTICS.get(name, ())
    whole = build_head(HeadConfig(name=name, s=8.0), 6, 5)
    logits, _, dx, dweight = run(whole, x, weight, label, "float64", statistics=statistics)
    head = build_head(HeadConfig(name=name, s=8.0), 6, 3)
    run(head, x, weight[:3], np.minimum(label, 2), "float64", hybridize, statistics)  # without them, before and after
    data, centres = nd.array(x, dtype="float64"), nd.array(weight[3:], dtype="float64")
    data.attach_grad()
    centres.attach_grad()
    target = nd.array(label, dtype="int32")
    values = [nd.array([value], dtype="float64") for value in statistics]
    with autograd.record():
        ours = head(data, target, *values, centres=centres)
        CrossEntropy()(ours, target).mean().backward()
    close(ours.asnumpy(), logits, 1e-12)
    close(data.grad.asnumpy(), dx, 1e-10)
    close(np.concatenate([head.weight.grad().asnumpy(), centres.grad.asnumpy()]), dweight, 1e-10)
    plain = head(data, nd.array(np.minimum(label, 2), dtype="int32"), *values)
    assert plain.shape == (len(x), 3)


def test_what_the_statistics_are_of():
    rng = np.random.default_rng(0)
    x, weight, label = rng.normal(size=(4, 6)), rng.normal(size=(5, 6)), np.array([0, 4, 2, 2])
    for name, expected in (
        ("adaface", np.linalg.norm(x, axis=1)),
        ("curricularface", (unit(x) * unit(weight)[label]).sum(1)),
    ):
        head = build_head(HeadConfig(name=name), 6, 5)
        head.initialize()
        head.weight.set_data(nd.array(weight))
        found = head.measured(nd.array(x), nd.array(label, dtype="int32"))
        np.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-5)
