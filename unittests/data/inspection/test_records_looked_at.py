"""What a look at every record tells of it: sizes, kinds, hashes, and what else is wrong with the whole."""

import hashlib

import cv2
import numpy as np
import pytest

from fairface.data.array import ArrayDataset
from fairface.data.encoded import EncodedDataset
from fairface.data.formats import OpenOptions
from fairface.data.images import encode_jpeg, encode_png
from fairface.data.inspection import records as module
from fairface.data.inspection.dataset import Duplicates, inspect
from fairface.data.inspection.records import HASH_BYTES, check_records
from fairface.data.inspection.sums import compare_sums, write_sums
from fairface.data.pairsets.bin_set import write_bin
from fairface.data.recordio.files import RecordWriter
from fairface.errors import DataError


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def bmp(image):
    return cv2.imencode(".bmp", image)[1].tobytes()


@pytest.fixture
def people(tmp_path):
    """Images that are higher than wide and the other way round, in four kinds of files, and one that is none."""
    jpeg, png = encode_jpeg(noise(20, 12)), encode_png(noise(300, 7, 1))
    files = {"a/1.jpg": jpeg, "a/2.png": png, "a/3.bmp": bmp(noise(9, 30, 2)), "b/4.jpg": b"text", "b/5.png": png}
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path, list(files.values())


def test_sizes_kinds_and_hashes_without_decoding(people):
    folder, files = people
    done = []
    found = check_records(str(folder), OpenOptions(), 5, False, 1, done.append)
    assert found.sizes.tolist() == [[20, 12], [300, 7], [9, 30], [0, 0], [300, 7]]
    assert found.kinds == ["JPEG", "PNG", "other", "unreadable", "PNG"]
    assert found.bytes.tolist() == [len(file) if i != 3 else 0 for i, file in enumerate(files)]
    for i, file in enumerate(files):
        expected = bytes(16) if i == 3 else hashlib.blake2b(file, digest_size=16).digest()
        assert found.hashes[i].tobytes() == expected
    assert list(found.problems) == [3]
    assert found.problems[3].startswith(f"{folder}/b/4.jpg: not an image (4 bytes that begin with 74 65 78 74)")
    assert done == [5]
    assert HASH_BYTES == 16  # stored sums are of this length


def test_every_record_is_looked_at_whatever_the_tasks_are(people, monkeypatch):
    folder, _ = people
    whole = check_records(str(folder), OpenOptions(), 5, False, 1)
    for task in (1, 2, 3, 4, 5):
        monkeypatch.setattr(module, "_TASK", task)
        done = []
        found = check_records(str(folder), OpenOptions(), 5, False, 1, done.append)
        assert sum(done) == 5
        assert (found.sizes.tolist(), found.kinds, found.problems) == (
            whole.sizes.tolist(), whole.kinds, whole.problems)  # fmt: skip
        assert found.hashes.tolist() == whole.hashes.tolist()


def test_pixels_in_memory_have_a_size_and_a_hash(monkeypatch):
    images = noise(6, 4)[None].repeat(2, axis=0)
    data = ArrayDataset(images, [0, 0])
    monkeypatch.setattr(module, "open_dataset", lambda name, options: data)
    found = check_records("x", OpenOptions(), 2, False, 1)
    assert (found.sizes.tolist(), found.kinds, found.bytes.tolist()) == ([[6, 4]] * 2, ["pixels"] * 2, [72, 72])
    assert found.hashes[0].tobytes() == hashlib.blake2b(images[0].tobytes(), digest_size=16).digest()


def test_what_the_library_remarks_belongs_to_the_record_it_was_reading(people):
    """In the process that looks, with its standard error in a file: what was said before is not said again."""
    folder, _ = people
    jpeg = bytearray(encode_jpeg(noise(16, 16)))
    jpeg[-40:-2] = b""
    (folder / "a" / "0.jpg").write_bytes(jpeg)
    found = check_records(str(folder), OpenOptions(), 6, True, 1)
    assert sorted(found.problems) == [0, 4]
    assert found.problems[0].startswith(f"{folder}/a/0.jpg: the image is damaged (Corrupt JPEG data: ")
    assert found.problems[0].endswith("); restore or remove it")
    assert found.sizes.tolist() == [[16, 16], [20, 12], [300, 7], [9, 30], [0, 0], [300, 7]]


