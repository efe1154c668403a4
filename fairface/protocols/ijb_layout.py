"""Where the files of IJB-B and IJB-C lie, in each of the ways in which public programs lay them out.

AdaFace: ``<root>/IJBC/meta``, ``<root>/IJBC/loose_crop``; insightface: ``<root>`` is that ``IJBC`` folder; Idiap:
``<root>/ijb/IJBC/loose_crop/<first two letters>``, landmarks in ``<root>/ijb/IJBC/meta``, the other lists in
``<root>/meta/IJBC_meta``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairface.errors import DataError

GALLERIES = {"IJBB": ("S1", "S2"), "IJBC": ("G1", "G2")}
_TRIED = 100  # images by which the arrangement of the folder is told


@dataclass(frozen=True)
class IjbFiles:
    """The files of one data set.

    Attributes:
        name: IJBB or IJBC.
        faces, pairs: ``*_face_tid_mid.txt`` and ``*_template_pair_label.txt``.
        points: ``*_name_5pts_score.txt``, or ``None``.
        galleries, probes: the CSV files of 1:N; empty and ``None`` where one of them is not there.
        images: the folder ``loose_crop``, or ``None``.
    """

    name: str
    faces: Path
    pairs: Path
    points: Path | None
    galleries: dict[str, Path]
    probes: Path | None
    images: Path | None


def ijb_name(text: str) -> str:
    """IJBB or IJBC, however it is spelt.

    Raises:
        DataError: another data set.
    """
    name = re.sub(r"[^A-Z]", "", text.upper())
    if name not in GALLERIES:
        raise DataError(f"{text!r} is no such data set; give {' or '.join(GALLERIES)}")
    return name


def find_ijb(root: str | os.PathLike[str], dataset: str) -> IjbFiles:
    """The files of ``dataset`` (IJBB or IJBC) below ``root``.

    Raises:
        DataError: no such folder, or the list of faces or of pairs is not there.
    """
    base, name = Path(root), ijb_name(dataset)
    if not base.is_dir():
        raise DataError(f"{base}: there is no such folder; give the folder that holds {name}")
    own = [base / spelt for spelt in (name, f"IJB-{name[-1]}", name.lower())]
    folders = [*own, base, *(base / "ijb" / folder.name for folder in own)]
    meta = [place for folder in folders for place in (folder / "meta", folder / "meta" / f"{name}_meta")]
    meta += [base / f"{name}_meta", base]
    short = name.lower()

    def list_of(ending: str) -> Path | None:
        return next((folder / (short + ending) for folder in meta if (folder / (short + ending)).is_file()), None)

    def needed(ending: str) -> Path:
        found = list_of(ending)
        if found is None:
            raise DataError(f"{base}: no {short}{ending} in it, nor in {meta[0]} and the like; give the right root")
        return found

    galleries = {part: list_of(f"_1N_gallery_{part}.csv") for part in GALLERIES[name]}
    probes = list_of("_1N_probe_mixed.csv")
    whole = {part: path for part, path in galleries.items() if path is not None}
    complete = probes is not None and len(whole) == len(galleries)
    return IjbFiles(
        name=name,
        faces=needed("_face_tid_mid.txt"),
        pairs=needed("_template_pair_label.txt"),
        points=list_of("_name_5pts_score.txt"),
        galleries=whole if complete else {},
        probes=probes if complete else None,
        images=next((folder / "loose_crop" for folder in folders if (folder / "loose_crop").is_dir()), None),
    )


def image_paths(folder: Path, names: Sequence[str]) -> list[str]:
    """The paths of images below ``folder``: ``<name>``, or ``<first two letters>/<name>`` where they lie like that."""
    flat = any((folder / name).is_file() for name in names[:_TRIED])
    if flat or not any((folder / name[:2] / name).is_file() for name in names[:_TRIED]):
        return list(names)
    return [f"{name[:2]}/{name}" for name in names]
