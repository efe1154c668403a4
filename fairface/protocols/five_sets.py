"""The five verification sets that papers report (LFW, CFP-FP, CPLFW, CALFW, AgeDB-30), found in a folder by name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fairface.data.opening import verification_sets
from fairface.errors import DataError

FIVE = ("LFW", "CFP-FP", "CPLFW", "CALFW", "AgeDB-30")  # in the order of the published tables
FURTHER = ("CFP-FF",)  # comes with them; in no average


@dataclass(frozen=True)
class FiveSets:
    """What a folder holds.

    Attributes:
        paths: title to ``.bin`` file or folder of memory files, in the order of the tables.
        missing: titles of the five that are not there.
        others: names of further sets in the folder, which are none of these.
    """

    paths: Mapping[str, Path]
    missing: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def of_the_five(self) -> tuple[str, ...]:
        """Titles of the five that are there."""
        return tuple(title for title in FIVE if title in self.paths)


def find_sets(folder: str | os.PathLike[str]) -> FiveSets:
    """The sets in ``folder``: ``lfw.bin``, ``agedb_30.bin`` …, or memory files of these names (small and capital
    letters, ``-`` and ``_`` make no difference).

    Raises:
        DataError: no such folder, or two files for one set.
    """
    place = Path(folder)
    if not place.is_dir():
        raise DataError(f"{place}: there is no such folder; name the folder with lfw.bin, cfp_fp.bin and the others")
    titles = {_plain(title): title for title in (*FIVE, *FURTHER)}
    found: dict[str, Path] = {}
    others = []
    for name, path in verification_sets(place).items():
        title = titles.get(_plain(name))
        if title is None:
            others.append(name)
        elif title in found:
            raise DataError(f"{place}: {found[title].name} and {path.name} are both {title}; remove one of them")
        else:
            found[title] = path
    ordered = {title: found[title] for title in titles.values() if title in found}
    return FiveSets(ordered, tuple(title for title in FIVE if title not in found), tuple(others))


def require_sets(folder: str | os.PathLike[str]) -> FiveSets:
    """:func:`find_sets`, where at least one of the five must be there.

    Raises:
        DataError: none is.
    """
    found = find_sets(folder)
    if not found.of_the_five:
        names = ", ".join(f"{title.lower().replace('-', '_')}.bin" for title in FIVE)
        other = f" (it holds {', '.join((*found.paths, *found.others))})" if found.paths or found.others else ""
        raise DataError(f"{folder}: holds none of {names}, nor memory files of them{other}; name their folder")
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
