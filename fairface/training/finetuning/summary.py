"""What a finetuning came to: each step with its checkpoint and its score before and after, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairface.checkpoints import read_manifest, resolve
from fairface.cli import table
from fairface.config.schema import TrainConfig
from fairface.config.staged import StagedConfig
from fairface.errors import CheckpointError

SHOWN = {"auc": "AUC", "eer": "EER"}
NONE = "-"


def finetuning_summary(staged: StagedConfig, configs: Mapping[int, TrainConfig]) -> str:
    """A table of the finished steps ``configs`` and the next command.

    Before and after are the scores of the first test set in ``metrics.json``: of what the step started from, and of the
    step; ``-`` where there are none, or of another set.
    """
    rows = []
    for number, config in configs.items():
        folder = Path(config.output) / config.name
        before, after = _metrics(_run_of(config)), _metrics(folder)
        same = before.get("set") == after.get("set")
        scores = [f"{_score(before if same else {}, key)} to {_score(after, key)}" for key in SHOWN]
        rows.append([str(number), config.name, config.start_from, *_checkpoint(folder), *scores])
    header = ["step", "run", "started from", "steps", "scored", *SHOWN.values()]
    return f"{table(rows, header)}\nnext: {_next(staged, configs)}"


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
        found = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _score(metrics: Mapping[str, Any], key: str) -> str:
    value = metrics.get(key)
    return f"{value:.4f}" if isinstance(value, float) else NONE


def _next(staged: StagedConfig, configs: Mapping[int, TrainConfig]) -> str:
    last = max(configs)
    config = configs[last]
    if last < len(staged.steps):
        return f"step {last + 1} goes on from {config.name} (./fairface_step{last + 1}_finetune.sh)"
    return (
        f"is it fairer? python test/embed.py {config.name} --data TEST_PEOPLE --output after.npz; the same with\n"
        f"  {configs[min(configs)].start_from} into before.npz; python test/fairness.py --all-pairs\n"
        "  --embeddings after.npz --against before.npz --protected ATTRIBUTE (docs/finetuning.md); or ./do.sh"
    )
