"""The AdaFace experiment: how photographs are degraded, which arms run, what the page says of their scores."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fairface.comparisons import Comparisons
from fairface.config.load import load_config
from fairface.data.images import decode, encode_jpeg
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.errors import DataError

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture(scope="module")
def parts() -> Iterator[dict[str, dict[str, Any]]]:
    sys.path.insert(0, str(EXPERIMENTS))
    try:
        names = ("adaface", "adaface_arms", "adaface_page", "adaface_summary", "degrade")
        yield {name: runpy.run_path(str(EXPERIMENTS / f"{name}.py")) for name in names}
    finally:
        sys.path.remove(str(EXPERIMENTS))


def test_degraded_photographs(parts: dict[str, Any], tmp_path: Path) -> None:
    degrade = parts["degrade"]["degrade"]
    image = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    found = degrade(image)
    assert (found.shape, found.dtype) == ((112, 112, 3), np.uint8)
    small = image.reshape(28, 4, 28, 4, 3).mean(axis=(1, 3))
    taps = np.exp(-0.5 * (np.arange(-3, 4) / 0.5) ** 2)
    taps /= taps.sum()
    padded = np.pad(small, ((3, 3), (3, 3), (0, 0)), mode="reflect")
    rows = sum(tap * padded[k : k + 28] for k, tap in enumerate(taps))
    blurred = sum(tap * rows[:, k : k + 28] for k, tap in enumerate(taps))
    # Linear interpolation between the centres of the small pixels; at the border the last one goes on.
    place = (np.arange(112) + 0.5) / 4 - 0.5
    left, share = np.floor(place).astype(int), place - np.floor(place)
    first, second = np.clip(left, 0, 27), np.clip(left + 1, 0, 27)
    wide = blurred[:, first] * (1 - share)[:, None] + blurred[:, second] * share[:, None]
    expected = wide[first] * (1 - share)[:, None, None] + wide[second] * share[:, None, None]
    assert np.abs(found - expected).max() < 2.5  # rounded three times on the way
    (tmp_path / "clean" / "ann").mkdir(parents=True)
    (tmp_path / "clean" / "ann" / "1.jpg").write_bytes(encode_jpeg(image))
    parts["degrade"]["degrade_folder"](tmp_path / "clean", tmp_path / "degraded")
    written = decode((tmp_path / "degraded" / "ann" / "1.png").read_bytes(), "1.png")
    np.testing.assert_array_equal(written, degrade(decode(encode_jpeg(image), "1.jpg")))
    with pytest.raises(DataError, match="holds no"):
        parts["degrade"]["degrade_folder"](tmp_path / "degraded", tmp_path / "twice")


def test_arms_their_order_and_their_margins(parts: dict[str, Any]) -> None:
    results = [
        {"head": "adaface", "margin": 0.2, "auc": {"clean": 0.9, "degraded": 0.6, "mixed": 0.9}},
        {"head": "adaface", "margin": 0.4, "auc": {"clean": 0.8, "degraded": 0.8, "mixed": 0.1}},
        {"head": "arcface", "margin": 0.25, "auc": {"clean": 0.9, "degraded": 0.8, "mixed": 0.1}},
        {"head": "arcface", "margin": 0.5, "auc": {"clean": 0.8, "degraded": 0.8, "mixed": 0.9}},
    ]
    margins = parts["adaface"]["chosen_margins"](results)
    assert margins == {"adaface": 0.4, "arcface": 0.25}
    margins["cosface"] = 0.2
    names = [arm.name for arm in parts["adaface"]["arms_of"]([0, 1], margins, True)]
    assert names[:4] == ["model", "scratch_adaface_0", "scratch_arcface_0", "scratch_cosface_0"]
    assert names[4:7] == ["tuned_adaface_0", "tuned_arcface_0", "tuned_cosface_0"]
    assert (len(names), len(set(names))) == (13, 13)
    assert {arm.kind for arm in parts["adaface"]["arms_of"]([0], margins, False)} == {"scratch"}
    assert [arm.split for arm in parts["adaface"]["choices"]()] == ["validation"] * 6


@pytest.mark.parametrize(("kind", "config"), [("scratch", "lfw_adaface.yaml"), ("tuned", "lfw_adaface_tune.yaml")])
@pytest.mark.parametrize("head", ["adaface", "arcface", "cosface"])
def test_the_command_of_an_arm_is_a_configuration(
    parts: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, config: str, head: str
) -> None:
    called: list[list[str]] = []
    arms = parts["adaface_arms"]
    monkeypatch.setattr(sys.modules["lfw_arms"], "call", lambda words, name: called.append(words))
    work = arms["Work"](tmp_path / "lfw", tmp_path, "/models/model,0")
    assert arms["train"](arms["Arm"](kind, head, 2, 0.25), work) == str(tmp_path / "models" / f"{kind}_{head}_2")
    program, path, *settings, again = called[0]
    assert (Path(program).name, Path(path).name, again) == ("train.py", config, "--overwrite")
    found = load_config(path, settings)
    margins = {"adaface": found.head.options.get("m"), "arcface": found.head.m2, "cosface": found.head.m3}
    assert (found.head.name, found.seed, margins[head]) == (head, 2, 0.25)
    assert found.start_from == ("/models/model,0" if kind == "tuned" else "")


def test_rows_follow_the_pair_list_whatever_the_suffix(parts: dict[str, Any], tmp_path: Path) -> None:
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    save_embeddings(tmp_path / "rows.npz", Embeddings(rows, ("a/1.png", "a/2.png", "b/1.png")))
    found = parts["adaface_arms"]["rows_of"](tmp_path / "rows.npz", ["b/1.jpg", "a/1.jpg"])
    np.testing.assert_array_equal(found, rows[[2, 0]])
    with pytest.raises(DataError, match="c/1 first"):
        parts["adaface_arms"]["rows_of"](tmp_path / "rows.npz", ["c/1.jpg"])


def test_an_arm_is_scored_in_three_conditions_and_made_once(
    parts: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lfw" / "aligned" / "test"
    folder.mkdir(parents=True)
    rows = ["a/1.jpg,a/2.jpg,1,a,a", "a/2.jpg,b/1.jpg,0,a,b", "b/1.jpg,a/1.jpg,0,b,a"]
    (folder / "test_pairs.csv").write_text("\n".join(["image_a,image_b,same,subject_a,subject_b", *rows, ""]))
    rng = np.random.default_rng(0)
    stored = {quality: rng.normal(size=(3, 4)).astype(np.float32) for quality in ("clean", "degraded")}
    called: list[str] = []

    def embed(words: list[str], name: str) -> None:
        called.append(name)
        assert words[1] == "/models/model,0"
        quality = "clean" if words[words.index("--data") + 1] == str(folder) else "degraded"
        suffix = "jpg" if quality == "clean" else "png"
        names = tuple(f"{stem}.{suffix}" for stem in ("a/1", "a/2", "b/1"))
        save_embeddings(words[words.index("--output") + 1], Embeddings(stored[quality], names))

    arms = parts["adaface_arms"]
    monkeypatch.setitem(arms["make"].__globals__, "call", embed)
    work = arms["Work"](tmp_path / "lfw", tmp_path, "/models/model,0")
    result = arms["make"](arms["Arm"]("model"), work)
    assert arms["make"](arms["Arm"]("model"), work) == result
    assert called == ["model", "model"]
    units = {quality: of / np.linalg.norm(of.astype(np.float64), axis=1)[:, None] for quality, of in stored.items()}
    with np.load(tmp_path / "model.npz") as scores:
        for name, first, second in (
            ("clean", "clean", "clean"), ("degraded", "degraded", "degraded"), ("mixed", "clean", "degraded"),
        ):  # fmt: skip
            expected = [float(units[first][i] @ units[second][j]) for i, j in ((0, 1), (1, 2), (2, 0))]
            np.testing.assert_allclose(scores[name], expected, atol=1e-12)
            assert result["auc"][name] == pytest.approx(np.mean([expected[0] > other for other in expected[1:]]))


def test_the_page_tells_better_from_worse_and_what_is_missing(parts: dict[str, Any], tmp_path: Path) -> None:
    people = np.repeat(np.arange(60), 2)
    a, b = np.triu_indices(len(people), 1)
    same = people[a] == people[b]
    comparisons = Comparisons(a, b, same, np.full(len(a), -1, np.int32), people[a], people[b])
    rng = np.random.default_rng(0)
    strength = {"scratch_adaface": 3.0, "scratch_arcface": 1.0, "scratch_cosface": 3.0, "tuned_arcface": 0.5}
    runs = {f"{way}_{seed}": (way, seed) for way in strength for seed in (0, 1)} | {"model": ("model", 0)}
    for name, (way, seed) in runs.items():
        arm = {"kind": way.split("_")[0], "head": way.split("_")[-1], "seed": seed, "margin": 0.2}
        (tmp_path / f"{name}.json").write_text(json.dumps(arm))
        scores = {c: rng.normal(strength.get(way, 3.0) * same, 1.0) for c in ("clean", "degraded", "mixed")}
        np.savez(tmp_path / f"{name}.npz", **scores)  # type: ignore[arg-type]
    (tmp_path / "embeddings").mkdir()
    lengths = {"clean": [3.0, 1.0, 2.0], "degraded": [2.0, 0.5, 4.0]}
    for quality, values in lengths.items():
        rows = np.array(values, np.float32)[:, None] * np.array([[0.6, 0.8]], np.float32)
        save_embeddings(tmp_path / "embeddings" / f"model_{quality}.npz", Embeddings(rows, ("a", "b", "c")))
    (tmp_path / "choice_adaface_0.2.json").write_text(
        json.dumps({"head": "adaface", "margin": 0.2, "auc": {"clean": 0.75, "degraded": 0.625}, "seconds": 1})
    )
    result = json.loads(json.dumps(parts["adaface_summary"]["summarise"](tmp_path, comparisons, [0, 1], rounds=100)))
    assert result["missing"] == ["tuned_adaface_0", "tuned_adaface_1", "tuned_cosface_0", "tuned_cosface_1"]
    verdicts = {(one["after"], one["before"], one["condition"], one["measure"]): one for one in result["differences"]}
    assert len(verdicts) == 3 * 3 * 3
    one = verdicts["scratch_adaface", "scratch_arcface", "degraded", "AUC"]
    areas = []
    for seed in (0, 1):
        with (
            np.load(tmp_path / f"scratch_adaface_{seed}.npz") as mine,
            np.load(tmp_path / f"scratch_arcface_{seed}.npz") as other,
        ):
            areas.append(roc_auc_score(same, mine["degraded"]) - roc_auc_score(same, other["degraded"]))
    assert one["by_seed"] == pytest.approx(areas, abs=1e-12)
    assert one["value"] == pytest.approx(np.mean(areas), abs=1e-12)
    assert one["verdict"] == "better"
    assert one["low"] <= one["value"] <= one["high"]
    assert verdicts["scratch_adaface", "scratch_cosface", "clean", "AUC"]["verdict"] == "not distinguishable"
    assert verdicts["tuned_arcface", "model", "mixed", "TAR at FMR 0.01"]["verdict"] == "worse"
    text = parts["adaface_page"]["page"](result)
    assert "**Not there yet** (4 arms): tuned_adaface_0" in text
    assert f"{len(same) - 60} impostor pairs of 60 test people: FMR 0.001 allows 7 false" in text
    with np.load(tmp_path / "model.npz") as model:
        assert f"| degraded | the model, unchanged |  | {roc_auc_score(same, model['degraded']):.4f} |" in text
    assert f"| better | {areas[0]:+.4f} {areas[1]:+.4f} |" in text
    assert "| AdaFace | 0.2 | 0.7500 | 0.6250 | taken |" in text
    longer = np.mean([(c > d) + (c == d) / 2 for c in lengths["clean"] for d in lengths["degraded"]])
    assert f"| the model, unchanged | {longer:.3f} | {longer:.3f} |" in text
    assert "- **ArcFace finetuned against the model, unchanged**, TAR at FMR 0.01: clean -" in text


def test_a_page_without_arms_names_all_of_them(parts: dict[str, Any], tmp_path: Path) -> None:
    one = np.array([0, 0])
    comparisons = Comparisons(one, one, one == 0, one.astype(np.int32), one, one)
    text = parts["adaface_page"]["page"](parts["adaface_summary"]["summarise"](tmp_path, comparisons, [4]))
    assert "No two arms can be compared yet." in text
    names = "scratch_adaface_4, scratch_arcface_4, scratch_cosface_4, tuned_adaface_4, tuned_arcface_4, tuned_cosface_4"
    assert f"**Not there yet** (7 arms): {names}, model." in text


def test_seeds_of_different_margins_are_not_averaged(parts: dict[str, Any], tmp_path: Path) -> None:
    for seed, margin in enumerate((0.2, 0.4)):
        (tmp_path / f"scratch_adaface_{seed}.json").write_text(json.dumps({"margin": margin}))
    one = np.array([0, 0])
    comparisons = Comparisons(one, one, one == 0, one.astype(np.int32), one, one)
    with pytest.raises(DataError, match="scratch_adaface_0 and its other seeds have different margins"):
        parts["adaface_summary"]["summarise"](tmp_path, comparisons, [0, 1])
