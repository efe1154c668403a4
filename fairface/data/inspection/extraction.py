"""Images of a data set as files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from fairface.data.image_size import is_jpeg, is_png
from fairface.data.images import decode, encode_jpeg
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.tfrecord.dataset import IndexTFRDataset
from fairface.errors import DataError
from fairface.files import atomic_write, inside
from fairface.parsing import parse_json
from fairface.threads import map_in_threads

_STAMP = ".unpacked.json"
Watch = Callable[[Iterable[bytes]], Iterable[bytes]]


def extract(dataset: IndexTFRDataset, output: str | os.PathLike[str], limit: int = 0) -> list[Path]:
    """Write the first ``limit`` images (0: all) of TFRecords below ``output``, as they are stored.

    Files get the names that the index has, with the suffix that fits their content; an index without names gives
    ``<label>/<record's file>-<offset>``. No file is overwritten: one that holds something else makes the new one get a
    number.

    Raises:
        DataError: a record is damaged, or a file cannot be written.
    """
    folder = Path(output)
    written = []
    for index in range(min(limit or len(dataset), len(dataset))):
        data = dataset.encoded(index)
        name = dataset.image_name(index) or _own_name(dataset, index)
        path = _free(inside(folder, _harmless(name, suffix_of(data, name))), data)
        if not path.exists():
            with atomic_write(path) as file:
                file.write(data)
        written.append(path)
    return written


def unpack_identities(
    dataset: RecordDataset, folder: str | os.PathLike[str], swap: bool = False, workers: int = 1, watch: Watch = iter
) -> bool:
    """Write every image to ``folder/imgs/<label>/<record's key>.jpg``, byte for byte as it is stored.

    The folder ``imgs`` appears when all are written. Where it is there already, made from this very file, nothing is
    done.

    Args:
        dataset: the records.
        folder: where to make ``imgs``.
        swap: exchange red and blue, for images that were stored the wrong way round; they are re-encoded.
        workers: threads.
        watch: wraps the iteration over images, to show progress.

    Returns:
        whether anything had to be done.

    Raises:
        DataError: a record is damaged, a file cannot be written, or ``imgs`` is there and something else.
    """
    target, part = Path(folder) / "imgs", Path(folder) / ".imgs.part"
    about = _about(dataset, swap)
    if target.exists():
        if _stamp(target) == about:
            return False
        raise DataError(f"{target}: is there already and was not made from {dataset.path.name}; remove or rename it")
    shutil.rmtree(part, ignore_errors=True)  # of a run that was killed

    def stored(index: int) -> bytes:
        data = dataset.encoded(index)
        return encode_jpeg(decode(data, dataset.name(index))[..., ::-1]) if swap else data

    try:
        for label in sorted(set(dataset.labels.tolist())):
            (part / str(label)).mkdir(parents=True)
        images = watch(map_in_threads(stored, range(len(dataset)), workers))
        for label, key, data in zip(dataset.labels.tolist(), dataset.keys.tolist(), images, strict=True):
            (part / str(label) / f"{key}{suffix_of(data)}").write_bytes(data)
        (part / _STAMP).write_text(json.dumps(about), encoding="utf-8")
        part.rename(target)
    except OSError as error:
        raise DataError(
            f"{target}: cannot be written ({error.strerror}); free space or choose another folder"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return True


def suffix_of(data: bytes, name: str = "") -> str:
    """The file suffix that fits the image, that of ``name`` where it says the same or nothing else is known."""
    own = PurePosixPath(name).suffix
    if is_jpeg(data):
        return own if own.lower() in (".jpg", ".jpeg") else ".jpg"
    return ".png" if is_png(data) else own or ".img"


def _own_name(dataset: IndexTFRDataset, index: int) -> str:
    file, offset = dataset.place(index)
    label = int(dataset.labels[index])
    return f"{dataset.class_names[label] if label >= 0 else 'unlabeled'}/{file.stem}-{offset}"


def _harmless(name: str, suffix: str) -> str:
    """A relative name that leads nowhere else."""
    parts = [part for part in name.split("/") if part not in ("", ".", "..")] or ["image"]
    stem = parts[-1].removesuffix(PurePosixPath(parts[-1]).suffix) or parts[-1]
    return "/".join([*parts[:-1], stem + suffix])


def _free(path: Path, data: bytes) -> Path:
    """``path``, or the first of its numbered neighbours, that is not there or holds these bytes."""
    number, candidate = 1, path
    while candidate.exists() and not (candidate.is_file() and candidate.read_bytes() == data):
        number += 1
        candidate = path.with_stem(f"{path.stem}_{number}")
    return candidate


def _about(dataset: RecordDataset, swap: bool) -> dict[str, Any]:
    status = dataset.path.stat()
    return {"source": dataset.path.name, "bytes": status.st_size, "changed": status.st_mtime_ns,
            "images": len(dataset), "swapped": swap}  # fmt: skip


def _stamp(folder: Path) -> Any:
    try:
        return parse_json((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
