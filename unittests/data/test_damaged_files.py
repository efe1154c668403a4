"""Damaged files of every format: an error that names the file, or the correct data; never a crash, never data that
nobody wrote. Where a format has no checksum the tests say what may change without a word.

The fast tests try some dozens of files, the slow ones thousands and every byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairface.data.array import ArrayDataset
from fairface.data.inspection.extraction import extract
from fairface.data.opening import open_dataset
from fairface.data.packing.index_conversion import convert_index
from fairface.data.packing.lst import plan_lst
from fairface.data.packing.names import plan_names
from fairface.data.pairsets.bin_set import read_bin
from fairface.data.pairsets.memory_set import read_memory_set
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.view import IndexedDataset
from fairface.errors import DataError
from fairface.faces.point_list import read_point_list
from unittests.data import builders

IMAGES = builders.images(4, png=True)
Row = tuple[str, bytes]


@dataclass(frozen=True)
class Case:
    """``target`` is the file to damage; ``check`` reads what it belongs to and judges: it may raise DataError."""

    target: Path
    original: bytes
    check: Callable[[bytes], None]


def rows(data: IndexedDataset) -> list[Row | DataError]:
    """(name of the class, image) of each record, or the error that reading it gives."""
    names = data.class_names or [str(i) for i in range(data.num_classes)]
    result: list[Row | DataError] = []
    for i, label in enumerate(data.labels.tolist()):
        try:
            image = data.decoded(i).tobytes() if isinstance(data, ArrayDataset) else data.encoded(i)
            result.append((names[label] if label >= 0 else "-1", image))
        except DataError as error:
            result.append(error)
    return result


def forget(folder: Path) -> None:
    for cache in folder.rglob("*.index.npz"):
        cache.unlink()


def case_rec(folder: Path, build: Callable = builders.rec) -> Case:
    """A record that was not touched is as it was; one that was may have another label or image, as nothing tells."""
    built = build(folder, IMAGES)
    data = open_dataset(built.path)
    assert isinstance(data, RecordDataset)
    rec, expected = data.path, rows(data)
    ends = dict(zip(data.keys.tolist(), expected, strict=True))
    starts = data._offsets.tolist()
    original = rec.read_bytes()
    place = {key: (start, start + 44 + len(row[1])) for key, start, row in zip(ends, starts, expected, strict=True)}

    def check(content: bytes) -> None:
        forget(folder)
        changed = (
            np.flatnonzero(np.frombuffer(content, np.uint8) != np.frombuffer(original, np.uint8))
            if len(content) == len(original)
            else np.arange(first_difference(content, original), len(original))
        )
        found = RecordDataset(rec)
        assert found.keys.tolist() == data.keys.tolist()
        for key, row in zip(found.keys.tolist(), rows(found), strict=True):
            begin, end = place[key]
            if not ((changed >= begin) & (changed < end)).any():
                assert row == ends[key]

    return Case(rec, original, check)


def first_difference(one: bytes, other: bytes) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def case_plain_rec(folder: Path) -> Case:
    return case_rec(folder, builders.plain_rec)


def case_idx(folder: Path, build: Callable = builders.rec) -> Case:
    """All records are there with their images, whatever the .idx calls them."""
    built = build(folder, IMAGES)
    data = open_dataset(built.path)
    assert isinstance(data, RecordDataset)
    idx, expected = data.path.with_suffix(".idx"), Counter(rows(data))

    def check(content: bytes) -> None:
        forget(folder)
        assert Counter(rows(open_dataset(built.path))) == expected

    return Case(idx, idx.read_bytes(), check)


def case_plain_idx(folder: Path) -> Case:
    return case_idx(folder, builders.plain_rec)


def case_tfrecord(folder: Path) -> Case:
    """Checksums find every change: a record that can be read is as it was written."""
    built = builders.tfrecord(folder, IMAGES)
    target = built.path.parent / "TFR" / "TFR-00000.tfrecord"
    expected = rows(open_dataset(built.path))

    def check(content: bytes) -> None:
        for row, good in zip(rows(open_dataset(built.path)), expected, strict=True):
            assert isinstance(row, DataError) or row == good
            if isinstance(row, DataError):
                assert "TFR-00000.tfrecord" in str(row)

    return Case(target, target.read_bytes(), check)


def lines_of(content: bytes) -> list[str]:
    """The lines that a text holds for somebody who is lenient about its line ends."""
    text = content.decode("utf-8-sig").replace("\r\n", "\n")
    return [line.strip() for line in text.split("\n") if line.strip()]


def case_index(folder: Path) -> Case:
    """The data are what the lines say, image by image; only a label that became another number passes."""
    built = builders.tfrecord(folder, IMAGES)
    place = {tuple(line.split("\t")[1:3]): IMAGES[i] for i, line in enumerate(lines_of(built.path.read_bytes()))}

    def check(content: bytes) -> None:
        found = rows(open_dataset(built.path))
        told = [line.split("\t") for line in lines_of(content)]
        for row, (name, shard, offset, label) in zip(found, told, strict=True):
            if not isinstance(row, DataError):
                assert name == "TFR"
                assert row == (str(int(float(label))), place[str(int(float(shard))), str(int(float(offset)))])

    return Case(built.path, built.path.read_bytes(), check)


def case_unlabeled_index(folder: Path) -> Case:
    """The same without labels; files that are written out stay in their folder and are never overwritten."""
    built = builders.unlabeled_tfrecord(folder / "data", IMAGES)
    index = built.path / "TFR-MINE.index"
    place = {tuple(line.split("\t")[1:3]): IMAGES[i] for i, line in enumerate(lines_of(index.read_bytes()))}
    before = {path for path in folder.rglob("*") if path.is_file()}

    def check(content: bytes) -> None:
        data = open_dataset(index)
        told = [line.split("\t") for line in lines_of(content)]
        for row, (_, shard, offset) in zip(rows(data), told, strict=True):
            assert isinstance(row, DataError) or row == (
                "-1", place[str(int(float(shard))), str(int(float(offset)))],
            )  # fmt: skip
        out = folder / "out"
        with suppress(DataError):
            written = extract(data, out)
            assert len(set(written)) == len(data)
        now = {path for path in folder.rglob("*") if path.is_file()}
        outside = {path for path in now - before if out not in path.parents}
        assert not outside
        for path in sorted(out.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    return Case(index, index.read_bytes(), check)


def case_list(folder: Path) -> Case:
    """The data are what the lines say, file by file; only a label that became another number passes."""
    built = builders.list_file(folder, IMAGES)
    root = built.path.parent.resolve()

    def check(content: bytes) -> None:
        data = open_dataset(built.path)
        for row, line in zip(rows(data), lines_of(content), strict=True):
            name, label = line.rsplit(None, 1)
            assert root in (root / name).resolve().parents
            assert row == (str(int(float(label))), (root / name).read_bytes())

    return Case(built.path, built.path.read_bytes(), check)


def case_bin(folder: Path, protocol: int = 5) -> Case:
    """No checksums: images and pairs may change, but there are always two images a pair, and no code is run."""
    import pickle

    path = folder / "set.bin"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps((IMAGES, [True, False, False]), protocol=protocol))

    def check(content: bytes) -> None:
        found = read_bin(path)
        assert len(found.images) == 2 * len(found.same) > 0
        assert all(isinstance(image, bytes) for image in found.images)

    return Case(path, path.read_bytes(), check)


def case_old_bin(folder: Path) -> Case:
    return case_bin(folder, 2)


def case_memory(folder: Path, name: str = "set/memfile/mem_file.dat") -> Case:
    """Checksums find every change."""
    built = builders.memory(folder, IMAGES)
    expected = read_memory_set(built.path)
    pixels, same = np.array(expected.images), expected.same
    target = built.path.parent / name

    def check(content: bytes) -> None:
        found = read_memory_set(built.path)
        assert np.array_equal(found.images, pixels)
        assert np.array_equal(found.same, same)

    return Case(target, target.read_bytes(), check)


def case_memory_conf(folder: Path) -> Case:
    return case_memory(folder, "set/memfile/mem_file.dat.conf")


def case_memory_list(folder: Path) -> Case:
    return case_memory(folder, "set_list.npy")


def case_side_files(folder: Path, name: str = "property") -> Case:
    """What stands beside a .rec is text without checksums: it fits the records, or it is refused."""
    built = builders.rec(folder, IMAGES)
    target = built.path / name
    (built.path / "attributes.json").write_text('{"names": [], "values": {}}')

    def check(content: bytes) -> None:
        forget(folder)
        data = open_dataset(built.path)
        assert [row[1] for row in rows(data) if not isinstance(row, DataError)] == built.images
        assert data.labels.tolist() == built.labels
        assert len(data.class_names) in (0, data.num_classes)

    return Case(target, target.read_bytes(), check)


def case_attributes(folder: Path) -> Case:
    return case_side_files(folder, "attributes.json")


def case_identities(folder: Path) -> Case:
    return case_side_files(folder, "identities.txt")


def case_points(folder: Path) -> Case:
    """Numbers have no checksum; what is read is five finite points a line."""
    path = folder / "points.txt"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"my photo {i}.jpg 1 2 3 4 5 6 7 8 9.5 -1e1 0.{i}\n" for i in range(3)))

    def check(content: bytes) -> None:
        for points in read_point_list(path).values():
            assert points.shape == (5, 2)
            assert np.isfinite(points).all()

    return Case(path, path.read_bytes(), check)


def case_lst(folder: Path) -> Case:
    """insightface's list: labels are numbers from 0, and a path leads nowhere else unless it is absolute."""
    path = folder / "train.lst"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"1\tid {i}/a b.jpg\t{i}\n" for i in range(3)) + "0\tc.jpg\t2\t" + "1\t" * 13 + "1\n")

    def check(content: bytes) -> None:
        plan = plan_lst(path)
        assert sorted({photo.label for photo in plan.photos}) == list(range(len(plan.identities)))

    return Case(path, path.read_bytes(), check)