def test_the_whole_in_numbers_and_what_is_wrong_with_it(people):
    folder, files = people
    for number in range(6, 13):
        (folder / "b" / f"{number:02}.png").write_bytes(encode_png(noise(8, 4, number)))
    (folder / "c").mkdir()
    (folder / "c" / "1.png").write_bytes(files[1])
    found = inspect(str(folder), OpenOptions())
    told = found.to_dict()
    assert (told["images"], told["classes"], told["classes_with_images"], told["classes_with_one_image"]) == (
        13,
        3,
        3,
        1,
    )
    assert told["images_per_class"] == {"min": 1, "median": 3.0, "mean": 4.33, "max": 9}
    assert (told["path"], told["format"], told["unlabeled"]) == (str(folder), "folder", 0)
    assert told["sizes"] == {"4x8": 7, "7x300": 3, "12x20": 1, "30x9": 1, "0x0": 1}
    assert told["kinds"] == {"PNG": 10, "JPEG": 1, "other": 1, "unreadable": 1}
    assert told["duplicates"] == {"groups": 1, "surplus_images": 2, "of_different_identities": 1}
    assert told["bytes"] == sum(path.stat().st_size for path in folder.rglob("*.*")) - 4
    unreadable, sizes, same = found.problems
    assert "b/4.jpg: not an image" in unreadable
    odd = ", ".join(f"{folder}/{name}" for name in ("a/1.jpg", "a/2.png", "a/3.bmp", "b/5.png", "c/1.png"))
    assert sizes == f"5 images are not 4x8 pixels, as most are: {odd}"
    assert same == f"the same image is of different identities: {folder}/a/2.png, {folder}/b/5.png, {folder}/c/1.png"


@pytest.mark.parametrize(("people", "shown"), [(5, "1, 2, 3, 4, 5"), (6, "1, 2, 3, 4, 5, …")])
def test_classes_without_an_image_are_named(tmp_path, people, shown):
    with RecordWriter(tmp_path / "train.rec") as writer:
        writer.write(0, 0.0, b"x")
    (tmp_path / "property").write_text(f"{people + 1},112,112\n")
    found = inspect(str(tmp_path), OpenOptions(), read=False)
    assert found.problems == (f"{people} of {people + 1} classes have no image: {shown}",)
    assert found.to_dict()["classes_with_images"] == 1
    assert (found.records, found.duplicates) == (None, Duplicates())


def test_without_labels_there_is_nothing_to_count(tmp_path):
    jpeg = encode_jpeg(noise(8, 8))
    write_bin(tmp_path / "a.bin", [jpeg] * 4, [True, False])
    found = inspect(str(tmp_path / "a.bin"), OpenOptions())
    assert (found.to_dict()["images_per_class"], found.to_dict()["unlabeled"]) == (None, 4)
    assert found.duplicates == Duplicates(((0, 1, 2, 3),), ())
    assert found.duplicates.surplus == 3
    assert found.problems == ()


def test_sums_of_another_set_are_refused(tmp_path):
    data = EncodedDataset([b"a", b"b", b"c"], "some")
    hashes = np.arange(48, dtype=np.uint8).reshape(3, 16)
    write_sums(tmp_path / "sums.npz", hashes, data.labels)
    assert compare_sums(tmp_path / "sums.npz", data, hashes) == []
    changed = hashes.copy()
    changed[1, 15] += 1
    said = f"some, image 1: the image has changed since {tmp_path / 'sums.npz'} was written"
    assert compare_sums(tmp_path / "sums.npz", data, changed) == [said]
    fewer = EncodedDataset([b"a", b"b"], "some")
    with pytest.raises(DataError, match=r"sums\.npz: is of 3 records, but some has 2; it is another set's"):
        compare_sums(tmp_path / "sums.npz", fewer, hashes[:2])
    write_sums(tmp_path / "sums.npz", hashes, data.labels[:2])
    with pytest.raises(DataError, match="it is another set's"):
        compare_sums(tmp_path / "sums.npz", data, hashes)
    write_sums(tmp_path / "sums.npz", hashes[:, :8], data.labels)
    with pytest.raises(DataError, match="it is another set's"):
        compare_sums(tmp_path / "sums.npz", data, hashes)
