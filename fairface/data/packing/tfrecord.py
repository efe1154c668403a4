"""Packing photographs into TFRecords with a three-column index, byte for byte as TFace's tool does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO

from fairface.data.packing.plan import Photo
from fairface.data.packing.recordio import PackOptions, encoded_photos
from fairface.data.tfrecord.example import encode_example
from fairface.data.tfrecord.frame import frame
from fairface.data.tfrecord.shards import shard_name
from fairface.data.whole_files import whole_files
from fairface.errors import DataError

RECORDS_PER_SHARD = 500_000
Watch = Callable[[Iterable[bytes]], Iterable[bytes]]


def pack_tfrecords(
    names: Sequence[str],
    photos: Sequence[Photo],
    output: str | os.PathLike[str],
    options: PackOptions,
    watch: Watch = iter,
    per_shard: int = RECORDS_PER_SHARD,
) -> list[Path]:
    """Write the photographs to ``output/<name>-00000.tfrecord`` … and ``output/<name>.index``, where ``<name>`` is the
    folder's own. All files appear together when everything is done.

    Args:
        names: what the index calls each photograph.
        photos: where each photograph is; with landmarks where it is to be aligned.
        output: the folder; it is made where missing.
        options: how to pack.
        watch: wraps the iteration over encoded photographs, to show progress.
        per_shard: records in a file.

    Returns:
        the paths of the ``.tfrecord`` files.

    Raises:
        DataError: a photograph cannot be used (it is named), a name cannot stand in an index, shards of other data are
            there, or a file cannot be written.
    """
    folder = Path(output)
    title = folder.resolve().name
    _check_names(names)
    shards = [folder / shard_name(title, i) for i in range(-(-len(photos) // per_shard))]
    _refuse_stale(folder, title, shards)
    index = folder / f"{title}.index"
    with whole_files({**dict.fromkeys(shards, "wb"), index: "w"}) as files:
        encoded = watch(encoded_photos(photos, options))
        for position, (name, image) in enumerate(zip(names, encoded, strict=True)):
            shard = position // per_shard
            if position % per_shard == 0:
                offset = 0
            record = frame(encode_example(image))
            _write(files[shard], record, shards[shard])
            _write(files[-1], f"{name}\t{shard}\t{offset}\n", index)
            offset += len(record)
    return shards


def _write(file: IO[bytes] | IO[str], content: bytes | str, path: Path) -> None:
    try:
        file.write(content)  # type: ignore[arg-type]
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}); free space or choose another folder") from error


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise DataError("there is no photograph to pack; name one at least")
    seen: set[str] = set()
    for name in names:
        if "\t" in name or not name.isprintable():
            raise DataError(f"{name!r}: a tab or a control character in a name cannot stand in an index; rename it")
        if name in seen:
            raise DataError(f"{name}: is named twice; name each photograph once (an index may use a record twice)")
        seen.add(name)


def _refuse_stale(folder: Path, title: str, shards: Sequence[Path]) -> None:
    stale = sorted(set(folder.glob(f"{title}-*.tfrecord")) - set(shards)) if folder.is_dir() else []
    if stale:
        raise DataError(f"{stale[0]}: is there from other data; remove it or choose another folder")
