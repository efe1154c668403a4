"""benchmarks/scoring_all_pairs.py on a small world: its plain loops are right, and differences are found."""

from argparse import Namespace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fairface.embedding.store import load_embeddings


@pytest.fixture
def world(benchmarks, tmp_path):
    """Its file, and by a loop over single pairs: scores, who is the same, and the two groups of each pair."""
    from scoring_all_pairs import make

    args = Namespace(images=90, sorted_images=70, dimensions=8)
    stored = load_embeddings(make(tmp_path / "e.npz", "two groups", args))
    rows = [row / np.sqrt(row @ row) for row in stored.embeddings.astype(np.float64)]
    pairs = [
        (float(rows[i] @ rows[j]), bool(stored.labels[i] == stored.labels[j]),
         tuple(sorted((int(stored.attributes[i, 0]), int(stored.attributes[j, 0])))))
        for i in range(len(rows)) for j in range(i)
    ]  # fmt: skip
    return Namespace(embeddings=tmp_path / "e.npz", dimensions=8), pairs


def test_the_loop_counts_the_errors_of_every_pair_of_groups(world, monkeypatch):
    import all_pairs_loops

    args, pairs = world
    monkeypatch.setattr(all_pairs_loops, "BLOCK", 16)
    _, found = all_pairs_loops.loop(args, by_groups=True)
    at = all_pairs_loops.threshold_of(8)
    cells = [(0, 0), (0, 1), (1, 1)]
    assert found["genuine"] == sum(same for _, same, _ in pairs) > 0
    assert found["impostor"] == len(pairs) - found["genuine"]
    for name, kind in (("fnmr", True), ("fmr", False)):
        wrong = [groups for score, same, groups in pairs if same == kind and (score >= at) != same]
        assert found[name] == [wrong.count(cell) for cell in cells]
    assert min(found["fmr"]) > 0


def test_sorting_gives_the_area_and_tar_of_other_ways(world):
    from all_pairs_loops import sort

    args, pairs = world
    _, found = sort(args)
    scores, same = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    assert found["auc"] == pytest.approx(roc_auc_score(same, scores), abs=1e-12)
    beyond = np.sort(scores[~same])[::-1][int(0.01 * (~same).sum())]
    assert found["tar"]["0.01"] == (scores[same] > beyond).mean()


def test_sides_that_differ_are_refused(benchmarks):
    from all_pairs_loops import check_same

    from fairface.errors import FairfaceError

    one = {"genuine": 10, "impostor": 100, "fmr": [5, 6], "auc": 0.9, "tar": {"0.01": 0.5}}
    check_same("sorted", one, {**one, "auc": 0.90005, "fmr": [5, 9]})
    for wrong in ({"auc": 0.8}, {"fmr": [5, 12]}, {"tar": {"0.01": 0.4}}, {"genuine": 11}):
        with pytest.raises(FairfaceError, match=next(iter(wrong))):
            check_same("sorted", one, {**one, **wrong})


def test_every_task_has_pairs_a_second_and_memory_of_both_sides(result_of):
    result = result_of("scoring_all_pairs")
    assert result["same_results"] is True
    assert {name.split(", ")[0] for name in result["results"]} == {"verification", "two groups", "sorted"}
    for name, figures in result["results"].items():
        images = 200 if name.startswith("sorted") else 240
        assert figures["pairs"] == images * (images - 1) // 2
        assert figures["pairs_per_second"] == pytest.approx(figures["pairs"] / figures["seconds"])
        assert figures["peak_mb"] > 1
