"""Finetuning in steps: each starts from the step before; a step may train on the most discriminated group only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fairface.checkpoints import MANIFEST, STARTED_FROM, identity, read_manifest, resolve
from fairface.config.schema import TrainConfig
from fairface.config.staged import GroupChoice, StagedConfig
from fairface.console import Console
from fairface.errors import CheckpointError, ConfigError
from fairface.files import sha256
from fairface.quantity import quantity
from fairface.training.comparison_sets import verification_names
from fairface.training.finetuning.group_step import GROUP, as_it_ran, on_group, tell_outcome
from fairface.training.finetuning.hard_samples import mine, write_list
from fairface.training.finetuning.summary import finetuning_summary
from fairface.training.finetuning.worst_group import check_choice, decide_group
from fairface.training.preflight import check_claim
from fairface.training.restore import saved_config
from fairface.training.resumable import check_resumable
from fairface.training.run import train

ALL = "all"


def finetune(
    staged: StagedConfig, steps: str = ALL, resume: bool = False, overwrite: bool = False, start_from: str = "",
    console: Console | None = None,
) -> int:  # fmt: skip
    """Run one step (``"1"``, ``"2"`` …) or ``all`` of them; returns 0, or 128 + the signal that stopped it.

    ``start_from`` replaces the checkpoint that the first of these steps starts from. With ``resume`` and ``all``,
    finished steps are left as they are, unless what they started from has changed: then they are trained again.

    Raises:
        ConfigError: no such step, or nothing to start from.
        FairfaceError: whatever stops a step; what can be met before the first step is.
    """
    console = console or Console()
    numbers = chosen(staged, steps)
    first = numbers[0]
    configs = {number: staged.steps[number - 1] for number in numbers}
    configs[first] = replace(configs[first], start_from=start_from or configs[first].start_from)
    check_steps(staged, configs, resume, overwrite)
    if staged.hard_samples_of:
        only = hard_sample_list(staged, console)
        configs = {number: replace(c, data=replace(c.data, only=only)) for number, c in configs.items()}
    for number, config in configs.items():
        going_on = resume and (Path(config.output) / config.name / MANIFEST).is_file()
        if going_on and len(numbers) > 1:
            if is_stale(config):
                console.tell([f"{config.name} is trained again: it did not start from this {config.start_from}"])
                going_on = False
            elif is_finished(config, staged.fairness if staged.worst_group[number - 1] else None):
                console.tell([f"step {number} of {staged.name} is finished: {Path(config.output) / config.name}"])
                continue
        code = run_step(staged, number, config, going_on, overwrite or resume, console)
        if code:
            return code
    console.tell(finetuning_summary(staged, configs).splitlines())
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


def check_steps(staged: StagedConfig, configs: dict[int, TrainConfig], resume: bool, overwrite: bool) -> None:
    """Meet before the first step what would stop a later one.

    Raises:
        FairfaceError: nothing to start from, folders that may not be written, a group that cannot be chosen, hard
            samples together with another list.
    """
    first = next(iter(configs.values()))
    if not first.start_from:
        raise ConfigError("start_from is not set; name the model that is finetuned: start_from=orl_demo")
    resolve(first.start_from, first.output)
    for number, config in configs.items():
        if not resume:
            check_claim(Path(config.output) / config.name, False, overwrite)
        if staged.worst_group[number - 1]:
            check_choice(staged.fairness, config)
        if staged.hard_samples_of and config.data.only:
            raise ConfigError("hard_samples_of and data.only are both set; a step trains on one list: leave one out")


def run_step(
    staged: StagedConfig, number: int, config: TrainConfig, resume: bool, overwrite: bool, console: Console
) -> int:
    """One step; the group that it trains on is found first, and ``group.json`` in the run's folder tells it."""
    console.tell([f"== {config.name}: step {number} of {len(staged.steps)}, from {config.start_from}"])
    if not staged.worst_group[number - 1]:
        return train(config, resume, overwrite and not resume, console.quiet)
    decision = decide_group(staged.fairness, config, not console.quiet)
    console.tell(decision.messages)
    monitored = on_group(config, staged.fairness, decision)
    code = train(monitored, resume, overwrite and not resume, console.quiet, {GROUP: decision.to_dict()})
    if not code:
        tell_outcome(config, staged.fairness.error, decision, console)
    return code


def hard_sample_list(staged: StagedConfig, console: Console) -> str:
    """Mine the hard samples for these steps and write their list, ``<output>/<name>_samples.txt``."""
    first = staged.steps[0]
    path = Path(first.output) / f"{staged.name}_samples.txt"
    found = mine(
        staged.hard_samples_of, first.data, first.output, first.devices, first.gpus, first.verify.batch_size,
        show_progress=not console.quiet,
    )  # fmt: skip
    write_list(path, found)
    console.tell([found.message(), f"{path}: {quantity(len(found.indices), 'record')}"])
    return str(path)


def is_stale(config: TrainConfig) -> bool:
    """Whether the run that is there started from another model than ``config.start_from`` is now, or trained on
    another list of records."""
    manifest = read_manifest(Path(config.output) / config.name)
    started = manifest.get(STARTED_FROM, {}).get("sha256")
    listed = manifest.get("only_sha256")
    other_start = started is not None and started != identity(config.start_from, config.output)["sha256"]
    return other_start or (listed is not None and _is_other_list(listed, config.data.only))


def _is_other_list(listed: str, only: str) -> bool:
    try:
        return not only or listed != sha256(Path(only))
    except OSError:  # the step that reads the list says what is wrong with it
        return True


def is_finished(config: TrainConfig, choice: GroupChoice | None = None) -> bool:
    """Whether the run that is there reached its last step and was scored there, which a signal in that step prevents.

    ``choice`` is how its group was found, where it has one.

    Raises:
        CheckpointError: its manifest is damaged, or it was made with another configuration.
    """
    folder = Path(config.output) / config.name
    saved = saved_config(folder)
    if choice is not None:
        config = as_it_ran(config, choice, str(saved.get("data", {}).get("where", "")))
    check_resumable(config, saved)
    entries: Sequence[dict[str, object]] = read_manifest(folder)["checkpoints"]
    if not entries:
        return False
    position = entries[-1]["position"]
    total = position.get("total") if isinstance(position, dict) else None
    if total is None:
        raise CheckpointError(f"{folder}: does not give the length of the run; start it again with --overwrite")
    is_scored = entries[-1]["score"] is not None or not verification_names(config)
    return is_scored and int(str(entries[-1]["step"])) >= int(total)
