"""Which of the models in a folder is which: the three-step and the hard-sample model of the final evaluation."""

from __future__ import annotations

import re
from pathlib import Path

from fairface.errors import CheckpointError, DataError
from fairface.interop.grammar import MANIFEST

HARD, THREE_STEP = re.compile("hard"), re.compile("3[_-]?steps?|step[_-]?3|three[_-]?steps?")
_SYMBOL = "-symbol.json"


def find_models(folder: Path) -> tuple[str, str]:
    """The names of the three-step model and of the hard-sample model ("" where there is none) below ``folder``.

    A model is a run's folder or a prefix of MXNet's deploy layout with one epoch. A path below ``folder`` with ``hard``
    in it is the hard-sample model; one with ``3_step``, ``step3`` or ``three_step`` the three-step model; a model that
    is alone is the three-step model whatever its name.

    Raises:
        CheckpointError: no model, several that may be the same one, a prefix with several epochs, or models of which
            none is the three-step one.
    """
    models = _models(folder)
    if not models:
        raise CheckpointError(
            f"{folder}: holds no model; put the run's folder, or prefix-symbol.json and prefix-0000.params, there"
        )
    hard = [name for path, name in models.items() if HARD.search(path.lower())]
    three = [name for path, name in models.items() if THREE_STEP.search(path.lower()) and name not in hard]
    if not three and len(models) == 1 and not hard:
        three = list(models.values())
    for what, found in (("hard-sample", hard), ("three-step", three)):
        if len(found) > 1:
            raise CheckpointError(
                f"{folder}: {', '.join(sorted(found))} may all be the {what} model; leave one, or name it (--model)"
            )
    if not three:
        raise CheckpointError(
            f"{folder}: none of {', '.join(sorted(models))} has step3, 3_step or three_step in its path, so it "
            "cannot be told which is the three-step model; rename it, or name it with --model"
        )
    return three[0], hard[0] if hard else ""


def _models(folder: Path) -> dict[str, str]:
    """The models' names by their path relative to ``folder``."""
    found: dict[str, str] = {}
    runs = sorted(path.parent for path in folder.rglob(MANIFEST))
    for run in runs:
        found[run.relative_to(folder).as_posix()] = str(run)
    for symbol in sorted(folder.rglob(f"*{_SYMBOL}")):
        if any(run in symbol.parents for run in runs):
            continue
        prefix = symbol.name.removesuffix(_SYMBOL)
        epochs = sorted(
            path for path in symbol.parent.iterdir() if re.fullmatch(re.escape(prefix) + r"-\d{4}\.params", path.name)
        )
        if len(epochs) != 1:
            raise CheckpointError(
                f"{symbol}: has {len(epochs)} files {prefix}-NNNN.params beside it; leave the one that counts"
            )
        epoch = int(epochs[0].stem.rpartition("-")[2])
        place = symbol.parent / prefix
        found[place.relative_to(folder).as_posix()] = f"{place},{epoch}"
    return found


def find_template(folder: Path) -> str:
    """The template of pairs below ``folder``: the one file ``predictions.csv`` or ``*pairs*.csv``; "" without any.

    Raises:
        DataError: there are several.
    """
    found = sorted({*folder.rglob("predictions.csv"), *folder.rglob("*pairs*.csv")})
    if len(found) > 1:
        names = ", ".join(str(path) for path in found)
        raise DataError(f"{folder}: {names} may all be the pairs; leave one, or name it in the command")
    return str(found[0]) if found else ""
