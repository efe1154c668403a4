"""fairface.data.inspection, fairface.data.processes, fairface.report.histogram, and inspect_data.py."""

import json
import struct

import numpy as np
import pytest

from fairface.data.formats import OpenOptions
from fairface.data.images import encode_jpeg, encode_png
from fairface.data.inspection.dataset import find_duplicates, inspect
from fairface.data.inspection.records import HASH_BYTES, RecordCheck
from fairface.data.packing.plan import Photo, Plan
from fairface.data.packing.recordio import pack_encoded
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.recordio.notes import AttributeNotes
from fairface.errors import ConfigError, DataError
from fairface.report.histogram import plot_images_per_class
from unittests.data.builders import images, list_file, memory, plain_rec, rec

PROGRAM = "data_process/inspect_data.py"


def checked(hashes, count=None) -> RecordCheck:
    table = np.zeros((len(hashes), HASH_BYTES), np.uint8)
    table[:, 0] = hashes
    sizes = np.ones(len(hashes), np.int64) if count is None else np.array(count)
    return RecordCheck(table, np.zeros((len(hashes), 2), np.int32), sizes, ["JPEG"] * len(hashes), {})


def test_duplicates_against_a_loop():
    rng = np.random.default_rng(0)
    hashes, labels = rng.integers(0, 12, 40), rng.integers(-1, 3, 40).astype(np.int32)
    readable = rng.integers(0, 2, 40)
    found = find_duplicates(checked(hashes, readable), labels)
    expected = []
    for value in range(12):
        group = tuple(i for i in range(40) if hashes[i] == value and readable[i])
        if len(group) > 1:
            expected.append(group)
    assert sorted(found.groups) == sorted(expected)
    assert found.surplus == sum(len(group) - 1 for group in expected)
    mixed = [group for group in expected if len({int(labels[i]) for i in group if labels[i] >= 0}) > 1]
    assert sorted(found.across_identities) == sorted(mixed)


def test_labels_only_reads_no_image(tmp_path):
    built = rec(tmp_path, [b"no image"] * 6)
    found = inspect(str(built.path), OpenOptions(), read=False)
    assert found.records is None
    assert found.problems == ()
    assert found.to_dict()["images_per_class"] == {"min": 1, "median": 2.0, "mean": 2.0, "max": 3}
    assert (found.to_dict()["format"], found.to_dict()["classes_with_one_image"]) == ("rec", 1)


def damaged(tmp_path):
    """Folders with a truncated, a remarked upon, a wrong, an odd-sized and a missing photograph, and one twice."""
    rng = np.random.default_rng(1)
    jpeg = encode_jpeg(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    short = bytearray(jpeg)
    short[-40:-2] = b""
    files = {
        "a/1.jpg": jpeg, "a/2.jpg": jpeg[:200], "b/3.jpg": bytes(short), "b/4.jpg": b"text", "b/5.jpg": jpeg,
        "b/6.png": encode_png(np.zeros((8, 8, 3), np.uint8)), "b/7.png": encode_png(np.zeros((16, 16, 3), np.uint8)),
    }  # fmt: skip
    for name, data in files.items():
        path = tmp_path / "identities" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "identities" / "a" / "8.jpg").symlink_to("gone.jpg")
    return tmp_path / "identities"


def test_every_problem_is_found(program, tmp_path):
    """Run in processes of their own, as always: the JPEG library tells on standard error of damage that it hides."""
    folder = damaged(tmp_path)
    done = program(PROGRAM, folder, "--check", "--json", "--output", tmp_path / "look", "--jobs", "1")
    assert done.code == 1
    found = json.loads(done.out)
    said = "\n".join(found["problems"])
    assert "missing: " in found["problems"][0]
    assert "8.jpg" in found["problems"][0]
    assert "a/2.jpg: a JPEG image that is cut off or damaged" in said
    assert "b/3.jpg: the image is damaged (Corrupt JPEG data: " in said
    assert "b/4.jpg: not an image" in said
    assert "1 image is not 16x16 pixels, as most are: " in said
    assert "b/6.png" in said
    assert "the same image is of different identities: " in said
    assert len(found["problems"]) == 6
    assert found["duplicates"] == {"groups": 1, "surplus_images": 1, "of_different_identities": 1}
    assert found["sizes"]["16x16"] == 4
    assert found["kinds"] == {"JPEG": 3, "unreadable": 2, "PNG": 2}
    assert (tmp_path / "look" / "problems.txt").read_text().splitlines() == found["problems"]
    for name in ("histogram.png", "samples.png"):
        assert (tmp_path / "look" / name).read_bytes()[:4] == b"\x89PNG"


