"""The table at a finetuning's end: checkpoints, scores before and after on one test set, the next command."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from fairface.config.schema import TrainConfig
from fairface.config.staged import StagedConfig, load_staged
from fairface.training.finetuning.summary import finetuning_summary

ROOT = Path(__file__).parents[3]


def run_there(folder: Path, steps: int, best: int | None, **metrics: Any) -> None:
    folder.mkdir(parents=True)
    files = {"symbol": "model-symbol.json", "params": "model-1.params", "state": "state-1.params"}
    entry = {"step": steps, "files": files, "position": {"total": steps}}
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "checkpoints": [entry], "best": best, "sha256": {}}))
    if metrics:
        (folder / "metrics.json").write_text(json.dumps(metrics))


@pytest.fixture
def staged(tmp_path: Path) -> StagedConfig:
    return load_staged(ROOT / "train" / "configs" / "orl_fair.yaml", [f"output={tmp_path}", "name=fair"])


def configs_of(staged: StagedConfig, tmp_path: Path) -> dict[int, TrainConfig]:
    names = {number: f"fair_step{number}" for number in (1, 2, 3)}
    starts = {1: str(tmp_path / "base"), 2: str(tmp_path / names[1]), 3: str(tmp_path / names[2])}
    return {n: dataclasses.replace(staged.steps[n - 1], start_from=starts[n]) for n in names}


def test_the_summary_has_each_step_with_scores_of_one_set(tmp_path: Path, staged: StagedConfig) -> None:
    configs = configs_of(staged, tmp_path)
    run_there(tmp_path / "base", 50, None, set="test", auc=0.9, eer=0.125)
    run_there(tmp_path / "fair_step1", 10, 8, set="test", auc=0.9125, eer=0.1)
    run_there(tmp_path / "fair_step2", 20, None, set="other", auc=0.5, eer=0.5)
    run_there(tmp_path / "fair_step3", 30, 0)
    lines = finetuning_summary(staged, configs).splitlines()
    assert lines[0].split() == ["step", "run", "started", "from", "steps", "scored", "AUC", "EER"]
    assert lines[2].split()[3:] == ["10", "step", "8", "(best)", "0.9000", "to", "0.9125", "0.1250", "to", "0.1000"]
    assert lines[3].split()[3:] == ["20", "step", "20", "(last)", "-", "to", "0.5000", "-", "to", "0.5000"]
    assert lines[4].split()[3:] == ["30", "step", "0", "(best)", "-", "to", "-", "-", "to", "-"]
    assert lines[5].startswith("next: is it fairer? ./do.sh ")
    assert lines[6].startswith("  python test/embed.py --model fair_step3 ")
    only = finetuning_summary(staged, {1: configs[1]}).splitlines()
    assert only[-1] == "next: step 2 goes on from fair_step1 (./fairface_step2_finetune.sh)"


def test_without_a_scored_test_set_the_columns_are_left_out(tmp_path: Path, staged: StagedConfig) -> None:
    configs = configs_of(staged, tmp_path)
    run_there(tmp_path / "base", 50, None, set="test", auc=0.9, eer=0.125)  # the start alone shows no change
    for number, config in configs.items():
        run_there(tmp_path / config.name, 10 * number, None)
    text = finetuning_summary(staged, configs)
    lines = text.splitlines()
    assert lines[0].split() == ["step", "run", "started", "from", "steps", "scored"]
    assert lines[4].split()[-4:] == ["30", "step", "30", "(last)"]
    assert lines[5].startswith("no step scored a test set")
    assert "- to -" not in text
