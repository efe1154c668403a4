"""A finetuning of several steps: one YAML file with the keys that all steps share and what each step changes.

Beside the keys of a training run (:mod:`fairface.config.schema`) the file holds ``steps``, a list with the keys that
each step changes; ``fairness``, how the group of the last step is found; and ``hard_samples_of``, the classifier whose
mistakes are trained on. Step k is the run ``<name>_step<k>``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from easydict import EasyDict

from fairface.config.limits import check_fields, choice, within
from fairface.config.load import from_tree
from fairface.config.schema import TrainConfig
from fairface.config.tree import apply_override, holds, merged, read_yaml
from fairface.config.typed import build
from fairface.errors import ConfigError

_OWN = ("steps", "fairness", "hard_samples_of")


@dataclass(frozen=True)
class GroupChoice:
    """How the most discriminated protected group is found.

    Attributes:
        validation: labeled data or a pair list of people that no step trains on, with the protected attributes.
        protected: attributes; several are combined.
        error: whose rates decide: ``fmr`` (impostor comparisons) or ``fnmr`` (genuine ones). Both are always reported.
        fmr: the shared threshold is set at this FMR on the validation people.
        min_subjects: a group with fewer is not chosen.
        group: set by hand, such as ``sex=f,skin=dark``; then no group is computed.
    """

    validation: str = ""
    protected: tuple[str, ...] = ()
    error: str = choice("fmr", "fnmr")
    fmr: float = within(0.01, 0, 1, open_low=True, open_high=True)
    min_subjects: int = within(30, 2)
    group: str = ""


@dataclass(frozen=True)
class StagedConfig:
    """Steps in order; ``worst_group`` holds for each whether it trains on the most discriminated group only.

    ``hard_samples_of`` names the classifier whose mistakes are trained on, or nothing.
    """

    name: str
    steps: tuple[TrainConfig, ...]
    worst_group: tuple[bool, ...]
    fairness: GroupChoice = field(default_factory=GroupChoice)
    hard_samples_of: str = ""


def step_name(name: str, step: int) -> str:
    """The run of a step."""
    return f"{name}_step{step}"


def load_staged(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> StagedConfig:
    """Read ``path`` and apply overrides: ``optimizer.lr=0.01`` to every step, ``step2.optimizer.lr=0.01`` to one.

    Raises:
        ConfigError: as :func:`fairface.config.load.load_config`; no steps, or an override of a step that is not there.
    """
    where = os.fspath(path)
    tree = read_yaml(path)
    steps = tree.get("steps")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise ConfigError(f"{where}: steps must be a list with the keys that each step changes")
    own = [EasyDict(step) for step in steps]
    for number, override in sorted(map(_addressed, overrides), key=lambda item: item[0] > 0):  # those of one step last
        if number > len(own):
            raise ConfigError(f"step{number}.{override}: there is no step {number}; {where} has {len(own)}")
        if number == 0 and override.partition("=")[0].strip().split(".")[0] == "steps":
            raise ConfigError(f"{override!r}: steps is the list of steps; set the length of one with step1.steps=100")
        if number:
            apply_override(own[number - 1], override)
            continue
        apply_override(tree, override)
        for step in own:
            if holds(step, override.partition("=")[0].strip().split(".")):
                apply_override(step, override)
    shared = {key: value for key, value in tree.items() if key not in _OWN}
    fairness = build(GroupChoice, tree.get("fairness") or {}, where, "fairness.")
    check_fields(fairness, "fairness.")
    worst = [step.pop("worst_group", False) for step in own]
    if not all(isinstance(value, bool) for value in worst):
        raise ConfigError(f"{where}: worst_group of a step must be true or false, not {worst}")
    name = str(shared.get("name", "run") or "")
    if not name:
        raise ConfigError(f"{where}: name is empty; set it: the runs of all steps are named after it")
    trained = [_step(shared, step, name, number, where) for number, step in enumerate(own, 1)]
    return StagedConfig(name, tuple(trained), tuple(worst), fairness, str(tree.get("hard_samples_of") or ""))


def _addressed(override: str) -> tuple[int, str]:
    """``step2.optimizer.lr=1`` as (2, ``optimizer.lr=1``); what is for all steps as (0, itself)."""
    head, dot, rest = override.partition(".")
    number = head.removeprefix("step")
    if not (dot and head != number and number.isdecimal()):
        return 0, override
    if int(number) == 0:
        raise ConfigError(f"{override!r}: there is no step 0; steps are counted from 1")
    return int(number), rest


def _step(shared: Mapping[str, Any], own: Mapping[str, Any], name: str, number: int, where: str) -> TrainConfig:
    tree = merged(shared, own)
    tree["name"] = step_name(name, number)
    if number > 1 and "start_from" not in own:
        tree["start_from"] = os.path.join(str(tree.get("output", "models")), step_name(name, number - 1))
    return from_tree(tree, f"{where}, step {number}")
