"""Accuracy on the five sets against a plain loop, and against AdaFace's own program."""

from pathlib import Path

import numpy as np
import pytest

from fairface.data.images import encode_png
from fairface.data.pairsets.bin_set import write_bin
from fairface.embedding.fusion import flip_sum
from fairface.errors import DataError
from fairface.evaluation.five_sets import score_sets
from fairface.scoring.fold_interval import accuracy_interval

VECTORS = Path(__file__).parents[1] / "vectors" / "score_verification_10fold.npz"
SIDE = 4


def tiny_bin(path: Path, pairs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A set of images of a few pixels: the images (2M, 4, 4, 3) and which pairs are the same."""
    rng = np.random.default_rng(seed)
    people = rng.integers(0, 256, (pairs, SIDE, SIDE, 3))
    same = rng.random(pairs) < 0.5
    other = np.where(same[:, None, None, None], people, rng.integers(0, 256, people.shape))
    images = np.clip(np.stack([people, other], axis=1) + rng.normal(0, 60, (pairs, 2, SIDE, SIDE, 3)), 0, 255)
    pixels = images.reshape(2 * pairs, SIDE, SIDE, 3).astype(np.uint8)
    write_bin(path, [encode_png(image) for image in pixels], same)
    return pixels, same


def features(images) -> np.ndarray:
    """Centred pixels of every image and its mirror image, added: lengths differ, so each view counts by its own."""
    pixels = np.stack([images[i].image for i in range(len(images))]).astype(np.float32) - 127.5
    return flip_sum(pixels.reshape(len(pixels), -1), pixels[:, :, ::-1].reshape(len(pixels), -1))


def accuracies_by_a_loop(pixels: np.ndarray, same: np.ndarray, folds: int = 10) -> list[float]:
    """The published program in float64: norm-weighted sum of both views, unit length, squared distance, a threshold
    from 0 to 4 in steps of 0.01 learnt on the other folds."""
    views = []
    for image in pixels.astype(np.float64) - 127.5:
        total = 0.0
        for view in (image, image[:, ::-1]):
            length = np.sqrt((view**2).sum())
            total = total + view.ravel() / length * length
        views.append(total / np.sqrt((total**2).sum()))
    distances = np.array([((views[2 * i] - views[2 * i + 1]) ** 2).sum() for i in range(len(same))])
    parts, result = np.array_split(np.arange(len(same)), folds), []
    for part in parts:
        others = np.setdiff1d(np.arange(len(same)), part)
        right = [np.mean((distances[others] < 0.01 * t) == same[others]) for t in range(400)]
        best = 0.01 * int(np.argmax(right))
        result.append(float(np.mean((distances[part] < best) == same[part])))
    return result


def test_each_set_and_the_average_equal_a_loop(tmp_path: Path) -> None:
    given = {name: tiny_bin(tmp_path / f"{name}.bin", pairs, seed)
             for seed, (name, pairs) in enumerate({"lfw": 60, "calfw": 73, "cfp_ff": 40}.items())}  # fmt: skip
    paths = {"LFW": tmp_path / "lfw.bin", "CALFW": tmp_path / "calfw.bin", "CFP-FF": tmp_path / "cfp_ff.bin"}
    told = []
    result = score_sets(paths, features, told=lambda title, one: told.append((title, one.folds.mean)))
    expected = {name: accuracies_by_a_loop(*of) for name, of in given.items()}
    for title, name in (("LFW", "lfw"), ("CALFW", "calfw"), ("CFP-FF", "cfp_ff")):
        found = result.sets[title]
        np.testing.assert_allclose(found.folds.accuracies, expected[name], rtol=0, atol=1e-12)
        same = given[name][1]
        assert (found.genuine, found.impostor) == (same.sum(), (~same).sum())
    means = [np.mean(expected[name]) for name in ("lfw", "calfw")]
    assert min(means) < 0.99, "a set without errors would hide faults"
    assert result.average == pytest.approx(np.mean(means), abs=1e-12)  # CFP-FF is none of the five
    ends = accuracy_interval([np.array(expected["lfw"]), np.array(expected["calfw"])], [60, 73])
    assert result.interval == pytest.approx(ends)
    assert [title for title, _ in told] == ["LFW", "CALFW", "CFP-FF"]
    told_of = result.to_dict()
    assert told_of["average_of"] == ["LFW", "CALFW"]
    assert told_of["sets"]["CALFW"]["accuracies"] == result.sets["CALFW"].folds.accuracies.tolist()


def test_adafaces_own_embeddings_give_its_own_accuracies(tmp_path: Path) -> None:
    with np.load(VECTORS) as file:
        reference = dict(file)
    dots = [encode_png(np.zeros((1, 1, 3), np.uint8))] * len(reference["embeddings"])
    write_bin(tmp_path / "cfp_fp.bin", dots, reference["issame"])
    found = score_sets({"CFP-FP": tmp_path / "cfp_fp.bin"}, lambda images: reference["embeddings"]).sets["CFP-FP"]
    np.testing.assert_array_equal(found.folds.accuracies, reference["ada_accuracy"])
    threshold = 1 - float(reference["ada_best_thresholds"].mean()) / 2
    assert found.to_dict()["threshold"] == pytest.approx(threshold, abs=1e-12)


def test_without_one_of_the_five_there_is_no_average(tmp_path: Path) -> None:
    tiny_bin(tmp_path / "cfp_ff.bin", 20, 0)
    result = score_sets({"CFP-FF": tmp_path / "cfp_ff.bin"}, features)
    assert (result.average, result.interval, result.to_dict()["average_of"]) == (None, None, [])


def test_errors_name_the_set(tmp_path: Path) -> None:
    tiny_bin(tmp_path / "lfw.bin", 8, 0)
    with pytest.raises(DataError, match=r"lfw\.bin: 8 comparisons cannot be split into 10 folds"):
        score_sets({"LFW": tmp_path / "lfw.bin"}, features)
    tiny_bin(tmp_path / "calfw.bin", 12, 0)
    with pytest.raises(DataError, match=r"calfw\.bin: 24 of 24 embeddings are not finite"):
        score_sets({"CALFW": tmp_path / "calfw.bin"}, lambda images: np.full((24, 3), np.nan, np.float32))
