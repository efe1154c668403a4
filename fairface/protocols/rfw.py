"""Racial Faces in the Wild: ``txts/<race>/<race>_pairs.txt``, photographs ``data/<race>/<id>/<id>_0001.jpg``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.protocols.lfw import read_lfw_pairs
from fairface.protocols.names import NameIndex

ATTRIBUTE = "race"
PHOTOGRAPHS = "data"


def read_rfw(root: str | os.PathLike[str], names: Sequence[str] | None = None, suffix: str = ".jpg") -> Comparisons:
    """The pairs of all races, with the attribute ``race``; nobody of one race is compared with another.

    Images are named ``<race>/<id>/<id>_0001.jpg``, their place below ``data``; positions refer to ``names`` where
    given. Subjects of different races are different subjects. The lists name no folds.

    Raises:
        DataError: no list below ``txts``, a damaged one, or images that are not among ``names``.
    """
    lists = _lists(Path(root))
    if not lists:
        raise DataError(
            f"{root}: has no txts/<race>/<race>_pairs.txt; give the folder that holds RFW's folders data and txts"
        )
    parts = [read_lfw_pairs(path, suffix=suffix) for path in lists.values()]
    prefixed = [f"{race}/{name}" for race, part in zip(lists, parts, strict=True) for name in part.names]
    images = tuple(prefixed) if names is None else tuple(names)
    place = NameIndex(images).positions(prefixed, os.fspath(root))
    starts = np.cumsum([0, *(len(part.names) for part in parts)])
    subjects = np.cumsum([0, *(int(max(part.subject_a.max(), part.subject_b.max())) + 1 for part in parts)])
    codes = np.full((len(images), 1), -1, np.int8)
    for code, (start, end) in enumerate(pairwise(starts)):
        codes[place[start:end], 0] = code
    return Comparisons(
        a=np.concatenate([place[part.a + start] for part, start in zip(parts, starts, strict=False)]),
        b=np.concatenate([place[part.b + start] for part, start in zip(parts, starts, strict=False)]),
        same=np.concatenate([part.same for part in parts]),
        fold=np.concatenate([part.fold for part in parts]),
        subject_a=np.concatenate([part.subject_a + start for part, start in zip(parts, subjects, strict=False)]),
        subject_b=np.concatenate([part.subject_b + start for part, start in zip(parts, subjects, strict=False)]),
        attributes=codes,
        attribute_names=(ATTRIBUTE,),
        names=images,
        attribute_values=(tuple(lists),),
        subject_names=tuple(name for part in parts for name in part.subject_names),
    )


def _lists(root: Path) -> dict[str, Path]:
    """Race to pair list."""
    folders = sorted(path for path in (root / "txts").glob("*") if path.is_dir())
    lists = {path.name: path / f"{path.name}_pairs.txt" for path in folders}
    return {race: path for race, path in lists.items() if path.is_file()}
