"""The VirFace experiment: which arms run, what they start from, and what the page says of their scores."""

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

from fairface.config.load import load_config
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.errors import DataError

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture(scope="module")
def parts() -> Iterator[dict[str, dict[str, Any]]]:
    sys.path.insert(0, str(EXPERIMENTS))
    try:
        names = ("virface", "virface_arms", "virface_page", "virface_summary")
        yield {name: runpy.run_path(str(EXPERIMENTS / f"{name}.py")) for name in names}
    finally:
        sys.path.remove(str(EXPERIMENTS))


@pytest.fixture
def lfw(tmp_path: Path) -> Path:
    """60 test people with two photographs each, compared with one another; three base people."""
    folder = tmp_path / "lfw" / "aligned" / "test"
    folder.mkdir(parents=True)
    names = [f"p{person:02d}/{photo}.jpg" for person in range(60) for photo in (0, 1)]
    rows = [
        f"{a},{b},{int(a[:3] == b[:3])},{a[:3]},{b[:3]}" for i, a in enumerate(names) for b in names[i + 1 :]
    ]  # fmt: skip
    (folder / "test_pairs.csv").write_text("\n".join(["image_a,image_b,same,subject_a,subject_b", *rows, ""]))
    for name in ("ann/2.jpg", "ann/1.jpg", "bo/1.jpg", "bo/1.txt"):
        path = tmp_path / "lfw" / "aligned" / "base" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "lfw"


def _result(arm: Any, area: float, **more: Any) -> dict[str, Any]:
    measured = {"AUC": area, "TAR at FMR 0.01": 0.5, "TAR at FMR 0.001": 0.25}
    return {
        "way": arm.way, "seed": arm.seed, "trial": arm.trial, "start": arm.start, "settings": list(arm.settings),
        "steps": arm.steps, "measures": measured, "seconds": 1.0, **more,
    }  # fmt: skip


def test_trials_choose_the_settings_of_the_arms(parts: dict[str, Any]) -> None:
    trials = parts["virface"]["TRIALS"]
    names = [trial.trial for trial in trials]
    assert len(set(names)) == len(names) >= 7
    assert {trial.split for trial in trials} == {"validation"}
    # The best trial of each way is taken; never one that starts elsewhere or only explains.
    areas = {"virclass_16": 0.9, "virface_light": 0.8, "labeled": 0.7}
    areas |= dict.fromkeys(("virface_mean", "early_virclass", "few_virclass"), 0.99)
    settings = parts["virface"]["chosen_settings"]([_result(one, areas.get(one.trial, 0.5)) for one in trials])
    assert settings == {
        "labeled": (),
        "virclass": ("sources.unlabeled.batch_size=16",),
        "virface": ("virface.instance_weight=0.1",),
    }
    arms = parts["virface"]["arms_of"]([3, 4], settings)
    assert [arm.name for arm in arms][:4] == ["labeled_3", "virclass_3", "virface_3", "labeled_4"]
    assert arms[1].settings == settings["virclass"]
    assert {arm.split for arm in arms} == {"test"}


