"""All pairs in tiles give what the list of the same pairs gives."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.all_pairs import all_pairs
from fairface.scoring.all_pairs import layout as layouts
from fairface.scoring.all_pairs import windows
from fairface.scoring.all_pairs.layout import Layout
from fairface.scoring.all_pairs.scan import BINS, HIGHEST, LOWEST, count_scores
from fairface.scoring.all_pairs.verification import NO_ACCURACY, verify_all
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.verification import verify

FMR = (0.3, 0.1, 0.01, 0.001, 1e-6)
#        images, subjects, dimensions, noise, digits kept (ties)
WORLDS = [
    (500, 80, 16, 1.0, 0), (900, 300, 24, 1.2, 0), (700, 40, 4, 1.0, 2), (300, 290, 8, 0.5, 0), (600, 3, 16, 2.0, 0),
]  # fmt: skip


def world(images, subjects, dimensions, noise, digits, seed=0):
    rng = np.random.default_rng([seed, images])
    who = rng.integers(0, subjects, images)
    rows = rng.normal(size=(subjects, dimensions))[who] + noise * rng.normal(size=(images, dimensions))
    rows = np.round(rows * digits) / digits if digits else rows
    rows[(rows == 0).all(axis=1)] = 1.0
    return rows.astype(np.float32), who


@pytest.fixture(params=[(7, 13), (1024, 4096)], ids=["small tiles", "tiles"])
def tiles(request, monkeypatch):
    rows, columns = request.param
    monkeypatch.setattr(layouts, "_ROWS", rows)
    monkeypatch.setattr(layouts, "_COLUMNS", columns)
    return request.param


def test_every_pair_is_in_one_tile(tiles):
    rng = np.random.default_rng(0)
    who, group = rng.integers(0, 9, 120), rng.integers(0, 3, 120)
    layout = Layout.of(rng.normal(size=(120, 4)), who, group)
    assert sorted(layout.order.tolist()) == list(range(120))
    seen = {}
    for tile in layout.tiles():
        assert len(set(layout.group[tile.r0 : tile.r1])) == len(set(layout.group[tile.c0 : tile.c1])) == 1
        genuine, impostor = tile.kinds(layout.subject)
        assert tile.mixed or (not genuine.any() and impostor.all())
        for i, j in np.argwhere(genuine | impostor) + np.array([tile.r0, tile.c0]):
            assert (i, j) not in seen
            seen[i, j] = bool(genuine[i - tile.r0, j - tile.c0])
    assert sorted(seen) == list(combinations(range(120), 2))
    assert all(same == (layout.subject[i] == layout.subject[j]) for (i, j), same in seen.items())
    assert sum(seen.values()) == layout.genuine
    assert len(seen) == layout.genuine + layout.impostor


@pytest.mark.parametrize("shape", WORLDS)
def test_same_as_the_list(shape, tiles):
    rows, who = world(*shape) if tiles[0] > 100 else world(min(shape[0], 200), *shape[1:])
    pairs = all_pairs(who)
    wanted = verify(cosine_scores(rows, pairs.a, pairs.b), pairs, fmr=FMR)
    found = verify_all(rows, who, FMR)
    result = found.result
    assert result.tar == pytest.approx(wanted.tar, nan_ok=True, abs=0)
    assert result.eer == wanted.eer
    assert abs(result.auc - wanted.auc) <= found.auc_error <= 5e-3
    assert (result.n_genuine, result.n_impostor) == (wanted.n_genuine, wanted.n_impostor)
    assert (result.subjects, result.duplicates) == (wanted.subjects, wanted.duplicates)
    assert {**wanted.reasons, "accuracy": NO_ACCURACY} == result.reasons
    assert math.isnan(result.tar["0.000001"])
    # Each point of the curve counts what lies at or above its threshold.
    scores = cosine_scores(rows, pairs.a, pairs.b)
    exact = np.isin(found.curve.thresholds, scores)
    assert exact.any()
    for threshold, false, true in zip(*(of[exact] for of in (
        found.curve.thresholds, found.curve.false_matches, found.curve.true_matches)), strict=True):  # fmt: skip
        assert ((scores >= threshold) & ~pairs.same).sum() == false
        assert ((scores >= threshold) & pairs.same).sum() == true


@pytest.mark.parametrize("shape", WORLDS[:2])
def test_intervals_are_close_to_those_of_resampling(shape):
    rows, who = world(*shape)
    pairs = all_pairs(who)
    wanted = verify(cosine_scores(rows, pairs.a, pairs.b), pairs, fmr=(0.1, 0.01, 0.001), rounds=400).intervals
    found = verify_all(rows, who, (0.1, 0.01, 0.001), intervals=True).result
    assert found.intervals.keys() == wanted.keys()
    for key, interval in found.intervals.items():
        width = wanted[key].high - wanted[key].low
        assert interval.high - interval.low == pytest.approx(width, rel=0.35), key
        assert interval.low == pytest.approx(wanted[key].low, abs=0.3 * width), key
        assert interval.high == pytest.approx(wanted[key].high, abs=0.3 * width), key
        assert (interval.level, interval.rounds) == (0.95, 0)
    narrower = verify_all(rows, who, (0.1,), intervals=True, level=0.5).result.intervals["tar@0.1"]
    assert found.intervals["tar@0.1"].low < narrower.low < narrower.high < found.intervals["tar@0.1"].high


def test_intervals_do_not_depend_on_tiles(monkeypatch):
    rows, who = world(300, 40, 8, 1.0, 0)
    whole = verify_all(rows, who, (0.1, 0.01), intervals=True).result.intervals
    monkeypatch.setattr(layouts, "_ROWS", 60)
    monkeypatch.setattr(layouts, "_COLUMNS", 90)
    for key, interval in verify_all(rows, who, (0.1, 0.01), intervals=True).result.intervals.items():
        assert (interval.low, interval.high) == pytest.approx((whole[key].low, whole[key].high), rel=1e-6)


def test_perfect_scores_have_no_interval_in_closed_form():
    rows = np.repeat(np.eye(6, dtype=np.float32), 3, axis=0)
    found = verify_all(rows, np.repeat(np.arange(6), 3), (0.1,), intervals=True).result
    assert (found.auc, found.eer, found.tar["0.1"]) == (1.0, 0.0, 1.0)
    assert all(math.isnan(interval.low) for interval in found.intervals.values())


def test_scores_by_bin_are_all_scores(tiles):
    rows, who = world(150, 20, 6, 1.0, 0)
    group = np.arange(150) % 2
    layout = Layout.of(rows, who, group)
    whole, first = count_scores(layout, [np.array([True, False])])
    scores = cosine_scores(rows, *np.triu_indices(150, 1))
    a, b = np.triu_indices(150, 1)
    for kind, chosen in enumerate((who[a] == who[b], who[a] != who[b])):
        for histogram, part in ((whole, np.ones(len(a), bool)), (first, (group[a] == 0) & (group[b] == 0))):
            wanted = np.histogram(scores[chosen & part], BINS, (LOWEST, HIGHEST))[0]
            assert np.abs(np.cumsum(histogram.counts[kind] - wanted)).max() <= 2  # float32 at the edges of bins
            assert histogram.counts[kind].sum() == (chosen & part).sum()


@pytest.mark.parametrize(
    ("rows", "who", "message"),
    [
        (np.ones((4, 3)), [0, 0, 1], "3 subjects for 4 embeddings; give one for each"),
        (np.ones((4, 3)), [0, 0, 1, -1], "1 of 4 images is unlabeled; leave them out"),
        (np.ones((4, 3)), [0, 1, 2, 3], "all 6 pairs of the 4 images are of different subjects; scoring needs both"),
        (np.ones((3, 3)), [5, 5, 5], "all 3 pairs of the 3 images are of one subject; scoring needs both kinds"),
        (np.full((3, 3), np.nan), [5, 5, 1], "3 of 3 embeddings are not finite"),
        (np.zeros((3, 3)), [5, 5, 1], "3 of 3 embeddings are of length zero"),
    ],
)
def test_what_cannot_be_compared(rows, who, message):
    with pytest.raises(DataError, match=message):
        verify_all(rows, np.array(who))


def test_a_rate_that_is_none():
    with pytest.raises(DataError, match=r"FMR 1\.5 cannot be used"):
        verify_all(np.eye(4), np.array([0, 0, 1, 1]), (1.5,))


def test_too_many_alike_are_refused_before_memory_ends(monkeypatch):
    monkeypatch.setattr(windows, "MOST_INSIDE", 50)
    with pytest.raises(DataError, match="more than 50 pairs score almost alike"):
        verify_all(np.ones((40, 3)), np.arange(40) // 2)
