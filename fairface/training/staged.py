"""Finetuning in steps: each starts from the step before; a step may train on the most discriminated group only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from fairface.cli import tell
from fairface.config.schema import TrainConfig
from fairface.config.staged import GroupChoice, StagedConfig
from fairface.errors import CheckpointError, ConfigError
from fairface.files import atomic_write
from fairface.interop.grammar import MANIFEST, read_manifest
from fairface.training.hard_samples import mine, write_list
from fairface.training.run import train
from fairface.training.worst_group import GroupDecision, decide_group

ALL = "all"


def finetune(
    staged: StagedConfig, steps: str = ALL, resume: bool = False, overwrite: bool = False, start_from: str = ""
) -> int:
    """Run one step (``"1"``, ``"2"`` …) or ``all`` of them; returns 0, or 128 + the signal that stopped it.

    ``start_from`` replaces the checkpoint that the first of these steps starts from. With ``resume`` and ``all``,
    finished steps are left as they are.

    Raises:
        ConfigError: no such step, or nothing to start from.
        FairfaceError: whatever stops a step.
    """
    numbers = chosen(staged, steps)
    if not (start_from or staged.steps[numbers[0] - 1].start_from):
        raise ConfigError("start_from is not set; name the model that is finetuned: start_from=orl_demo")
    only = hard_sample_list(staged, fresh=not resume) if staged.hard_samples_of else ""
    for number in numbers:
        config = staged.steps[number - 1]
        if start_from and number == numbers[0]:
            config = replace(config, start_from=start_from)
        if only and not config.data.only:
            config = replace(config, data=replace(config.data, only=only))
        folder = Path(config.output) / config.name
        going_on = resume and (folder / MANIFEST).is_file()
        if going_on and len(numbers) > 1 and finished(folder):
            tell([f"step {number} of {staged.name} is finished: {folder}"])
            continue
        code = run_step(staged, number, config, going_on, overwrite or resume)
        if code:
            return code
    return 0


def chosen(staged: StagedConfig, steps: str) -> list[int]:
    """The steps that a word means.

    Raises:
        ConfigError: it is neither ``all`` nor the number of a step.
    """
    count = len(staged.steps)
    if steps == ALL:
        return list(range(1, count + 1))
    if not steps.isdecimal() or not 1 <= int(steps) <= count:
        raise ConfigError(f"step {steps!r}: there are the steps 1 to {count}, and {ALL}")
    return [int(steps)]


def run_step(staged: StagedConfig, number: int, config: TrainConfig, resume: bool, overwrite: bool) -> int:
    """One step; the group that it trains on is found first, and written to ``group.json`` in the run's folder.

    A group's data alone can turn the tables: where the group was computed, the best checkpoint is the one whose worst
    group is best on the validation people.
    """
    tell([f"== {config.name}: step {number} of {len(staged.steps)}, from {config.start_from}"])
    choice = staged.fairness
    decision = None
    if staged.worst_group[number - 1]:
        decision = decide_group(config.start_from, choice, config.devices, config.verify.batch_size)
        tell(decision.messages)
        config = on_group(config, choice, decision)
    code = train(config, resume, overwrite and not resume)
    if decision is not None:
        folder = Path(config.output) / config.name
        told = {} if decision.before is None else {"before": decision.before, "after": best_score(folder)}
        tell(outcome(choice.side, told.get("before"), told.get("after"), config.start_from))
        with atomic_write(folder / "group.json", "w", encoding="utf-8") as file:
            file.write(json.dumps({**decision.to_dict(), **told}, indent=2, ensure_ascii=False) + "\n")
    return code


def on_group(config: TrainConfig, choice: GroupChoice, decision: GroupDecision) -> TrainConfig:
    """``config`` on the group's data; where the group was computed, watched by its side's worst rate."""
    if not decision.where:
        return config
    both = ",".join(filter(None, (config.data.where, decision.where)))
    config = replace(config, data=replace(config.data, where=both))
    if decision.before is None:
        return config
    watched = replace(
        config.verify, sets=(choice.validation,), monitor=f"{choice.side}_worst", protected=choice.protected,
        min_people=choice.min_people, fmr=tuple(dict.fromkeys((choice.fmr, *config.verify.fmr))),
    )  # fmt: skip
    return replace(config, verify=watched)


def outcome(side: str, before: float | None, after: float | None, start: str) -> list[str]:
    """What a group's step did to the worst group of the validation people, in words."""
    if before is None or after is None:
        return []
    line = f"{side.upper()} of the worst group on the validation people: {before:.4g} before, {after:.4g} after"
    advice = [] if after < before else [f"warning: this step did not lower it; {start} is fairer on this side"]
    return [line, *advice]


def best_score(folder: Path) -> float | None:
    """The monitored score of the run's best checkpoint, None where none was measured."""
    manifest = read_manifest(folder)
    for entry in manifest["checkpoints"]:
        if entry["step"] == manifest.get("best"):
            score = entry.get("score")
            return None if score is None else float(score)
    return None


def hard_sample_list(staged: StagedConfig, fresh: bool) -> str:
    """The list of hard samples for these steps, ``<output>/<name>_samples.txt``; made when ``fresh`` or not there."""
    first = staged.steps[0]
    path = Path(first.output) / f"{staged.name}_samples.txt"
    if fresh or not path.is_file():
        found = mine(staged.hard_samples_of, first.data.path, first.output, first.devices, first.verify.batch_size)
        write_list(path, found)
        tell([found.message(), f"{path}: {len(found.indices)} records"])
    return str(path)


def finished(folder: Path) -> bool:
    """Whether the run in ``folder`` reached its last step.

    Raises:
        CheckpointError: its manifest is damaged.
    """
    entries = read_manifest(folder)["checkpoints"]
    if not entries:
        return False
    total = entries[-1]["position"].get("total")
    if total is None:
        raise CheckpointError(f"{folder}: does not say how long the run was to be; start it anew with --overwrite")
    return int(entries[-1]["step"]) >= int(total)
