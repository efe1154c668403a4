"""What a final evaluation writes into its folder, and how what an earlier one left there is taken away. No MXNet."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from fairface.embedding.final_source import PhotoSource, TruthSource
from fairface.errors import ConfigError, DataError
from fairface.faces.align_report import FAILURES, NO_FACE, UNREADABLE
from fairface.faces.align_settings import SETTINGS
from fairface.faces.folder import LANDMARKS
from fairface.faces.folder_worker import AlignConfig, output_name
from fairface.faces.journal import Journal

PREDICTIONS, TRUTH = "predictions.csv", "truth.csv"
THREE_STEP_FILE, HARD_FILE = "embeddings_three_step.npz", "embeddings_hard_sample.npz"
FAIRNESS, REPORT = "fairness.json", "report.md"
ALIGNED, CALIBRATION = "aligned", "calibration"  # folders; the second holds the same of the calibration pairs
_FILES = (PREDICTIONS, TRUTH, THREE_STEP_FILE, HARD_FILE, FAIRNESS, REPORT)
_LISTS = (NO_FACE, FAILURES, UNREADABLE, SETTINGS)


def clear_output(output: Path, parts: Sequence[tuple[PhotoSource, TruthSource]]) -> None:
    """Remove from ``output`` what an earlier evaluation wrote, so that all that lies there is of one run.

    ``parts`` are what the new evaluation reads: the pairs and, where there are any, those for calibration. What it
    reads stays, and so does everything that no evaluation writes and everything that a link puts elsewhere.

    Raises:
        ConfigError: it would overwrite what it reads.
        DataError: the list of the earlier crops is damaged.
    """
    places = (output, output / CALIBRATION)
    read = set(_files_read(parts))
    for place, (_, truth) in zip(places, parts, strict=False):
        for name in _FILES:
            path = place / name
            if path.resolve() in read and not (name == TRUTH and (truth.truth or not truth.known)):
                raise ConfigError(f"{path}: is read by this run and would be overwritten; choose another --output")
    folders = [Path(source.folder).resolve() for source, _ in parts]
    for place in places:
        if not _within(place, output):
            continue
        for name in _FILES:
            if (place / name).resolve() not in read:
                (place / name).unlink(missing_ok=True)
        crops = place / ALIGNED
        if _within(crops, output) and not any(_within(crops, one) or _within(one, crops) for one in folders):
            _clear_crops(crops, read)
    with suppress(OSError):  # it is not there, or holds something else
        places[1].rmdir()


def _files_read(parts: Sequence[tuple[PhotoSource, TruthSource]]) -> Iterator[Path]:
    for source, truth in parts:
        for name in (source.template, source.failures, truth.truth, truth.attributes):
            if name:
                yield Path(name).resolve()


def _within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _clear_crops(folder: Path, read: Collection[Path]) -> None:
    """Remove the crops that the table of landmarks names, then the lists, then folders that became empty."""
    if not _is_ours(folder):
        return
    try:
        journal = Journal(folder, LANDMARKS, True)
    except DataError as error:
        raise DataError(f"{error} (which of the crops there are old cannot be told; or remove {folder})") from error
    config = AlignConfig(format="png")
    crops = [folder / output_name(name, config) for name in journal.rows]
    for path in crops:
        if _within(path, folder) and path.resolve() not in read:
            path.unlink(missing_ok=True)
    journal.remove()
    for name in (LANDMARKS, *_LISTS):
        if (folder / name).resolve() not in read:
            (folder / name).unlink(missing_ok=True)
    emptied = {folder} | {parent for path in crops for parent in path.parents if parent.is_relative_to(folder)}
    for parent in sorted(emptied, reverse=True):  # the deepest first
        with suppress(OSError):  # it holds something else, or leads elsewhere
            parent.rmdir()


def _is_ours(folder: Path) -> bool:
    """Whether the settings there are those of an evaluation's crops; another program's are left alone."""
    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and settings.get("format") == "png" and settings.get("rescue") is True
