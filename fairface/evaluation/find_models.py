"""Which of the models in a folder is which: the three-step and the hard-sample model of the evaluation."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

from fairface.checkpoints import MANIFEST
from fairface.errors import CheckpointError, DataError
from fairface.faces.photographs import walk

# At the borders of words: richard_step3 is no hard-sample model, and step30 not the third step.
HARD = re.compile(r"(?<![a-z])hard(samples?)?(?![a-z])")
THREE_STEP = re.compile(r"(?<!\d)3[_-]?steps?(?![a-z])|step[_-]?3(?!\d)|three[_-]?steps?(?![a-z])")
_SYMBOL = "-symbol.json"


def find_models(folder: Path, three_step: str | None = None, hard: str | None = None) -> tuple[str, str]:
    """The names of the three-step model and of the hard-sample model ("" where there is none) below ``folder``.

    What is given is not looked for and comes back as it is. Links to folders are followed.

    A model is a run's folder or a prefix of MXNet's deploy layout with one epoch. A path below ``folder`` with the word
    ``hard`` in it is the hard-sample model; one with ``3_step``, ``step3`` or ``three_step`` the three-step model; a
    model that is alone is the three-step model whatever its name.

    Raises:
        CheckpointError: no model, several that may be the same one, a prefix with several epochs, or models of which
            none is the three-step one.
    """
    models = _models(folder)
    if not models:
        raise CheckpointError(
            f"{folder}: has no model; put the run's folder, or prefix-symbol.json and prefix-0000.params, there"
        )
    hards = [name for path, name in models.items() if HARD.search(path.lower())]
    threes = [name for path, name in models.items() if THREE_STEP.search(path.lower()) and name not in hards]
    if not threes and len(models) == 1 and not hards:
        threes = list(models.values())
    for what, option, given, found in (
        ("hard-sample", "--hard-model", hard, hards), ("three-step", "--model", three_step, threes)
    ):  # fmt: skip
        if given is None and len(found) > 1:
            raise CheckpointError(
                f"{folder}: {', '.join(sorted(found))} could each be the {what} model; keep one, or name it ({option})"
            )
    if three_step is None and not threes:
        raise CheckpointError(
            f"{folder}: none of {', '.join(sorted(models))} has step3, 3_step or three_step in its path, so "
            "the three-step model is unknown; rename it, or name it with --model"
        )
    return (
        threes[0] if three_step is None else three_step,
        (hards[0] if hards else "") if hard is None else hard,
    )


def _models(folder: Path) -> dict[str, str]:
    """The models' names by their path relative to ``folder``."""
    found: dict[str, str] = {}
    files = sorted(place / name for place, names in walk(folder) for name in names)
    runs = [path.parent for path in files if path.name == MANIFEST]
    for run in runs:
        found[run.relative_to(folder).as_posix()] = str(run)
    for symbol in files:
        if not symbol.name.endswith(_SYMBOL) or any(run in symbol.parents for run in runs):
            continue
        prefix = symbol.name.removesuffix(_SYMBOL)
        epochs = sorted(
            path for path in symbol.parent.iterdir() if re.fullmatch(re.escape(prefix) + r"-\d{4}\.params", path.name)
        )
        if len(epochs) != 1:
            raise CheckpointError(f"{symbol}: has {len(epochs)} files {prefix}-NNNN.params next to it; keep only one")
        epoch = int(epochs[0].stem.rpartition("-")[2])
        place = symbol.parent / prefix
        found[place.relative_to(folder).as_posix()] = f"{place},{epoch}"
    return found


def find_template(folder: Path) -> str:
    """The template of pairs below ``folder``: the one file ``predictions.csv`` or ``*pairs*.csv``; "" without any.

    Raises:
        DataError: there are several.
    """
    found = sorted(
        place / name
        for place, names in walk(folder)
        for name in names
        if name == "predictions.csv" or fnmatchcase(name, "*pairs*.csv")
    )
    if len(found) > 1:
        names = ", ".join(str(path) for path in found)
        raise DataError(f"{folder}: {names} could each be the list of pairs; keep one, or name it in the command")
    return str(found[0]) if found else ""