def case_conversion(folder: Path) -> Case:
    """A list of labels joined with an index: nothing but lines of the index with a whole number comes out."""
    built = builders.unlabeled_tfrecord(folder, IMAGES)
    old = folder / "old.txt"
    old.write_text("".join(f"my images/é {i}.jpg\t{i // 2}\n" for i in range(6)))
    places = {tuple(line.split("\t")[1:3]) for line in (built.path / "TFR-MINE.index").read_text().splitlines()}

    def check(content: bytes) -> None:
        convert_index(old, built.path / "TFR-MINE.index", folder / "new.txt")
        for line in (folder / "new.txt").read_text().splitlines():
            name, shard, offset, label = line.split("\t")
            assert (name, float(label)) == ("TFR-MINE", int(float(label)))
            assert (shard, offset) in places

    return Case(old, old.read_bytes(), check)


def case_image_list(folder: Path) -> Case:
    """What is to be packed is there."""
    built = builders.list_file(folder, IMAGES)
    names = built.path.parent / "images.txt"
    names.write_text("".join(f"my photos/{i} é.img\n" for i in range(6)))

    def check(content: bytes) -> None:
        plan = plan_names(names, names.parent)
        assert all(Path(photo.path).is_file() for photo in plan.photos)

    return Case(names, names.read_bytes(), check)


