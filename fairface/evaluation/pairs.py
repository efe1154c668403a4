"""The evaluation's pairs put to the images in a folder, before anything is computed. No MXNet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fairface.data.text_lines import read_lines
from fairface.evaluation.request import PhotoSource
from fairface.faces.align_report import FAILURES
from fairface.protocols.challenge import Template
from fairface.protocols.names import NameIndex
from fairface.protocols.pair_template import (
    TemplateCounts,
    all_pairs_template,
    count_template,
    photographs_by_id,
    read_pair_template,
)
from fairface.quantity import agree


@dataclass(frozen=True)
class SourcePairs:
    """The pairs of ``template``, and the images of its ids: N ``files`` below ``source.folder`` in their order.

    ``photographs`` are these files, links resolved. ``failed`` are ids on which detection failed as far as a list tells
    it, ``None`` where there is none; ``notes`` are for people.
    """

    source: PhotoSource
    files: tuple[str, ...]
    photographs: frozenset[Path]
    template: Template
    counts: TemplateCounts
    failed: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def open_pairs(source: PhotoSource) -> SourcePairs:
    """What ``source`` names, read and found; nothing is computed or written.

    Raises:
        DataError: ids without a photograph or with two, and what the template's reader refuses.
    """
    folder = source.folder
    template = read_pair_template(source.template) if source.template else None
    found = photographs_by_id(template, folder)
    if template is None:
        template = all_pairs_template(list(found), f"all pairs of {folder}")
    counts = count_template(template)
    files = tuple(found[name] for name in counts.ids)
    photographs = frozenset((Path(folder) / name).resolve() for name in files)
    failed, notes = _listed_failures(source, counts.ids) if source.aligned else (None, ())
    return SourcePairs(source, files, photographs, template, counts, failed, notes)


def _listed_failures(source: PhotoSource, ids: Sequence[str]) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    beside = Path(source.aligned) / FAILURES
    if not source.failures and not beside.is_file():
        return None, ()
    path = Path(source.failures or beside)
    # A list without a name is a good one: every face was found.
    named = read_lines(path, "with the name of an image")[0] if path.stat().st_size else []
    index = NameIndex(ids)
    places = {name: index.find(name) for name in {PurePosixPath(name).name for name in named}}
    strangers = sum(place is None for place in places.values())
    notes = (f"{path}: {strangers} of its images {agree(strangers, 'is', 'are')} in no pair",) if strangers else ()
    return tuple(sorted({ids[place] for place in places.values() if place is not None})), notes
