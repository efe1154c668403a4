"""Semi-hard mining against a plain search."""

import numpy as np
import pytest

from fairface.config.schema import TripletConfig
from fairface.heads.triplets import build_triplet_loss
from fairface.heads.triplets.mining import semi_hard
from fairface.mx import mx, nd
from unittests.heads.helpers import unit


def mine(embedding, label, images, name="triplet", alpha=0.3, step=0, seed=0, context=None):
    loss = build_triplet_loss(TripletConfig(loss=name))
    data = nd.array(embedding, ctx=context or mx.cpu())
    found = semi_hard(data, nd.array(label, dtype="int32", ctx=data.context), images, alpha, loss.distance, seed, step)
    assert found.anchor.context == data.context
    return [a.asnumpy().astype(int) for a in (found.anchor, found.positive, found.negative, found.valid)]


def people(identities, images, spread=0.9, seed=0, size=4):
    rng = np.random.default_rng(seed)
    label = np.repeat(rng.permutation(20)[:identities], images)
    return rng.normal(size=(20, size))[label] + spread * rng.normal(size=(len(label), size)), label


@pytest.mark.parametrize(("name", "alpha"), [("triplet", 0.3), ("angular_triplet", 0.25), ("arc_circle_triplet", 0.25)])
@pytest.mark.parametrize(("identities", "images"), [(6, 2), (5, 4), (2, 3)])
def test_every_pair_gets_a_semi_hard_negative_where_there_is_one(name, alpha, identities, images):
    embedding, label = people(identities, images)
    cosine = np.clip(unit(embedding) @ unit(embedding).T, -1, 1)
    distance = 2 - 2 * cosine if name == "triplet" else np.arccos(cosine)
    anchor, positive, negative, valid = mine(embedding, label, images, name, alpha)
    pairs = set(zip(anchor, positive, strict=True))
    rows = range(len(label))
    assert pairs == {(i, j) for i in rows for j in rows if i != j and label[i] == label[j]}
    assert len(anchor) == len(pairs)
    for a, p, n, v in zip(anchor, positive, negative, valid, strict=True):
        band = (distance[a] > distance[a, p]) & (distance[a] < distance[a, p] + alpha) & (label != label[a])
        assert v == band.any()
        assert not v or band[n]
    assert valid.any()


def test_the_choice_depends_on_seed_and_step_only():
    embedding, label = people(8, 3)
    first = mine(embedding, label, 3, alpha=2.0, step=4, seed=1)
    again = mine(embedding, label, 3, alpha=2.0, step=4, seed=1, context=mx.cpu(1))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    for step, seed in ((5, 1), (4, 2)):
        assert (mine(embedding, label, 3, alpha=2.0, step=step, seed=seed)[2] != first[2]).any()


def test_every_negative_of_a_pair_is_chosen_about_equally_often():
    angles = np.radians([0, 10, 30, 32, 34, 36, 120, 150])
    embedding = np.stack([np.cos(angles), np.sin(angles)], 1)
    label = [0, 0, 1, 1, 2, 2, 3, 3]
    chosen = [mine(embedding, label, 2, "angular_triplet", 0.6, step)[2][0] for step in range(200)]
    counts = np.bincount(chosen, minlength=8)
    assert counts[[0, 1, 6, 7]].sum() == 0
    assert (np.abs(counts[2:6] - 50) < 25).all()  # four standard deviations


def test_rows_without_label_and_stand_ins_make_no_pair():
    embedding, label = people(4, 2, spread=0.3)
    label[2:4] = -1
    label[5] = 19 if label[4] != 19 else 18  # a bad record was replaced by an image of another person
    anchor, _, negative, valid = mine(embedding, label, 2, alpha=4.0)
    assert (valid[np.isin(anchor, [2, 3, 4, 5])] == 0).all()
    assert valid[np.isin(anchor, [0, 1, 6, 7])].all()
    assert not np.isin(negative[valid == 1], [2, 3]).any()  # nobody knows who an unlabeled row shows


def test_a_batch_where_all_is_clear_has_no_triplet():
    embedding = np.repeat(np.eye(3), 2, axis=0) + 1e-3 * np.random.default_rng(0).normal(size=(6, 3))
    assert not mine(embedding, [0, 0, 1, 1, 2, 2], 2)[3].any()
