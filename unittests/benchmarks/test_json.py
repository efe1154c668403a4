"""Every benchmark prints one JSON object with ratios of which above 1 means that ours is better."""

import math
import re

import numpy as np
import pytest

from fairface.faces.align import template
from unittests.interop.dlib.dlib_writer import TinyNet


def programs(root):
    """Those that a user runs; the sides that others start take no arguments."""
    return {p.stem for p in (root / "benchmarks").glob("*.py") if re.search(r"^def main\(argv", p.read_text(), re.M)}


SMALL = [
    "align", "classifier", "dlib_net", "embed", "fairness_bootstrap", "formats", "input_pipeline", "masks",
    "onnx_engines", "open_records", "orl_seeds", "report", "retrieval", "scoring", "scoring_all_pairs", "soak",
    "train_from_disk", "train_step", "virface", "workers",
]  # fmt: skip


def test_every_program_is_tried(root):
    assert programs(root) == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_json_has_ratios_with_their_spread(result_of, name):
    result = result_of(name)
    assert result["benchmark"] == name
    assert result["ratios"]
    assert set(result["ratio_spread"]) == set(result["ratios"])
    for comparison, ratio in result["ratios"].items():
        spread = result["ratio_spread"][comparison]
        assert 0 < spread["min"] <= ratio <= spread["max"] < math.inf
        assert spread["readings"] >= (1 if comparison.endswith(", memory") else 2)


def test_above_1_means_ours_is_better(result_of):
    rates = result_of("input_pipeline")
    assert (
        rates["ratio_spread"]["ours / ImageRecordIter"]["max"]
        <= rates["ours"]["max"] / (rates["image_record_iter"]["min"])
    )
    seconds = result_of("open_records")
    assert (seconds["ratio_spread"]["cached / plain loop"]["max"]
            <= seconds["plain loop"]["range"][1] / seconds["cached"]["range"][0])  # fmt: skip
    assert seconds["cold"]["records"] == seconds["cached"]["records"] == seconds["plain loop"]["records"] == 3000
    disk = result_of("train_from_disk")
    assert (disk["ratio_spread"]["from disk / from memory"]["min"]
            >= disk["disk"]["min"] / disk["in_memory"]["max"])  # fmt: skip
    assert disk["resident_bytes"]["late"] > 2**20


def test_a_mask_of_triangles_covers_nose_and_mouth(benchmarks):
    from mask_peers import COLOUR, TriangleWarp, polygon

    image = np.full((112, 112, 3), 60, np.uint8)
    for draw in (TriangleWarp(112), polygon):
        masked = draw(image, template(112))
        changed = (masked != 60).any(axis=2)
        for x, y in np.rint(template(112)[2:]).astype(int):
            assert masked[y, x].tolist() == list(COLOUR)
        assert not changed[:55].any()
        assert 0.2 < changed.mean() < 0.5


def test_masked_training_is_compared_with_unmasked(result_of):
    found = result_of("masks")
    assert set(found["ratios"]) == {"ours / triangle warp", "ours / polygon", "masked from disk / from memory"}
    assert (found["ratio_spread"]["ours / polygon"]["max"]
            <= found["drawing"]["ours"]["max"] / found["drawing"]["polygon"]["min"])  # fmt: skip
    assert found["ratios"]["ours / polygon"] < found["ratios"]["ours / triangle warp"]


def test_ratios_of_the_seeds_are_medians_of_each_seed(result_of):
    result = result_of("orl_seeds")
    assert result["ratios"] == pytest.approx({"AUC, ours / eigenfaces": 1.0, "TAR at FMR 0.01, ours / eigenfaces": 1.4})
    assert result["ratio_spread"]["TAR at FMR 0.01, ours / eigenfaces"] == pytest.approx(
        {"median": 1.4, "min": 1.2, "max": 1.6, "readings": 3}
    )
    assert not result["every_seed_above_eigenfaces"]


def test_quotients_are_taken_turn_by_turn(benchmarks):
    from figures import quotients, ratios

    found = ratios({"a / b": quotients([1.0, 6.0, 12.0], [2.0, 3.0, 3.0])})
    assert found["ratios"] == {"a / b": 2.0}
    assert found["ratio_spread"] == {"a / b": {"median": 2.0, "min": 0.5, "max": 4.0, "readings": 3}}
    with pytest.raises(ValueError, match="argument 2"):
        quotients([1.0], [1.0, 2.0])


def test_descriptors_of_two_sides_are_compared(result_of, benchmarks, tmp_path):
    apart = result_of("dlib_net")["differences"]
    assert set(apart) == {"ours one by one"}
    assert apart["ours one by one"]["number"] < 1e-6
    from dlib_net import compared

    ours, other = np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([[3.0, 4.5], [0.0, 1.0]])
    np.save(tmp_path / "0.npy", ours)
    np.save(tmp_path / "1.npy", other)
    assert compared(["ours", "dlib"], tmp_path)["dlib"] == pytest.approx(
        {"number": 0.5, "share of the length": 0.5 / math.hypot(3, 4.5)}
    )


def test_the_engines_can_be_given_a_known_model(benchmarks, tmp_path):
    from embed_mxnet import embedder
    from embed_onnx import onnx_embedder

    tiny = TinyNet()
    (tmp_path / "tiny.dat").write_bytes(tiny.content())
    job = {"model": str(tmp_path / "tiny.dat"), "net": "none", "batch": 2, "calibration_images": 32}
    images = np.random.default_rng(2).integers(0, 256, (2, 46, 46, 3), np.uint8)
    wanted = [tiny.embedding(image) + tiny.embedding(image[:, ::-1]) for image in images]
    found = [of({**job, "precision": "fp32"}) for of in (lambda job: embedder(job, ""), onnx_embedder)]
    for side, _ in found:
        np.testing.assert_allclose(side.embed(images), wanted, rtol=1e-4, atol=1e-4)
    assert len({values for _, values in found}) == 1  # the sides are told to be the same net
    smaller, _ = onnx_embedder({**job, "precision": "int8"})
    assert not np.allclose(smaller.embed(images), wanted, rtol=1e-4, atol=1e-4)