CASES: dict[str, Callable[[Path], Case]] = {
    name.removeprefix("case_"): value for name, value in list(globals().items()) if name.startswith("case_")
}
TEXTS = [
    b"\r\n", b"\n", b"\r", b"\xef\xbb\xbf", "é☃".encode(), b"../", b"/etc/passwd", b"\0", b"\t", b" ", b"-1", b".5",
    b"-",     b"99999999999999999999", b"nan", b"1e3", b"1_0", "٤".encode(), b'"', b"{}", b"\x80", b"\xff\xd8\xff",
]  # fmt: skip
POSITION = st.floats(0, 1, exclude_max=True)


def apply(content: bytes, edits: list[tuple]) -> bytes:
    for kind, where, value in edits:
        position = int(where * (len(content) + 1))
        before, after = content[:position], content[position:]
        if kind == "flip" and after:
            content = before + bytes([after[0] ^ 1 << value]) + after[1:]
        elif kind == "byte" and after:
            content = before + bytes([value]) + after[1:]
        elif kind == "delete":
            content = before + after[value:]
        elif kind == "insert":
            content = before + value + after
        elif kind == "repeat":
            content = before + before[-value:] + after
        elif kind == "cut":
            content = before
    return content


EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), POSITION, st.integers(0, 7)),
        st.tuples(st.just("byte"), POSITION, st.integers(0, 255)),
        st.tuples(st.just("delete"), POSITION, st.integers(1, 40)),
        st.tuples(st.just("insert"), POSITION, st.one_of(st.sampled_from(TEXTS), st.binary(min_size=1, max_size=9))),
        st.tuples(st.just("repeat"), POSITION, st.integers(1, 60)),
        st.tuples(st.just("cut"), POSITION, st.just(0)),
    ),
    min_size=1,
    max_size=3,
)


def judge(case: Case, content: bytes) -> bool:
    """Whether the damaged file was read (its data were judged) or refused with an error that names a file."""
    case.target.write_bytes(content)
    try:
        case.check(content)
    except DataError as error:
        message = str(error)
        assert "\n" not in message
        assert case.target.name in message or case.target.parent.name in message, message
        return False
    finally:
        case.target.write_bytes(case.original)
    return True


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    made = CASES[request.param](tmp_path_factory.mktemp(request.param))
    assert judge(made, made.original)
    return made


COMMON = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}


@given(edits=EDITS)
@settings(max_examples=25, **COMMON)
def test_some_damaged_files(case, edits):
    judge(case, apply(case.original, edits))


@pytest.mark.slow
@given(edits=EDITS)
@settings(max_examples=2000, **COMMON)
def test_many_damaged_files(case, edits):
    judge(case, apply(case.original, edits))


def test_some_bytes_and_cuts(case):
    every_byte(case, max(1, len(case.original) // 20))


@pytest.mark.slow
def test_every_byte_and_every_cut(case):
    every_byte(case, 1)


def every_byte(case: Case, step: int) -> None:
    for position in range(0, len(case.original), step):
        flipped = bytearray(case.original)
        flipped[position] ^= 1 << position % 8
        judge(case, bytes(flipped))
        judge(case, case.original[:position])
