"""IJB-B and IJB-C: templates of many images, 1:1 comparisons of templates, and 1:N searches of two galleries.

Source: Whitelam et al. 2017 and Maze et al. 2018; the lists are those that insightface's and AdaFace's programs read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.protocols.ijb_layout import IjbFiles, find_ijb
from fairface.protocols.ijb_lists import Enrolment, Faces, read_enrolment, read_faces
from fairface.protocols.number_lines import read_number_lines
from fairface.quantity import quantity
from fairface.scoring.templates import positions_of

_PAIRS = "`template template label`, label 1 (same subject) or 0"


@dataclass(frozen=True)
class Ijb:
    """One data set's protocol.

    Attributes:
        files: where it was read from.
        faces: the N images.
        template_ids: (T,) int64, rising: every template that has an image.
        a, b: (M,) int32, positions in ``template_ids`` of the templates that are compared.
        same: (M,) bool, whether they show one subject.
        galleries: the galleries of 1:N by name; empty where there are no lists for it.
        probes: the templates that are searched for; ``None`` there.
    """

    files: IjbFiles
    faces: Faces
    template_ids: NDArray[np.int64]
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    same: NDArray[np.bool_]
    galleries: dict[str, Enrolment]
    probes: Enrolment | None


def read_ijb(root: str | os.PathLike[str], dataset: str) -> Ijb:
    """The lists of ``dataset`` (IJBB or IJBC) below ``root``, laid out as :mod:`fairface.protocols.ijb_layout` says.

    Raises:
        DataError: a list is missing or damaged, names templates without an image (counted, the first few are named), or
            a gallery holds a subject twice.
    """
    files = find_ijb(root, dataset)
    faces = read_faces(files.faces)
    ids = np.unique(faces.templates).astype(np.int64)
    a, b, same = _read_pairs(files, ids)
    galleries = {name: read_enrolment(path) for name, path in files.galleries.items()}
    probes = None if files.probes is None else read_enrolment(files.probes)
    for name, gallery in galleries.items():
        _positions(gallery.templates, ids, files.galleries[name])
    if probes is not None:
        _positions(probes.templates, ids, files.probes)
    _check_once(files, galleries)
    return Ijb(files, faces, ids, a, b, same, galleries, probes)


def _read_pairs(
    files: IjbFiles, ids: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    rows = read_number_lines(files.pairs, 3, _PAIRS)
    labels = rows[:, 2]
    wrong = np.flatnonzero((labels != 0) & (labels != 1))
    if len(wrong):
        raise DataError(
            f"{files.pairs}: {quantity(len(wrong), 'label is', 'labels are')} neither 1 nor 0 (pair {wrong[0] + 1}: "
            f"{labels[wrong[0]]}); each line must be {_PAIRS}"
        )
    found = _positions(rows[:, :2], ids, files.pairs)
    return found[:, 0].copy(), found[:, 1].copy(), labels == 1


def _positions(templates: NDArray[np.integer], ids: NDArray[np.int64], source: object) -> NDArray[np.int32]:
    """:func:`fairface.scoring.templates.positions_of`; ``source`` names the list that ``templates`` come from."""
    try:
        return positions_of(templates, ids)
    except DataError as error:
        raise DataError(f"{source}: {error}") from error


def _check_once(files: IjbFiles, galleries: dict[str, Enrolment]) -> None:
    """Refuse a subject who is enrolled twice, in one gallery or in both: who would be the mate?"""
    seen: dict[int, str] = {}
    for name, gallery in galleries.items():
        for subject in gallery.subjects.tolist():
            if subject in seen:
                raise DataError(
                    f"{files.galleries[name]}: subject {subject} is enrolled already, in gallery {seen[subject]}; "
                    "keep one template of each subject"
                )
            seen[subject] = name
