"""Which models are the stages of an evaluation: those named, or what the model was finetuned from. No MXNet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairface.checkpoints import STARTED_FROM, identity, read_manifest, resolve, run_and_step, run_folder
from fairface.errors import CheckpointError, ConfigError

_STEP = re.compile(r"(.+)_step\d+")


@dataclass(frozen=True)
class StageModel:
    """One stage: what it is called, and its model (grammar: :mod:`fairface.checkpoints`)."""

    name: str
    model: str


@dataclass(frozen=True)
class StageChoice:
    """The stages, first to last, of which the last one is the evaluated model; ``note`` tells what a reader must know.
    No stages: nothing is compared."""

    models: tuple[StageModel, ...] = ()
    note: str = ""


def named_stages(words: Sequence[str], model: str) -> StageChoice:
    """Stages from words ``NAME=RUN`` or ``RUN``; ``model`` becomes the last one unless it is among them.

    Raises:
        ConfigError: one stage only, two of one name, or a word without a model.
        CheckpointError: a model that is not there.
    """
    found = [_named(word) for word in words]
    files = [resolve(stage.model).params.resolve() for stage in found]
    if resolve(model).params.resolve() not in files:
        found.append(_unnamed(model))
    names = [stage.name for stage in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"--stages: two stages are called {twice}; give each a name of its own: NAME=RUN")
    if len(found) < 2:
        raise ConfigError(f"--stages: {model} is the only stage; name the models before it")
    return StageChoice(tuple(found))


def _named(word: str) -> StageModel:
    name, equals, model = word.partition("=")
    if not equals and word:
        return _unnamed(word)
    if not name or not model:
        raise ConfigError(f"--stages {word!r}: write NAME=RUN, such as before=orl_demo")
    return StageModel(name, model)


def _unnamed(model: str) -> StageModel:
    return StageModel(Path(model).name, model)


def finetuned_stages(model: str, output: str = "models") -> StageChoice:
    """The stages that led to ``model``: what it was finetuned from and, where that is a step ``<name>_step<k>`` of the
    same finetuning, what that step was finetuned from, and so on to the model that the first step began with.

    Each is the very checkpoint that the next one began with, which the sums in the runs' manifests prove; where one has
    changed or is gone, the stages begin behind it. There are none where ``model`` is no run, was not finetuned, or
    cannot be read, which stops whoever opens it.
    """
    found, note = [_unnamed(model)], ""
    folder, seen = _folder(model, output), set[Path]()
    while folder is not None and folder not in seen:
        seen.add(folder)
        told = _start_of(folder)
        if told is None:
            break
        before = _before(told, folder, output)
        if before is None:
            note = (
                f"stages: {folder.name} was finetuned from {told.get('name')}, which is not there any more or has "
                f"changed since, so nothing before {found[0].name} is compared"
            )
            break
        found.insert(0, _unnamed(before))
        earlier = _folder(before, output)
        folder = earlier if earlier is not None and _of_one_finetuning(folder, earlier) else None
    if len({stage.name for stage in found}) < len(found):
        found = [StageModel(stage.model, stage.model) for stage in found]
    return StageChoice(tuple(found) if len(found) > 1 else (), note)


def _folder(model: str, output: str) -> Path | None:
    try:
        return run_folder(run_and_step(model)[0], output).resolve()
    except CheckpointError:
        return None


def _start_of(folder: Path) -> dict[str, Any] | None:
    """What the manifest in ``folder`` tells of the checkpoint that the run began with."""
    try:
        told = read_manifest(folder).get(STARTED_FROM)
    except CheckpointError:
        return None
    return told if isinstance(told, dict) else None


def _before(told: dict[str, Any], folder: Path, output: str) -> str | None:
    """The checkpoint with the sums that ``told`` gives, where it was or beside ``folder``."""
    name = str(told.get("name"))
    for place in dict.fromkeys((name, str(folder.parent / name), str(folder.parent / Path(name).name))):
        try:
            if identity(place, output)["sha256"] == told.get("sha256"):
                return place
        except CheckpointError:
            continue
    return None


def _of_one_finetuning(run: Path, earlier: Path) -> bool:
    one, other = _STEP.fullmatch(run.name), _STEP.fullmatch(earlier.name)
    return one is not None and other is not None and one[1] == other[1]