def test_every_arm_is_a_chain_of_configurations(
    parts: dict[str, Any], lfw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[list[str]] = []
    arms = parts["virface_arms"]
    used = parts["virface"]["work_through"].__globals__["train_from_scratch"].__globals__
    monkeypatch.setattr(sys.modules["lfw_arms"], "call", lambda words, name: called.append(words))
    monkeypatch.setitem(parts["virface"]["work_through"].__globals__, "make", used["train"])
    work = arms["Work"](lfw, tmp_path)
    arms["write_few"](work)
    assert (tmp_path / "few.txt").read_text() == "ann/1.jpg 0\nann/2.jpg 0\nbo/1.jpg 1\n"
    for arm in [*parts["virface"]["TRIALS"], arms["Arm"]("virface", 2)]:
        called.clear()
        assert parts["virface"]["work_through"]([arm], work, 1) == [str(tmp_path / "models" / arm.name)]
        found = [load_config(words[1], words[2:-1]) for words in called]
        assert {words[-1] for words in called} == {"--overwrite"}
        assert {config.seed for config in found} == {arm.seed}
        assert {(c.head.name, c.head.m2, c.head.s) for c in found} == {("arcface", 0.25, 32.0)}
        last = found[-1]
        assert (last.stage, last.steps) == (arms["STAGES"][arm.way], arm.steps)
        # Each starts from the one before it.
        runs = [str(Path(config.output) / config.name) for config in found]
        assert [config.start_from for config in found] == ["", *runs[:-1]]
        assert len(found) == (3 if arm.way == "virface" else 2)
        assert [source.name for source in last.sources] == ([] if arm.way == "labeled" else ["labeled", "unlabeled"])
        if arm.way != "labeled":
            labeled, unlabeled = last.sources
            assert unlabeled.unlabeled
            assert not labeled.unlabeled
            assert (unlabeled.data.path, unlabeled.data.root) == (str(lfw / "single"), "")
            assert labeled.data.path == str(tmp_path / "few.txt" if arm.start == "few" else lfw / "base")
        assert found[0].steps == (938 if arm.start == "whole" else 312)
    called.clear()
    # What several arms start from is trained once, before all of them.
    parts["virface"]["work_through"]([arms["Arm"]("virface", 2), arms["Arm"]("labeled", 2)], work, 2)
    names = [next(word for word in words if word.startswith("name=")) for words in called]
    assert names[:2] == ["name=scratch_arcface_2", "name=generator_whole_2"]
    assert sorted(names[2:]) == ["name=labeled_2", "name=virface_2"]


def test_an_arm_is_scored_once(
    parts: dict[str, Any], lfw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = parts["virface_arms"]
    names = tuple(f"p{person:02d}/{photo}.jpg" for person in range(60) for photo in (0, 1))
    rows = np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32)
    called: list[str] = []

    def call(words: list[str], name: str) -> None:
        called.append(Path(words[0]).name)
        if called[-1] == "embed.py":
            assert words[1:4] == [str(tmp_path / "models" / "labeled_1"), "--data", str(lfw / "aligned" / "test")]
            save_embeddings(words[-1], Embeddings(rows, names))

    for module in ("lfw_arms", "adaface_arms"):
        monkeypatch.setattr(sys.modules[module], "call", call)
    work = arms["Work"](lfw, tmp_path)
    result = arms["make"](arms["Arm"]("labeled", 1), work)
    assert arms["make"](arms["Arm"]("labeled", 1), work) == json.loads(json.dumps(result))
    assert called == ["train.py", "embed.py"]
    unit = rows / np.linalg.norm(rows.astype(np.float64), axis=1)[:, None]
    a, b = np.triu_indices(120, 1)
    expected = np.einsum("ij,ij->i", unit[a], unit[b])
    with np.load(tmp_path / "labeled_1.npz") as stored:
        np.testing.assert_allclose(stored["scores"], expected, atol=1e-12)
    assert result["measures"]["AUC"] == pytest.approx(roc_auc_score(a // 2 == b // 2, expected), abs=1e-12)


def test_the_page_gives_verdicts_trials_and_what_is_missing(parts: dict[str, Any], lfw: Path, tmp_path: Path) -> None:
    arms = parts["virface_arms"]
    a, b = np.triu_indices(120, 1)
    same, rng = a // 2 == b // 2, np.random.default_rng(0)
    strength = {"labeled": 1.0, "virclass": 3.0, "virface": 0.9}
    areas: dict[str, list[float]] = {way: [] for way in strength}
    for seed in (0, 1):
        for way, of in strength.items():
            scores = rng.normal(of * same, 1.0)
            areas[way].append(float(roc_auc_score(same, scores)))
            arm = arms["Arm"](way, seed)
            (tmp_path / f"{arm.name}.json").write_text(json.dumps(_result(arm, areas[way][-1])))
            np.savez(tmp_path / f"{arm.name}.npz", scores=scores)
    trials = parts["virface"]["TRIALS"]
    for trial, area in zip(trials[:2], (0.75, 0.875), strict=True):
        (tmp_path / f"{trial.name}.json").write_text(json.dumps(_result(trial, area)))
    work = arms["Work"](lfw, tmp_path)
    result = json.loads(json.dumps(parts["virface_summary"]["summarise"](work, trials, [0, 1, 2], rounds=100)))
    assert result["missing"][-3:] == ["labeled_2", "virclass_2", "virface_2"]
    assert len(result["missing"]) == len(trials) - 2 + 3
    found = {(one["after"], one["before"], one["measure"]): one for one in result["differences"]}
    assert len(found) == 9
    one = found["virclass", "labeled", "AUC"]
    assert one["by_seed"] == pytest.approx(np.subtract(areas["virclass"], areas["labeled"]), abs=1e-12)
    assert (one["verdict"], one["seeds"]) == ("better", [0, 1])
    assert found["virface", "virclass", "AUC"]["verdict"] == "worse"
    text = parts["virface_page"]["page"](result)
    assert f"**Not there yet** ({len(trials) + 1} arms): trial_virclass_16" in text
    assert "7080 impostor pairs of 60 test people: FMR 0.001 allows 7 false" in text
    assert f"| VirClass | defaults | 0 1 | {np.mean(areas['virclass']):.4f} | 0.500 | 0.250 |" in text
    assert "| VirClass | the whole net | defaults | 0.8750 | 0.500 | 0.250 | +0.1250 |" in text
    assert "Why the paper" not in text  # its trials are not there yet
    for trial in trials[2:]:
        (tmp_path / f"{trial.name}.json").write_text(json.dumps(_result(trial, 0.625)))
    whole = parts["virface_summary"]["summarise"](work, trials, [0, 1], rounds=10)
    told = parts["virface_page"]["page"](whole).split("## Why the paper")[1]
    assert "VirFace does harm: AUC 0.6250, labeled images only 0.7500" in told


def test_seeds_of_different_settings_are_not_averaged(parts: dict[str, Any], lfw: Path, tmp_path: Path) -> None:
    arms = parts["virface_arms"]
    for seed, settings in enumerate(((), ("virface.dropout=0.5",))):
        arm = arms["Arm"]("virclass", seed, settings=settings)
        (tmp_path / f"{arm.name}.json").write_text(json.dumps(_result(arm, 0.5)))
    with pytest.raises(DataError, match="the seeds of virclass have different settings"):
        parts["virface_summary"]["summarise"](arms["Work"](lfw, tmp_path), (), [0, 1])
