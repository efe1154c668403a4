"""Normalisation by group and by cluster, against loops; what is refused; what comes back from JSON."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from fairface.errors import ConfigError, DataError
from fairface.scoring.normalisation.clusters import fit_clusters, nearest
from fairface.scoring.normalisation.cohort import SIDES
from fairface.scoring.normalisation.compared import Compared
from fairface.scoring.normalisation.normaliser import METHODS, fit_normaliser
from fairface.scoring.normalisation.stored import as_plain, from_plain

LABELS = ("f", "m")


def world(subjects=24, images=3, seed=0):
    """All pairs of images of people of two groups; impostor scores of group f are higher."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(subjects), images)
    group = subject % 2
    rows = rng.normal(0, 1, (subjects, 8))[subject] + rng.normal(0, 0.5, (len(subject), 8))
    rows[group == 0] += 0.7
    rows[:, -1] += np.where(group == 0, 1.5, -1.5)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    a, b = np.triu_indices(len(subject), 1)
    return Compared((rows[a] * rows[b]).sum(axis=1), a, b, group, subject, rows), subject[a] == subject[b]


@pytest.mark.parametrize("method", SIDES)
def test_a_cohort_of_ones_group_against_a_loop(method):
    calibration, same = world()
    found = fit_normaliser(method, calibration, same, LABELS)
    judged, _ = world(seed=5)
    normalised = found.apply(judged)
    own = found.apply(calibration, fitted_on=True)
    for place in range(0, len(judged.scores), 97):
        for compared, result, strangers in ((judged, normalised, False), (calibration, own, True)):
            image = int((compared.a if method == "znorm" else compared.b)[place])
            known = zip(calibration.embeddings, calibration.group, calibration.subject, strict=True)
            cohort = [
                float(row @ compared.embeddings[image])
                for row, group, subject in known
                if group == compared.group[image] and not (strangers and subject == compared.subject[image])
            ]
            mean = sum(cohort) / len(cohort)
            deviation = math.sqrt(sum((value - mean) ** 2 for value in cohort) / len(cohort))
            assert result[place] == pytest.approx((compared.scores[place] - mean) / deviation, rel=1e-9)


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_a_curve_for_each_group_and_the_mean_between_two(method):
    compared, same = world()
    found = fit_normaliser(method, compared, same, LABELS)
    result = found.apply(compared)
    first, second = compared.group[compared.a], compared.group[compared.b]
    for g in (0, 1):
        inside = (first == g) & (second == g)
        alone = type(found.fitted.curves[g]).fit(compared.scores[inside], same[inside])
        np.testing.assert_allclose(result[inside], alone(compared.scores[inside]), rtol=1e-9)
    between = np.flatnonzero(first != second)
    curves = found.fitted.curves
    expected = (curves[0](compared.scores[between]) + curves[1](compared.scores[between])) / 2
    np.testing.assert_allclose(result[between], expected, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_it_brings_the_groups_false_matches_together(method):
    calibration, same = world(subjects=80)
    judged, of_judged = world(subjects=80, seed=3)
    found = fit_normaliser(method, calibration, same, LABELS)
    gaps = []
    for scores, fixed_on in ((judged.scores, calibration.scores),
                             (found.apply(judged), found.apply(calibration, fitted_on=True))):  # fmt: skip
        within = calibration.group[calibration.a] == calibration.group[calibration.b]
        threshold = np.quantile(fixed_on[~same & within], 0.95)
        rates = [
            (scores[~of_judged & (judged.group[judged.a] == g) & (judged.group[judged.b] == g)] >= threshold).mean()
            for g in (0, 1)
        ]
        gaps.append(abs(rates[0] - rates[1]))
    assert gaps[1] < 0.75 * gaps[0]


def test_clusters_need_no_group_and_take_pairs_with_one_image_inside():
    compared, same = world(subjects=60)
    centres = fit_clusters(compared.embeddings, 2, seed=1)
    cluster = nearest(compared.embeddings, centres)
    for image in range(0, len(cluster), 7):
        distances = [float(((compared.embeddings[image] - centre) ** 2).sum()) for centre in centres]
        assert cluster[image] == distances.index(min(distances))
    clustered = replace(compared, group=cluster)
    found = fit_normaliser("platt", clustered, same, ("cluster 0", "cluster 1"), centres)
    inside = (cluster[compared.a] == 0) | (cluster[compared.b] == 0)
    alone = type(found.fitted.curves[0]).fit(compared.scores[inside], same[inside])
    assert found.fitted.curves[0].slope == pytest.approx(alone.slope, rel=1e-9)
    assert (cluster == compared.group).mean() > 0.8 or (cluster == compared.group).mean() < 0.2
    np.testing.assert_array_equal(centres, fit_clusters(compared.embeddings, 2, seed=1))


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_what_is_stored_gives_the_same_scores(method, clustered):
    compared, same = world()
    centres = fit_clusters(compared.embeddings, 2) if clustered else None
    found = fit_normaliser(method, compared, same, LABELS, centres)
    again = from_plain(json.loads(json.dumps(as_plain(found), allow_nan=False)))
    np.testing.assert_array_equal(again.apply(compared), found.apply(compared))
    assert again.price() == found.price()
    assert ("run time" in found.price()[0]) != clustered
    assert ("72 embeddings" in found.price()[1]) == (method in SIDES)


@pytest.mark.parametrize(
    ("method", "change"),
    [("platt", {"method": "magic"}), ("platt", {"curves": []}), ("platt", {"curves": [{"slope": 1}] * 2}),
     ("isotonic", {"curves": [{"scores": [0.1, 0.0], "shares": [0, 1]}] * 2}), ("znorm", {"side": "c"}),
     ("znorm", {"group": [0, 1]}), ("platt", {"centres": [[0.0, 1.0]]}), ("platt", {"labels": None}),
     ("platt", {"curves": [{"slope": 1.0, "intercept": 0.0}, {"slope": math.nan, "intercept": 0.0}]}),
     ("platt", {"curves": [{"slope": 1.0, "intercept": 0.0}, {"slope": math.inf, "intercept": 0.0}]}),
     ("platt", {"curves": [{"slope": 1.0, "intercept": 0.0}, {"slope": -1.0, "intercept": 0.0}]}),
     ("platt", {"curves": [{"slope": 1.0, "intercept": 0.0}, {"slope": 1.0, "intercept": math.inf}]}),
     ("isotonic", {"curves": [{"scores": [0.0, math.nan], "shares": [0, 1]}] * 2}),
     ("isotonic", {"curves": [{"scores": [0.0, 1.0], "shares": [math.nan, 1]}] * 2}),
     ("platt", {"centres": [[0.0, 1.0], [math.nan, 0.0]]}), ("platt", {"labels": ["f", "f"]})],
)  # fmt: skip
def test_what_is_stored_wrongly_is_refused(method, change):
    stored = as_plain(fit_normaliser(method, *world(), LABELS))
    with pytest.raises(DataError, match="is no stored normalisation"):
        from_plain({**stored, **change})


def test_groups_with_too_few_calibration_pairs_are_named():
    compared, same = world()
    few = replace(compared, group=np.where(compared.subject < 2, 1, 0))
    with pytest.raises(DataError, match=r"fewer than 30 of a kind: m \(6 genuine, 9 impostor\)"):
        fit_normaliser("platt", few, same, LABELS)
    with pytest.raises(DataError, match=r"fewer than 30 or of fewer than 3 people: m \(6 images of 2 people\)"):
        fit_normaliser("tnorm", few, same, LABELS)


def test_scores_alone_have_no_cohort_and_no_clusters():
    compared, same = world()
    alone = replace(compared, embeddings=None)
    with pytest.raises(DataError, match="znorm needs embeddings"):
        fit_normaliser("znorm", alone, same, LABELS)
    assert fit_normaliser("platt", alone, same, LABELS).apply(alone).shape == same.shape
    with pytest.raises(ConfigError, match="choose znorm, tnorm, platt, isotonic"):
        fit_normaliser("other", compared, same, LABELS)
    for clusters, told in ((1, "1 cluster"), (73, "73 clusters")):
        with pytest.raises(DataError, match=f"{told} of 72 images"):
            fit_clusters(compared.embeddings, clusters)
