"""The experiments on masked faces: what their arms train on, how they are scored, and what the pages say."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from fairface.config.load import load_config
from fairface.embedding.store import Embeddings, save_embeddings

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
NAMES = [f"p{person:02d}/{photo}.jpg" for person in range(20) for photo in range(1 + person % 4)]


@pytest.fixture(scope="module")
def parts() -> Iterator[dict[str, dict[str, Any]]]:
    sys.path.insert(0, str(EXPERIMENTS))
    try:
        names = ("masks", "masks_page", "uda", "uda_page", "masked_arms", "masked_summary", "masked_tables")
        yield {name: runpy.run_path(str(EXPERIMENTS / f"{name}.py")) for name in names}
    finally:
        sys.path.remove(str(EXPERIMENTS))


@pytest.fixture
def lfw(tmp_path: Path) -> Path:
    """20 test people with one to four photographs each, every pair of them compared; a mask fits on all but one."""
    folder = tmp_path / "lfw" / "aligned" / "test"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((112, 112, 3), 128, np.uint8))
    rows = [f"{a},{b},{int(a[:3] == b[:3])},{a[:3]},{b[:3]}" for i, a in enumerate(NAMES) for b in NAMES[i + 1 :]]
    (folder / "test_pairs.csv").write_text("\n".join(["image_a,image_b,same,subject_a,subject_b", *rows, ""]))
    return tmp_path / "lfw"


def test_arms_differ_in_what_is_compared_alone(parts: dict[str, Any], lfw: Path, tmp_path: Path) -> None:
    arms = parts["masked_arms"]
    work = arms["Work"](lfw, tmp_path, "model,0")
    configs = EXPERIMENTS / "configs"
    of_masks = parts["masks"]["arms_of"](work, [4], ("lpd.height_weight=5",))
    found = {arm.way: load_config(str(configs / arm.config), [*arm.settings, *arm.extra]) for arm in of_masks[1:]}
    assert [arm.name for arm in of_masks][:2] == ["model_0", "baseline_4"]
    assert not of_masks[0].config
    assert {arm.seed for arm in of_masks[1:]} == {4}
    assert {way for way, config in found.items() if config.augment.mask} == {"mg", "lpd", "tuned_mg", "tuned_lpd"}
    assert {way for way, config in found.items() if config.method == "lpd"} == {"lpd", "tuned_lpd"}
    assert {way for way, config in found.items() if config.start_from} == {"tuned_plain", "tuned_mg", "tuned_lpd"}
    assert found["lpd"].lpd.height_weight == 5
    for config in found.values():
        assert not set(config.augment.mask_styles) & set(arms["UNSEEN"])
        assert config.augment.mask == 0 or config.augment.mask_styles == arms["SEEN"]
    assert len({(config.steps, config.batch_size, config.optimizer) for config in found.values()}) == 2
    of_uda = parts["uda"]["arms_of"](work, [4])
    found = {arm.way: load_config(str(configs / arm.config), list(arm.settings)) for arm in of_uda}
    for way, config in found.items():
        faces, masked = config.sources
        assert (faces.augment.mask, masked.augment.mask, masked.unlabeled) == (0, 1, True)
        assert masked.augment.mask_styles == arms["SEEN"]
        assert (faces.data.path, masked.data.path) == (str(lfw / "base"), str(lfw / "single"))
        assert (config.uda.masked_weight > 0) == (config.uda.normal_weight > 0) == (way == "uda")
        assert config.backbone.name == ("fresnet_tiny" if way == "plain" else "split_ir_tiny")
    names = [arm.name for arm in parts["masks"]["trials"](work)]
    assert len(set(names)) == len(names) >= 3
    assert {arm.split for arm in parts["masks"]["trials"](work)} == {"validation"}


def test_masks_are_drawn_once_and_pairs_without_are_left_out(
    parts: dict[str, Any], lfw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms, drawn = parts["masked_arms"], []

    def call(words: list[str], name: str) -> None:
        assert words[words.index("--styles") + 1] == ",".join(arms["UNSEEN"])
        target = Path(words[words.index("--output") + 1])
        for name in NAMES[:-1]:
            drawn.append(name)
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).with_suffix(".png").touch()

    monkeypatch.setitem(arms["draw_masks"].__globals__, "call", call)
    work = arms["Work"](lfw, tmp_path)
    arms["draw_masks"](work, "test")
    arms["draw_masks"](work, "test")
    assert drawn == NAMES[:-1]
    comparisons = work.comparisons("test")
    count = len(NAMES) - 1
    assert len(comparisons) == count * (count - 1) // 2
    assert NAMES[-1] not in comparisons.names


def test_scores_by_hand(parts: dict[str, Any], lfw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arms, rng = parts["masked_arms"], np.random.default_rng(0)
    rows = {masked: rng.normal(size=(len(NAMES), 5)).astype(np.float32) for masked in (False, True)}
    work = arms["Work"](lfw, tmp_path)

    def call(words: list[str], name: str) -> None:
        if Path(words[0]).name == "embed.py":
            masked = words[words.index("--data") + 1] == str(work.folder("test", True))
            names = tuple(str(Path(name).with_suffix(".png")) if masked else name for name in NAMES)
            save_embeddings(words[-1], Embeddings(rows[masked], names))

    for module in ("lfw_arms", "adaface_arms"):
        monkeypatch.setattr(sys.modules[module], "call", call)
    work.pairs("test").parent.mkdir()
    work.pairs("test").write_text((lfw / "aligned" / "test" / "test_pairs.csv").read_text())
    arm = arms["Arm"]("lpd", "lfw_masks.yaml", 1)
    result = arms["make"](arm, work)
    assert arms["make"](arm, work) == json.loads(json.dumps(result))
    unit = {key: of / np.linalg.norm(of.astype(np.float64), axis=1)[:, None] for key, of in rows.items()}
    people = np.array([name[:3] for name in NAMES])
    a, b = np.triu_indices(len(NAMES), 1)
    for condition, (first, second) in {"clean": (0, 0), "mixed": (1, 0), "both": (1, 1)}.items():
        scores = np.einsum("ij,ij->i", unit[bool(first)][a], unit[bool(second)][b])
        expected = roc_auc_score(people[a] == people[b], scores)
        assert result["measures"][condition][0] == pytest.approx(expected, abs=1e-9)
    gallery = [place for place, name in enumerate(NAMES) if int(name[4]) % 2 == 0]
    precisions, firsts = [], []
    for query in sorted(set(range(len(NAMES))) - set(gallery)):
        scores = unit[False][gallery] @ unit[True][query]
        precisions.append(average_precision_score(people[gallery] == people[query], scores))
        firsts.append(people[gallery][scores.argmax()] == people[query])
    assert result["retrieval"] == pytest.approx([np.mean(precisions), np.mean(firsts)], abs=1e-9)


def test_the_pages_give_verdicts_and_what_is_missing(parts: dict[str, Any], lfw: Path, tmp_path: Path) -> None:
    arms, rng = parts["masked_arms"], np.random.default_rng(0)
    work = arms["Work"](lfw, tmp_path)
    work.pairs("test").parent.mkdir()
    work.pairs("test").write_text((lfw / "aligned" / "test" / "test_pairs.csv").read_text())
    same, queries = work.comparisons("test").same, 20
    for seed in (0, 1):
        for way, strength in (("uda", 3.0), ("without", 0.5)):
            scores = {of: rng.normal(strength * same, 1.0) for of in arms["CONDITIONS"]}
            first = rng.integers(1, 3, queries) if way == "without" else np.ones(queries, np.int64)
            retrieval = {"precision": 1 / first, "first_rank": first, "subjects": np.arange(queries) // 2}
            np.savez(tmp_path / f"{way}_{seed}.npz", **scores, **retrieval)
            measured = {of: [roc_auc_score(same, values), 0.5, 0.25] for of, values in scores.items()}
            stored = {"measures": measured, "retrieval": [float((1 / first).mean()), float((first == 1).mean())]}
            (tmp_path / f"{way}_{seed}.json").write_text(json.dumps(stored))
    pairs = parts["uda"]["PAIRS"]
    result = json.loads(json.dumps(parts["masked_summary"]["summarise"](
        work, parts["uda"]["arms_of"](work, [0, 1]), (), pairs, rounds=100)))  # fmt: skip
    assert result["missing"] == ["plain_0", "plain_1"]
    by = {(e["condition"], e["measure"]): e for e in result["differences"]}
    assert {(e["after"], e["before"]) for e in result["differences"]} == {("uda", "without")}
    assert by["mixed", "AUC"]["verdict"] == "better"
    gaps = [1 - stored["retrieval"][1] for seed in (0, 1)
            for stored in [json.loads((tmp_path / f"without_{seed}.json").read_text())]]  # fmt: skip
    assert by["retrieval", "rank 1"]["by_seed"] == pytest.approx(gaps)
    assert by["retrieval", "rank 1"]["low"] > 0
    text = parts["uda_page"]["page"](result, pairs)
    assert "**Not there yet** (2 arms): plain_0, plain_1" in text
    assert "**UDA against no regularisers**. masked against unmasked: TAR at FMR 0.01 +" in text
    assert "| UDA | 0 1 | 1.000 | 1.000 |" in text
    ways = {way: {"seeds": [], "measures": [], "retrieval": []} for way in parts["masks_page"]["TITLES"]}
    empty = parts["masks_page"]["page"]({**result, "ways": ways, "differences": []}, parts["masks"]["PAIRS"])
    assert "No two arms can be compared yet." in empty
    assert {way for pair in parts["masks"]["PAIRS"] for way in pair} <= set(ways)