def test_sums_tell_what_has_changed(program, tmp_path):
    built = plain_rec(tmp_path, images())
    sums = tmp_path / "sums.npz"
    arguments = (PROGRAM, built.path, "--jobs", "1")
    assert program(*arguments, "--write-sums", sums).code == 0
    content = bytearray(built.path.read_bytes())
    content[-20] ^= 1  # in the last image: nothing else can tell
    content[12:16] = struct.pack("<f", 1)  # the label of record 0, which was 0
    built.path.write_bytes(content)
    done = program(*arguments, "--check-sums", sums)
    assert done.code == 1
    assert f"some.rec: record 5: the image has changed since {sums} was written" in done.out
    assert f"some.rec: record 0: the label was 0 when {sums} was written and is 1" in done.out
    assert "2 problems" in done.out
    (tmp_path / "bad.npz").write_bytes(b"PK")
    assert "cannot be read as sums" in program(*arguments, "--check-sums", tmp_path / "bad.npz").err
    assert "--quick reads no image" in program(*arguments, "--quick", "--check").err


@pytest.mark.parametrize("build", [memory, list_file])
def test_other_formats(program, tmp_path, build):
    built = build(tmp_path, images())
    done = program(PROGRAM, built.path, "--jobs", "1")
    assert done.code == 0, done.out
    assert "16x16: 6" in done.out
    assert "0 problems" in done.out


def test_attributes_by_name(tmp_path):
    notes = AttributeNotes(("sex", "hat"), {"sex": ("f", "m")})
    photos = [Photo("x", 0, 0, values) for values in ((0, 1), (1, -1), (1, 1))]
    pack_encoded(Plan(tuple(photos), ("A",), notes), images()[:3], tmp_path, 16)
    found = inspect(str(tmp_path), OpenOptions(), read=False).to_dict()
    assert found["attributes"] == {"sex": {"f": 1, "m": 2}, "hat": {"unknown": 1, "1": 2}}
    assert (
        inspect(str(tmp_path), OpenOptions(zero_is_unlabeled=True), read=False).to_dict()["attributes"]
        == (found["attributes"])
    )


def test_missing_files_where_zero_is_unlabeled(tmp_path):
    built = list_file(tmp_path, images())
    (built.path.parent / "my photos" / "3 é.img").unlink()
    found = [
        inspect(str(built.path), OpenOptions(zero_is_unlabeled=zero), read=False).problems for zero in (False, True)
    ]
    assert found[0] == found[1]
    assert found[0][0].startswith("missing: line 4: ")


def test_what_training_refuses_is_a_problem(program, tmp_path):
    notes = AttributeNotes(("sex",), {"sex": ("f", "m")})
    photos = tuple(Photo("x", i // 2, 0, (1,)) for i in range(6))
    pack_encoded(Plan(photos, ("A", "B", "C"), notes), images(), tmp_path, 16)
    index = tmp_path / "train.idx"
    index.write_text("".join(line for line in index.read_text().splitlines(True) if not line.startswith("3\t")))
    with pytest.raises(DataError, match=r"train\.idx: leaves out records of train\.rec"):
        RecordDataset(tmp_path)
    for zero in (False, True):
        (problem,) = inspect(str(tmp_path), OpenOptions(zero_is_unlabeled=zero), read=False).problems
        assert problem.startswith(f"{index}: leaves out records of train.rec, ")
    done = program(PROGRAM, tmp_path, "--quick")
    assert done.code == 1
    assert "1 problem" in done.out


def test_histogram(tmp_path):
    for counts in ([], [1], [5, 1000, 3]):
        plot_images_per_class(tmp_path / "a.png", np.array(counts, np.int64), "title")
        assert (tmp_path / "a.png").stat().st_size > 1000
    with pytest.raises(ConfigError, match=r"pictures are written as"):
        plot_images_per_class(tmp_path / "a.gif", np.array([1]), "title")
