"""A step on the data of one group: its configuration, and what it did to the group that was worst."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fairface.config.schema import TrainConfig
from fairface.config.staged import GroupChoice
from fairface.console import Console
from fairface.files import write_json
from fairface.training.finetuning.worst_group import GroupDecision, join_filters
from fairface.training.run_folder import RunFolder

GROUP = "group.json"


def on_group(config: TrainConfig, choice: GroupChoice, decision: GroupDecision) -> TrainConfig:
    """``config`` on the group's data.

    A group's data alone can turn the tables. So where the group was computed, the best checkpoint is the one whose
    worst group is best on the validation subjects.
    """
    if not decision.where:
        return config
    where = join_filters(config.data.where, decision.where)
    return _on(config, choice, where, is_computed=decision.before is not None)


def as_it_ran(config: TrainConfig, choice: GroupChoice, where: str) -> TrainConfig:
    """``config`` as a step was run whose saved ``data.where`` is ``where``: which group was found, only that tells."""
    return _on(config, choice, where, is_computed=where != config.data.where and not choice.group)


def _on(config: TrainConfig, choice: GroupChoice, where: str, is_computed: bool) -> TrainConfig:
    config = replace(config, data=replace(config.data, where=where))
    if not is_computed:
        return config
    monitored = replace(
        config.verify, sets=(choice.validation,), monitor=f"{choice.error}_worst", protected=choice.protected,
        min_subjects=choice.min_subjects, fmr=tuple(dict.fromkeys((choice.fmr, *config.verify.fmr))),
    )  # fmt: skip
    return replace(config, verify=monitored)


def tell_outcome(config: TrainConfig, error: str, decision: GroupDecision, console: Console) -> None:
    """Say, and note in ``group.json``, the worst group's rate before and after the step."""
    if decision.before is None:
        return
    folder = Path(config.output) / config.name
    after = RunFolder(folder, 1, {}).best_score()
    console.tell(outcome(error, decision.before, after, config.start_from))
    write_json(folder / GROUP, {**decision.to_dict(), "before": decision.before, "after": after})


def outcome(error: str, before: float, after: float | None, start: str) -> list[str]:
    """What a group's step did to the worst group of the validation subjects, in words."""
    if after is None:
        return [
            "warning: the worst group's rate has no value from this step: it was never measured (see verify.every), or "
            "it was undefined each time, as with too few subjects in its groups"
        ]
    line = f"{error.upper()} of the worst group on the validation subjects: {before:.4g} before, {after:.4g} after"
    warning = f"warning: this step did not lower it; {start} is as fair by this rate"
    return [line] if after < before else [line, warning]
