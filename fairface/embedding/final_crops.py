"""The final evaluation's images: photographs aligned (or aligned ones as they are), put to the ids of the pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fairface.cli import progress
from fairface.data.text_lines import read_lines
from fairface.embedding.final_source import Cropping, PhotoSource
from fairface.errors import DataError
from fairface.faces.align_report import FAILURES, AlignReport
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig, output_name
from fairface.faces.photographs import list_photographs
from fairface.protocols.challenge import Template
from fairface.protocols.names import NameIndex
from fairface.protocols.pair_template import (
    TemplateCounts,
    all_pairs_template,
    count_template,
    photographs_by_id,
    read_pair_template,
)


@dataclass(frozen=True)
class Crops:
    """Aligned faces of the ids of ``counts`` (N files below ``root``, in their order) and the pairs of ``template``.

    ``photographs`` are the files that they were cut from, links resolved. ``failed`` are ids on which detection failed,
    ``None`` where that is not told; ``notes`` are for people.
    """

    root: Path
    files: tuple[str, ...]
    photographs: frozenset[Path]
    template: Template
    counts: TemplateCounts
    failed: tuple[str, ...] | None
    notes: tuple[str, ...] = ()


def prepare_crops(source: PhotoSource, work: Path, cropping: Cropping) -> Crops:
    """The crops of ``source``; photographs are aligned into ``work``.

    Raises:
        DataError: ids without a photograph or with two, photographs of pairs that cannot be read, what the template's
            reader and alignment refuse.
        CheckpointError: no such detector.
    """
    folder = source.folder
    template = read_pair_template(source.template) if source.template else None
    found = photographs_by_id(template, folder)  # before anything is computed
    if template is None:
        template = all_pairs_template(list(found), f"all pairs of {folder}")
    counts = count_template(template)
    files = tuple(found[name] for name in counts.ids)
    photographs = frozenset((Path(folder) / name).resolve() for name in files)
    if source.aligned:
        failed, notes = _listed_failures(source, counts.ids)
        return Crops(Path(folder), files, photographs, template, counts, failed, notes)
    config = AlignConfig(cropping.size, "png", enlarge=cropping.enlarge, border=cropping.border, rescue=True)
    report = _align(folder, files, work, config, cropping)
    _refuse_unreadable(report, folder)
    ids = dict(zip(files, counts.ids, strict=True))
    failed = tuple(sorted(ids[name] for name in report.failed))
    unused = len(list_photographs(folder)[0]) - len(files)
    notes = (f"{unused} photographs of {folder} are in no pair and were not aligned",) if unused else ()
    crops = tuple(output_name(name, config) for name in files)
    return Crops(work, crops, photographs, template, counts, failed, notes)


def _align(photos: str, names: Sequence[str], work: Path, config: AlignConfig, cropping: Cropping) -> AlignReport:
    detector = None
    if cropping.detector:
        from fairface.interop.detector import load_retinaface
        from fairface.parallel import contexts_of

        detector = load_retinaface(cropping.detector, contexts_of(cropping.devices)[0])
    with progress(total=len(names), label="align", unit="img") as bar:
        return align_folder(
            photos, work, config, names=names, jobs=cropping.jobs, detector=detector, on_done=bar.update
        )


def _refuse_unreadable(report: AlignReport, folder: str) -> None:
    if report.unreadable:
        name, problem = report.unreadable[0]
        raise DataError(
            f"{folder}/{name}: {problem}; {len(report.unreadable)} photographs of the pairs cannot be read: mend them "
            "or take their pairs out"
        )


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
    notes = (f"{path}: {strangers} of its images are in no pair",) if strangers else ()
    return tuple(sorted({ids[place] for place in places.values() if place is not None})), notes
