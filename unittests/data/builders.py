"""The same few images in every format that can be opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fairface.data.images import encode_jpeg, encode_png
from fairface.data.packing.memory import make_memory_set
from fairface.data.packing.plan import Photo, Plan
from fairface.data.packing.recordio import pack_encoded
from fairface.data.pairsets.bin_set import write_bin
from fairface.data.recordio.files import RecordWriter
from fairface.data.recordio.notes import AttributeNotes
from fairface.data.tfrecord.example import encode_example
from fairface.data.tfrecord.frame import frame

LABELS = (0, 0, 1, 2, 2, 0)  # of the images below; an even number, for verification sets
SORTED = (0, 1, 5, 2, 3, 4)  # the images by label: the order of folders and of packed records


@dataclass(frozen=True)
class Built:
    """``path`` to open; what should be found there: ``images`` (files), ``labels``, ``class_names``."""

    path: Path
    images: list[bytes]
    labels: list[int]
    class_names: tuple[str, ...] = ()


def images(size: int = 16, png: bool = False) -> list[bytes]:
    """Six different image files."""
    rng = np.random.default_rng(0)
    encode = encode_png if png else encode_jpeg
    return [encode(np.full((size, size, 3), rng.integers(0, 256, 3), np.uint8)) for _ in LABELS]


def rec(folder: Path, files: Sequence[bytes]) -> Built:
    order = list(SORTED)
    photos = tuple(Photo(str(i), LABELS[i]) for i in order)
    plan = Plan(photos, ("Ann", "Bo", "Cy"), AttributeNotes())
    pack_encoded(plan, [files[i] for i in order], folder / "rec", 16)
    return Built(folder / "rec", [files[i] for i in order], [LABELS[i] for i in order], plan.identities)


def plain_rec(folder: Path, files: Sequence[bytes]) -> Built:
    with RecordWriter(folder / "plain" / "some.rec") as writer:
        for key, (label, file) in enumerate(zip(LABELS, files, strict=True)):
            writer.write(key, float(label), file)
    return Built(folder / "plain" / "some.rec", list(files), list(LABELS))


def tfrecord(folder: Path, files: Sequence[bytes], labels: Sequence[int] = (7, 7, 9, 30, 30, 7)) -> Built:
    """Two shards; the index with labels lies one folder above them."""
    place = folder / "index of records" / "TFR"
    place.mkdir(parents=True)
    offsets = _shards(place, files)
    lines = [
        f"TFR\t{i // 4}\t{offset}\t{label}\n" for i, (offset, label) in enumerate(zip(offsets, labels, strict=True))
    ]
    (place.parent / "train.index").write_text("".join(lines))
    classes = sorted(set(labels))
    return Built(
        place.parent / "train.index", list(files), [classes.index(v) for v in labels], tuple(map(str, classes))
    )


def unlabeled_tfrecord(folder: Path, files: Sequence[bytes]) -> Built:
    place = folder / "TFR-MINE"
    place.mkdir(parents=True)
    offsets = _shards(place, files)
    lines = [f"my images/é {i}.jpg\t{i // 4}\t{offset}\n" for i, offset in enumerate(offsets)]
    (place / "TFR-MINE.index").write_text("".join(lines))
    return Built(place, list(files), [-1] * len(files))


def _shards(place: Path, files: Sequence[bytes]) -> list[int]:
    offsets = []
    for shard in (0, 1):
        written = b""
        for file in files[4 * shard : 4 * shard + 4]:
            offsets.append(len(written))
            written += frame(encode_example(file))
        (place / f"{place.name}-{shard:05d}.tfrecord").write_bytes(written)
    return offsets


def folder_of_identities(folder: Path, files: Sequence[bytes]) -> Built:
    suffix = ".png" if files[0][:1] == b"\x89" else ".jpg"
    names = ("Ann Lee", "Bø", "cy")
    for i, (label, file) in enumerate(zip(LABELS, files, strict=True)):
        path = folder / "identities" / "imgs" / names[label] / f"my photo {i}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file)
    order = [0, 1, 5, 2, 3, 4]
    return Built(
        folder / "identities", [files[i] for i in order],
        [("Ann Lee", "Bø", "cy").index(names[LABELS[i]]) for i in order],
        ("Ann Lee", "Bø", "cy"),
    )  # fmt: skip


def list_file(folder: Path, files: Sequence[bytes]) -> Built:
    place = folder / "listed"
    for i, file in enumerate(files):
        path = place / "my photos" / f"{i} é.img"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file)
    labels = (5, 5, 100, 3, 3, 5)
    (place / "list.txt").write_text("".join(f"my photos/{i} é.img {label}\n" for i, label in enumerate(labels)))
    return Built(place / "list.txt", list(files), [1, 1, 2, 0, 0, 1], ("3", "5", "100"))


def bin_file(folder: Path, files: Sequence[bytes]) -> Built:
    folder.mkdir(parents=True, exist_ok=True)
    write_bin(folder / "set.bin", files, [True, False, False])
    return Built(folder / "set.bin", list(files), [-1] * len(files))


def memory(folder: Path, files: Sequence[bytes]) -> Built:
    make_memory_set(bin_file(folder / "memory", files).path)
    return Built(folder / "memory" / "set", list(files), [-1] * len(files))


BUILDERS: dict[str, Callable[[Path, Sequence[bytes]], Built]] = {
    "rec": rec, "plain_rec": plain_rec, "tfrecord": tfrecord, "unlabeled_tfrecord": unlabeled_tfrecord,
    "folder": folder_of_identities, "list": list_file, "bin": bin_file, "memory": memory,
}  # fmt: skip
