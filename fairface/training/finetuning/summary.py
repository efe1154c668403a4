"""What a finetuning came to: each step with its checkpoint and its score before and after, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairface.checkpoints import read_manifest, resolve
from fairface.cli import table
from fairface.config.schema import TrainConfig
from fairface.config.staged import StagedConfig
from fairface.errors import CheckpointError
from fairface.parsing import parse_json

SHOWN = {"auc": "AUC", "eer": "EER"}
NONE = "-"
NOT_SCORED = "no step scored a test set, so there is no AUC or EER to show; test.sets=PATH names one"


def finetuning_summary(staged: StagedConfig, configs: Mapping[int, TrainConfig]) -> str:
    """A table of the finished steps ``configs`` and the next command.

    Before and after are the scores of the first test set in ``metrics.json``: of what the step started from, and of the
    step; ``-`` where there are none, or of another set. Where no step scored one, a line says so instead.
    """
    folders = {number: Path(config.output) / config.name for number, config in configs.items()}
    scored = any(_metrics(folder) for folder in folders.values())
    rows = []
    for number, config in configs.items():
        row = [str(number), config.name, config.start_from, *_checkpoint(folders[number])]
        rows.append([*row, *(_scores(_metrics(_run_of(config)), _metrics(folders[number])) if scored else [])])
    header = ["step", "run", "started from", "steps", "scored", *(SHOWN.values() if scored else [])]
    lines = [table(rows, header), *([] if scored else [NOT_SCORED]), f"next: {_next(staged, configs)}"]
    return "\n".join(lines)


def _checkpoint(folder: Path) -> list[str]:
    """How many steps were trained, and which checkpoint counts as the run's."""
    manifest = read_manifest(folder)
    last = manifest["checkpoints"][-1]["step"] if manifest["checkpoints"] else 0
    best = manifest.get("best")
    return [str(last), f"step {best} (best)" if best is not None else f"step {last} (last)"]


def _run_of(config: TrainConfig) -> Path:
    try:
        return resolve(config.start_from, config.output).params.parent
    except CheckpointError:  # it has been removed since
        return Path(config.start_from)


def _metrics(folder: Path) -> dict[str, Any]:
    try:
        found = parse_json((folder / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _scores(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    same = before.get("set") == after.get("set")
    return [f"{_score(before if same else {}, key)} to {_score(after, key)}" for key in SHOWN]


def _score(metrics: Mapping[str, Any], key: str) -> str:
    value = metrics.get(key)
    return f"{value:.4f}" if isinstance(value, float) else NONE


def _next(staged: StagedConfig, configs: Mapping[int, TrainConfig]) -> str:
    last = max(configs)
    config = configs[last]
    if last < len(staged.steps):
        return f"step {last + 1} goes on from {config.name} (./fairface_step{last + 1}_finetune.sh)"
    return (
        "is it fairer? ./do.sh shows the steps on the same pairs (with your people: docs/final_evaluation.md); or\n"
        f"  python test/embed.py --model {config.name} --data TEST_PEOPLE --output after.npz; the same with\n"
        f"  {configs[min(configs)].start_from} into before.npz; python test/fairness.py --all-pairs\n"
        "  --embeddings after.npz --against before.npz --protected ATTRIBUTE (docs/finetuning.md)"
    )
