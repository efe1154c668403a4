"""The final evaluation's images: photographs aligned (or aligned ones as they are), put to the ids of the pairs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fairface.cli import progress
from fairface.data.text_lines import read_lines
from fairface.errors import ConfigError, DataError
from fairface.faces.align_report import FAILURES, AlignReport
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig, output_name
from fairface.hardware import usable_cores
from fairface.protocols.challenge import Template
from fairface.protocols.pair_template import (
    TemplateCounts,
    all_pairs_template,
    count_template,
    photographs_by_id,
    read_pair_template,
)


@dataclass(frozen=True)
class PhotoSource:
    """Whose faces are compared with whose.

    Attributes:
        photos: folder of photographs, to be aligned; or
        aligned: folder of aligned faces, used as they are.
        failures: names on which detection failed, one a line; for ``aligned``, where failures.txt is looked for.
        template: CSV of pairs; without one all pairs are compared.
    """

    photos: str = ""
    aligned: str = ""
    failures: str = ""
    template: str = ""

    def __post_init__(self) -> None:
        if bool(self.photos) == bool(self.aligned):
            raise ConfigError("give a folder of photographs or one of aligned faces (one of them)")
        if self.photos and self.failures:
            raise ConfigError("failures are found while photographs are aligned; a list goes with aligned faces only")


@dataclass(frozen=True)
class Cropping:
    """How photographs are aligned: what :class:`AlignConfig` says, with MTCNN or the RetinaFace model ``detector``."""

    size: int = 112
    enlarge: float = 1.0
    border: int = 0
    detector: str = ""
    devices: str = ""
    jobs: int = field(default_factory=usable_cores)


@dataclass(frozen=True)
class Crops:
    """Aligned faces of the ids of ``counts`` (N files below ``root``, in their order) and the pairs of ``template``.

    ``failed`` are ids on which detection failed, ``None`` where that is not told; ``notes`` are for people.
    """

    root: Path
    files: tuple[str, ...]
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
    folder = source.photos or source.aligned
    template = read_pair_template(source.template) if source.template else None
    found = photographs_by_id(template, folder)  # before anything is computed
    if template is None:
        template = all_pairs_template(list(found), f"all pairs of {folder}")
    counts = count_template(template)
    files = [found[name] for name in counts.ids]
    if source.aligned:
        failed, notes = _listed_failures(source, counts.ids)
        return Crops(Path(source.aligned), tuple(files), template, counts, failed, notes)
    config = AlignConfig(cropping.size, "png", enlarge=cropping.enlarge, border=cropping.border, rescue=True)
    report = _align(source.photos, work, config, cropping)
    _refuse_unreadable(report, files, source.photos)
    failed = tuple(sorted(set(counts.ids) & _stems(report.failed)))
    unused = report.photographs - len(files)
    notes = (f"{unused} photographs of {folder} are in no pair",) if unused else ()
    return Crops(work, tuple(output_name(name, config) for name in files), template, counts, failed, notes)


def _align(photos: str, work: Path, config: AlignConfig, cropping: Cropping) -> AlignReport:
    detector = None
    if cropping.detector:
        from fairface.interop.detector import load_retinaface
        from fairface.parallel import contexts_of

        detector = load_retinaface(cropping.detector, contexts_of(cropping.devices)[0])
    with progress(label="align", unit="img") as bar:
        return align_folder(photos, work, config, jobs=cropping.jobs, detector=detector, on_done=bar.update)


def _refuse_unreadable(report: AlignReport, files: Collection[str], folder: str) -> None:
    wanted = set(files)
    lost = [(name, problem) for name, problem in report.unreadable if name in wanted]
    if lost:
        name, problem = lost[0]
        raise DataError(
            f"{folder}/{name}: {problem}; {len(lost)} photographs of the pairs cannot be read: mend them or take their "
            "pairs out"
        )


def _listed_failures(source: PhotoSource, ids: Iterable[str]) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    beside = Path(source.aligned) / FAILURES
    if not source.failures and not beside.is_file():
        return None, ()
    path = Path(source.failures or beside)
    # A list without a name is a good one: every face was found.
    named = read_lines(path, "with the name of an image")[0] if path.stat().st_size else []
    failed = _stems(named) & set(ids)
    strangers = len(_stems(named)) - len(failed)
    notes = (f"{path}: {strangers} of its images are in no pair",) if strangers else ()
    return tuple(sorted(failed)), notes


def _stems(names: Iterable[str]) -> set[str]:
    return {PurePosixPath(name).stem for name in names}
