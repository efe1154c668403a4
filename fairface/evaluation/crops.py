"""The evaluation's images: photographs aligned (or aligned ones as they are), put to the ids of the pairs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fairface.console import Console
from fairface.errors import DataError
from fairface.evaluation.engines import Engines
from fairface.evaluation.pairs import SourcePairs
from fairface.evaluation.request import Cropping
from fairface.faces.align_report import AlignReport
from fairface.faces.detectors import MTCNN, named_detectors
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig, output_name
from fairface.faces.photographs import list_photographs
from fairface.quantity import agree, quantity


@dataclass(frozen=True)
class Crops:
    """Aligned faces of the ids of ``pairs`` (N files below ``root``, in their order).

    ``failed`` are ids on which detection failed, ``None`` where that is not told; ``notes`` are for people.
    """

    root: Path
    files: tuple[str, ...]
    pairs: SourcePairs
    failed: tuple[str, ...] | None
    notes: tuple[str, ...] = ()


def prepare_crops(pairs: SourcePairs, work: Path, cropping: Cropping, engines: Engines, console: Console) -> Crops:
    """The crops of ``pairs``; photographs are aligned into ``work``.

    Raises:
        DataError: photographs that cannot be read, and what alignment refuses.
        ConfigError: no such detector.
        CheckpointError: no such RetinaFace model.
    """
    folder, files = pairs.source.folder, pairs.files
    if pairs.source.aligned:
        return Crops(Path(folder), files, pairs, pairs.failed, pairs.notes)
    names = named_detectors(cropping.detector or MTCNN)
    config = AlignConfig(
        cropping.size, "png", enlarge=cropping.enlarge, border=cropping.border, rescue=True,
        detectors=names or (MTCNN,), layout=cropping.layout,
    )  # fmt: skip
    detector = None if names else engines.detector(cropping.detector)
    with console.progress(total=len(files), label="align", unit="img") as bar:
        report = align_folder(
            folder, work, config, names=files, jobs=cropping.jobs, detector=detector, on_done=bar.update
        )
    _refuse_unreadable(report, folder)
    ids = dict(zip(files, pairs.counts.ids, strict=True))
    failed = tuple(sorted(ids[name] for name in report.failed))
    unused = len(list_photographs(folder)[0]) - len(files)
    are = agree(unused, "is in no pair and was", "are in no pair and were")
    notes = (f"{quantity(unused, 'photograph')} of {folder} {are} not aligned",) if unused else ()
    return Crops(work, tuple(output_name(name, config) for name in files), pairs, failed, notes)


def _refuse_unreadable(report: AlignReport, folder: str) -> None:
    if report.unreadable:
        name, problem = report.unreadable[0]
        raise DataError(
            f"{folder}/{name}: {problem}; {quantity(len(report.unreadable), 'photograph')} of the pairs cannot be "
            f"read: {agree(len(report.unreadable), 'fix it or remove its', 'fix them or remove their')} pairs"
        )
