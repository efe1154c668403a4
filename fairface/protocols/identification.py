"""Who is enrolled and who is searched for, from image names: gallery, probe, unknown and distractor images.

An identity is an image's folder, of which ``17__Ann_Lee`` means identity 17, called Ann_Lee; without a folder it is the
name without its running number (``17_2.jpg``). A list of identities by image (TinyFace's ``.mat``, or a CSV) comes
first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.protocols.names import without_suffix
from fairface.protocols.subjects import NUMBERED
from fairface.quantity import agree, quantity

_DIVIDER = "__"
_NAMED = 3


@dataclass(frozen=True)
class Listed:
    """The images of one part, such as the gallery: ``source`` is the folder or file, ``names`` are relative to it."""

    source: str
    names: Sequence[str]


@dataclass(frozen=True)
class SearchSubjects:
    """Who the images show, as numbers that are common to all parts.

    Attributes:
        gallery: (G,) the gallery's images, then the distractors.
        probes: (P,) the probes, then the unknown.
        names: what the identities 0, 1, … are called.
        notes: what a user should know.
    """

    gallery: NDArray[np.int64]
    probes: NDArray[np.int64]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def search_subjects(
    gallery: Listed,
    probes: Listed,
    unknown: Listed | None = None,
    distractors: Listed | None = None,
    listed: Mapping[str, str] | None = None,
) -> SearchSubjects:
    """Numbers for the identities of all parts.

    A probe whose identity is not in the gallery makes a non-mated search, as the unknown do; it is told. Unknown images
    and distractors need no identity: without one, each shows somebody of its own.

    Args:
        listed: identity by image name, with or without a folder; names that it lacks are read as above.

    Raises:
        DataError: a gallery or probe image without an identity; one identity under two names, so that the gallery would
            hold it twice or two people share it; an unknown or a distractor that is in the gallery or the probes.
    """
    called: dict[str, tuple[str, str]] = {}
    enrolled = identities_of(gallery, listed or {}, called)
    searched = identities_of(probes, listed or {}, called)
    strangers = strangers_of(unknown, {*enrolled}, called)
    others = strangers_of(distractors, {*enrolled, *searched}, called)
    keys, codes = np.unique([*enrolled, *others, *searched, *strangers], return_inverse=True)
    missing = sorted({identity for identity in searched if identity not in set(enrolled)})
    notes = []
    if missing:
        count = sum(identity in set(missing) for identity in searched)
        some = ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else "")
        notes.append(
            f"{probes.source}: {quantity(count, 'image')} of {quantity(len(missing), 'identity')} that "
            f"{agree(len(missing), 'is', 'are')} not in the gallery ({some}); they count as non-mated searches"
        )
    split = len(enrolled) + len(others)
    return SearchSubjects(
        codes[:split].astype(np.int64), codes[split:].astype(np.int64), tuple(map(str, keys)), tuple(notes)
    )


def identities_of(part: Listed, listed: Mapping[str, str], called: dict[str, tuple[str, str]]) -> list[str]:
    """The identity of each image; ``called`` keeps what each is called and where."""
    result = []
    for name in part.names:
        told = listed.get(name) or listed.get(PurePosixPath(name).name)
        identity = told or _identity(name, part.source, called)
        if not identity:
            raise DataError(
                f"{part.source}: {name} does not name its identity; put it into a folder ID__Name, call it ID_number, "
                "or give a list of identities"
            )
        result.append(identity)
    return result


def _identity(name: str, source: str, called: dict[str, tuple[str, str]]) -> str:
    folders = PurePosixPath(name).parts[:-1]
    if not folders:
        numbered = NUMBERED.fullmatch(without_suffix(name))
        return numbered.group(1) if numbered else ""
    folder = folders[-1]
    identity = folder.partition(_DIVIDER)[0] or folder
    before, where = called.setdefault(identity, (folder, source))
    if before != folder:
        raise DataError(
            f"{source}: {folder} is identity {identity}, which is called {before} in {where}; one identity has one name"
        )
    return identity


def strangers_of(part: Listed | None, known: set[str], called: dict[str, tuple[str, str]]) -> list[str]:
    """An identity for each image of people who are nobody else's mate."""
    if part is None:
        return []
    result = []
    for name in part.names:
        in_folder = len(PurePosixPath(name).parts) > 1
        identity = _identity(name, part.source, called) if in_folder else ""
        if identity in known:
            raise DataError(
                f"{part.source}: {name} shows identity {identity}, who is in the gallery or the probes; move it, or "
                "rename its folder"
            )
        result.append(identity or f"{part.source}: {name}")
    return result
