"""fairface.data.tfrecord_*, tf_*, extraction.extract, pack_names, and the programs on top of them."""

import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.data.formats import OpenOptions
from fairface.data.images import encode_jpeg, encode_png
from fairface.data.inspection.extraction import extract
from fairface.data.opening import open_dataset
from fairface.data.packing.index_conversion import convert_index
from fairface.data.packing.names import plan_names
from fairface.data.packing.recordio import PackOptions
from fairface.data.packing.tfrecord import pack_tfrecords
from fairface.data.text_lines import whole_numbers
from fairface.data.tfrecord.dataset import IndexTFRDataset
from fairface.data.tfrecord.example import decode_example, encode_example
from fairface.data.tfrecord.frame import TFRecordFile, frame, masked_crc
from fairface.errors import DataError
from fairface.faces.align import align
from fairface.faces.landmarks import Landmarks, write_landmarks
from fairface.faces.point_list import read_point_list
from unittests.data.builders import images, tfrecord, unlabeled_tfrecord

VECTORS = np.load(Path(__file__).parents[2] / "vectors" / "data_tfrecord.npz")
JPEGS = [part.tobytes() for part in np.split(VECTORS["jpeg_concat"], np.cumsum(VECTORS["jpeg_lengths"])[:-1])]
NAMES = bytes(VECTORS["img_list"]).decode().split()


def text(name: str) -> str:
    return bytes(VECTORS[name]).decode()


@pytest.fixture
def shard(tmp_path):
    """The vectors' files: a folder with shard and index, and an index for training beside the folder."""
    place = tmp_path / "TFR-tinyA"
    place.mkdir()
    (place / "TFR-tinyA-00000.tfrecord").write_bytes(bytes(VECTORS["shard"]))
    (place / "TFR-tinyA.index").write_text(text("index"))
    (tmp_path / "train.txt").write_text(text("new_index"))
    return place


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """A working directory with the vectors' images and lists."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "imgs").mkdir()
    for name, jpeg in zip(NAMES, JPEGS, strict=True):
        (tmp_path / name).write_bytes(jpeg)
    for name in ("img_list", "pts_list", "old_list"):
        (tmp_path / f"{name}.txt").write_text(text(name))
    return tmp_path


def slow_masked_crc(data: bytes) -> int:
    """Castagnoli's CRC bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.parametrize("data", [b"", b"123456789", bytes(range(256))])
def test_checksum(data):
    assert masked_crc(data) == slow_masked_crc(data)


def test_frame_of_the_documentation():
    assert encode_example(b"abc").hex() == "0a120a100a05696d61676512070a050a03616263"
    assert frame(encode_example(b"abc")).hex() == (
        "14000000000000005e3d29150a120a100a05696d61676512070a050a036162638bda8157"
    )


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16383, 16384, 70000, 1 << 21])
def test_example_of_every_size(size):
    image = bytes(size)
    assert decode_example(encode_example(image)) == image


def field(number: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def test_example_with_other_features():
    label = field(1, b"label") + field(2, field(3, b"\x0a\x01\x05"))
    image = field(1, b"image") + field(2, field(1, field(1, b"\xff\xd8") + field(1, b"second")))
    example = field(1, field(1, label) + field(1, image)) + b"\x10\x07" + b"\x1d1234" + b"\x2112345678"
    assert decode_example(example) == b"\xff\xd8"
    with pytest.raises(ValueError, match=r"without the feature 'image' \(its features: 'label'\)"):
        decode_example(field(1, field(1, label)))
    for wrong in (b"\x0a\x05abc", b"\x0b", b"\xff" * 12, example[:-1], b"\x0a" + b"\xff" * 10 + b"\x01"):
        with pytest.raises(ValueError, match="is no TensorFlow Example"):
            decode_example(wrong)


def test_vectors_are_read(shard):
    for path, labels in ((shard, [-1] * 6), (shard.parent / "train.txt", [0, 0, 0, 0, 1, 1])):
        data = open_dataset(path)
        assert isinstance(data, IndexTFRDataset)
        assert data.labels.tolist() == labels
        assert [data.encoded(i) for i in range(6)] == JPEGS
        for sample, bgr in zip(data, VECTORS["decoded_bgr"], strict=True):
            assert np.abs(sample.image.astype(int) - bgr[..., ::-1]).max() <= 2
    assert data.class_names == ("0", "1")
    assert data.name(5).endswith("TFR-tinyA-00000.tfrecord: record at byte 14469 (train.txt, line 6)")
    assert open_dataset(shard).name(0).endswith("(TFR-tinyA.index, line 1, imgs/0_0.png)")
    assert open_dataset(shard).image_name(0) == "imgs/0_0.png"
    assert list(TFRecordFile(shard / "TFR-tinyA-00000.tfrecord").offsets()) == VECTORS["offsets"].tolist()


@pytest.mark.parametrize("workers", [1, 3])
def test_packing_gives_the_vectors_bytes(listed, workers):
    plan = plan_names("img_list.txt")
    pack_tfrecords(plan.names, plan.photos, "out/TFR-tinyA", PackOptions(workers=workers))
    assert Path("out/TFR-tinyA/TFR-tinyA-00000.tfrecord").read_bytes() == bytes(VECTORS["shard"])
    assert Path("out/TFR-tinyA/TFR-tinyA.index").read_text() == text("index")
    assert sorted(os.listdir("out/TFR-tinyA")) == ["TFR-tinyA-00000.tfrecord", "TFR-tinyA.index"]


def test_packing_with_landmarks(listed):
    for name, bgr in zip(NAMES, VECTORS["images_bgr"], strict=True):
        (listed / name).write_bytes(cv2.imencode(".png", bgr)[1].tobytes())
    plan = plan_names("img_list.txt", points=read_point_list("pts_list.txt"))
    pack_tfrecords(plan.names, plan.photos, "TFR-tinyA", PackOptions(workers=2, align=align))
    data = open_dataset("TFR-tinyA")
    for sample, bgr in zip(data, VECTORS["decoded_bgr"], strict=True):
        assert np.abs(sample.image.astype(int) - bgr[..., ::-1]).mean() < 3


def test_shards_of_a_given_size(listed):
    plan = plan_names("img_list.txt")
    shards = pack_tfrecords(plan.names, plan.photos, "few", PackOptions(), per_shard=4)
    assert [path.name for path in shards] == ["few-00000.tfrecord", "few-00001.tfrecord"]
    assert [line.split("\t")[1] for line in Path("few/few.index").read_text().splitlines()] == list("000011")
    assert [open_dataset("few").encoded(i) for i in range(6)] == JPEGS
    with pytest.raises(DataError, match=r"few-00001\.tfrecord: is there from other data"):
        pack_tfrecords(plan.names, plan.photos, "few", PackOptions())
    pack_tfrecords(plan.names, plan.photos, "few", PackOptions(), per_shard=4)


def test_missing_photographs_and_landmarks(listed):
    (listed / "imgs" / "0_1.png").unlink()
    with pytest.raises(DataError, match=r"img_list\.txt: 1 of 6 files is missing: line 2: imgs/0_1\.png"):
        plan_names("img_list.txt")
    plan = plan_names("img_list.txt", on_missing="skip")
    assert len(plan.names) == len(plan.photos) == 5
    assert "1 of 6 files is missing" in plan.notes[0]
    (listed / "imgs" / "0_1.png").write_bytes(JPEGS[1])
    points = read_point_list("pts_list.txt")
    del points["imgs/1_5.png"]
    with pytest.raises(DataError, match=r"landmarks: 1 of 6 files is missing: line 6: imgs/1_5\.png; add them"):
        plan_names("img_list.txt", listed, points)
    assert len(plan_names("img_list.txt", listed, points, "skip").names) == 5


def test_names_that_cannot_stand_in_an_index(tmp_path):
    photo = plan_of(tmp_path, "a.jpg")
    for names, said in (
        (["a\tb"], "a tab or a control"),
        (["a\nb"], "a tab or a control"),
        (["a", "a"], "named twice"),
    ):
        with pytest.raises(DataError, match=said):
            pack_tfrecords(names, photo * len(names), tmp_path / "out", PackOptions())
    with pytest.raises(DataError, match="no photograph to pack"):
        pack_tfrecords([], [], tmp_path / "out", PackOptions())
    assert not (tmp_path / "out").exists()


def plan_of(folder: Path, name: str):
    (folder / name).write_bytes(encode_jpeg(np.zeros((112, 112, 3), np.uint8)))
    (folder / "one.txt").write_text(name)
    return plan_names(folder / "one.txt", folder).photos


def test_nothing_is_left_of_packing_that_failed(listed):
    (listed / "imgs" / "1_5.png").write_bytes(b"no image")
    plan = plan_names("img_list.txt")
    with pytest.raises(DataError, match=r"imgs/1_5\.png \(line 6 of the list\): not an image"):
        pack_tfrecords(plan.names, plan.photos, "out", PackOptions())
    assert list(Path("out").iterdir()) == []


@pytest.mark.parametrize("where", [0, 5, 9, 13, 30, 2842, 2843, 2844, 17547])
@pytest.mark.parametrize("check", [True, False])
def test_changed_bit(shard, where, check):
    """With checksums every change is found; without, one in the image passes, and one in the length mostly does not."""
    file = shard / "TFR-tinyA-00000.tfrecord"
    content = bytearray(file.read_bytes())
    content[where] ^= 4
    file.write_bytes(content)
    data = open_dataset(shard, options=OpenOptions(checksums=check))
    damaged = int(np.searchsorted(VECTORS["offsets"], where, "right")) - 1
    for i in range(6):
        if i != damaged:
            assert data.encoded(i) == JPEGS[i]
        elif check:
            with pytest.raises(
                DataError, match=rf"TFR-tinyA-00000\.tfrecord: .*byte {VECTORS['offsets'][i]}.*checksum"
            ):
                data.encoded(i)


def test_truncated_shard(shard):
    file = shard / "TFR-tinyA-00000.tfrecord"
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    data = open_dataset(shard)
    with pytest.raises(
        DataError, match=r"record at byte 14469 is cut off after \d+ of \d+ bytes; the file is truncated"
    ):
        data.encoded(5)
    with pytest.raises(DataError, match="ends at byte 17547, in the middle of the record at byte 14469"):
        list(TFRecordFile(file).offsets())
    file.write_bytes(content[:14470])
    with pytest.raises(DataError, match=r"line 6 has a record begin at byte 14469 of .* which has 14470 bytes"):
        open_dataset(shard)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("TFR-tinyA\t0\t0", "line 2 is"),
        ("TFR-tinyA\t0\t0\t0\t0", "line 2 is"),
        ("TFR-tinyA\t0\tx\t0", "line 2 is"),
        ("TFR-tinyA\t0\t2844\t1.5", "line 2 is"),
        ("TFR-tinyA\t0\t2844\t-2", "line 2 is"),
        ("TFR-tinyA\t-1\t2844\t0", "line 2 is"),
        ("TFR-tinyA\t100000\t2844\t0", "line 2 is"),
        ("\t0\t2844\t0", "line 2 is"),
        ("TFR-tinyA 0 2844 0", "line 2 is"),
        ("../TFR-tinyA\t0\t2844\t0", "line 2 names the TFRecord '../TFR-tinyA', which leads out"),
        ("/TFR-tinyA\t0\t2844\t0", "leads out of the folder"),
        ("TFR-tinyA\t0\t99999999\t0", "line 2 has a record begin at byte 99999999"),
        ("TFR-tinyA\t1\t2844\t0", r"1 of 2 files is missing: .*TFR-tinyA-00001\.tfrecord \(1 image\)"),
        ("TFR-none\t0\t2844\t0", r"1 of 2 files is missing: .*TFR-none-00000\.tfrecord"),
        ("TFR-tinyA\t0\t0\t1", "lines 1 and 2 name the same record with different labels"),
        ("TFR-tinyA\t0\t2844\t0\x00", "line 2 holds the control character"),
    ],
)
def test_damaged_line(shard, line, said):
    index = shard.parent / "train.txt"
    lines = text("new_index").splitlines()
    index.write_text("\n".join([lines[0], line, *lines[2:]]) + "\n")
    with pytest.raises(DataError, match=said):
        open_dataset(index)


def test_a_record_may_be_named_twice_with_one_label(shard):
    index = shard.parent / "train.txt"
    index.write_text(text("new_index") * 2)
    assert len(open_dataset(index)) == 12
    (shard / "TFR-tinyA.index").write_text(text("index") * 2)
    with pytest.raises(DataError, match="lines 1 and 7 name the same record"):
        open_dataset(shard)


def test_missing_shard_is_left_out_when_told(tmp_path):
    built = tfrecord(tmp_path, images())
    (built.path.parent / "TFR" / "TFR-00000.tfrecord").unlink()
    data = open_dataset(built.path, options=OpenOptions(on_missing="skip"))
    assert data.class_names == ("7", "30")
    assert [data.encoded(i) for i in range(2)] == built.images[4:]
    assert "1 of 2 files is missing and was left out" in data.notes[0]


def test_index_of_images_is_a_list(tmp_path):
    (tmp_path / "a.jpg").write_bytes(images()[0])
    (tmp_path / "train.index").write_text("a.jpg\t7\n")
    assert open_dataset(tmp_path / "train.index").class_names == ("7",)


def test_folder_without_or_with_several_indexes(shard):
    (shard / "TFR-tinyA.index").rename(shard / "one.index")
    assert len(open_dataset(shard)) == 6
    (shard / "two.index").write_text(text("index"))
    with pytest.raises(DataError, match=r"2 index files and none is TFR-tinyA\.index"):
        open_dataset(shard)
    (shard / "one.index").unlink()
    (shard / "two.index").unlink()
    with pytest.raises(DataError, match="no index file"):
        open_dataset(shard)
    with pytest.raises(DataError, match="name their index file"):
        open_dataset(shard / "TFR-tinyA-00000.tfrecord")


def test_record_without_an_image_is_named(tmp_path):
    place = tmp_path / "T"
    place.mkdir()
    (place / "T-00000.tfrecord").write_bytes(frame(b"\x0a\x00"))
    (place / "T.index").write_text("a.jpg\t0\t0\n")
    with pytest.raises(
        DataError, match=r"T-00000\.tfrecord: record at byte 0 \(T\.index, line 1, a\.jpg\): is an Example"
    ):
        open_dataset(place).encoded(0)


def test_a_length_that_is_too_large_is_no_memory_error(tmp_path):
    length = struct.pack("<Q", 1 << 62)
    (tmp_path / "a.tfrecord").write_bytes(length + struct.pack("<I", masked_crc(length)) + bytes(100))
    with pytest.raises(DataError, match="byte 0"):
        TFRecordFile(tmp_path / "a.tfrecord").read_at(0)


def test_convert_index(shard, listed):
    done = convert_index("old_list.txt", shard / "TFR-tinyA.index", "new.txt")
    assert Path("new.txt").read_text() == text("new_index")
    assert (done.written, done.unknown, done.unused) == (6, ("imgs/missing.png",), 0)
    Path("short.txt").write_text("imgs/0_1.png 12\n")
    assert convert_index("short.txt", shard / "TFR-tinyA.index", "new.txt", "OTHER").unused == 5
    assert Path("new.txt").read_text() == "OTHER\t0\t2844\t12\n"
    for content, said in (("a.png 0\n", "none of its 1 image"), ("a.png\n", "line 1 is"), ("a.png x\n", "line 1 is")):
        Path("bad.txt").write_text(content)
        with pytest.raises(DataError, match=said):
            convert_index("bad.txt", shard / "TFR-tinyA.index", "bad.new")
    with pytest.raises(DataError, match="has labels already"):
        convert_index("old_list.txt", shard.parent / "train.txt", "bad.new")
    assert not Path("bad.new").exists()


@pytest.mark.parametrize("written", ["12", "12.0", "12.000000", "12.", "0012"])
def test_labels_of_an_index_are_whole_numbers(shard, listed, written):
    Path("short.txt").write_text(f"imgs/0_1.png {written}\n")
    convert_index("short.txt", shard / "TFR-tinyA.index", "new.txt")
    assert [line.split("\t")[3] for line in Path("new.txt").read_text().splitlines()] == ["12"]


def test_extract(shard, tmp_path):
    out = tmp_path / "out"
    assert [path.relative_to(out).as_posix() for path in extract(open_dataset(shard), out, 2)] == [
        "imgs/0_0.jpg", "imgs/0_1.jpg",  # they are JPEGs, whatever the index calls them
    ]  # fmt: skip
    assert [path.read_bytes() for path in extract(open_dataset(shard), out)] == JPEGS
    assert len(list(out.rglob("*.*"))) == 6
    (out / "imgs" / "0_0.jpg").write_bytes(b"mine")
    extract(open_dataset(shard), out)
    extract(open_dataset(shard), out)
    assert (out / "imgs" / "0_0.jpg").read_bytes() == b"mine"
    assert (out / "imgs" / "0_0_2.jpg").read_bytes() == JPEGS[0]
    assert len(list(out.rglob("*.*"))) == 7
    made = extract(open_dataset(shard.parent / "train.txt"), out / "by label")
    assert made[4].relative_to(out).as_posix() == "by label/1/TFR-tinyA-00000-11564.jpg"


@pytest.mark.parametrize("name", ["/etc/x.jpg", "../../x.jpg", "a/../../x.jpg", "..", "///", "a//./x.jpg"])
def test_extract_stays_in_its_folder(tmp_path, name):
    built = unlabeled_tfrecord(tmp_path / "in", images())
    index = built.path / "TFR-MINE.index"
    index.write_text(index.read_text().replace("my images/é 0.jpg", name))
    paths = extract(open_dataset(built.path), tmp_path / "a" / "b" / "out")
    assert len({path.resolve() for path in paths}) == 6
    assert all((tmp_path / "a" / "b" / "out").resolve() in path.resolve().parents for path in paths)


def test_extract_does_not_follow_links_out(tmp_path):
    built = unlabeled_tfrecord(tmp_path / "in", images())
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "my images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="would leave the folder"):
        extract(open_dataset(built.path), tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_names_that_come_together_do_not_overwrite(tmp_path):
    built = unlabeled_tfrecord(tmp_path, [*images()[:5], encode_png(np.zeros((4, 4, 3), np.uint8))])
    index = built.path / "TFR-MINE.index"
    index.write_text("".join(f"same.jpg\t{i // 4}\t{line.split()[-1]}\n" for i, line in enumerate(index.open())))
    paths = extract(open_dataset(built.path), tmp_path / "out")
    assert sorted(path.name for path in paths) == ["same.jpg", "same.png", *(f"same_{i}.jpg" for i in range(2, 6))]
    assert [path.read_bytes() for path in paths] == built.images


def test_whole_numbers():
    texts = ["7", "-1", "7.0", "7.", "1_0", "٤", "7.5", "", "1e3", "9" * 18, "9" * 19, "+1", " 1"]
    values, wrong = whole_numbers(texts)
    assert values[:4].tolist() == [7, -1, 7, 7]
    assert wrong.tolist() == [4, 5, 6, 7, 8, 10, 11, 12]


def test_landmarks_of_align_become_a_point_list(program, listed):
    points = read_point_list("pts_list.txt")
    rows = [Landmarks(name, 1, 0.9, points[name]) for name in NAMES[:5]]
    write_landmarks("landmarks.csv", [*rows, Landmarks("other.jpg", 0, None, None)])
    arguments = ("--img_list", "img_list.txt", "--pts_list", "points.txt")
    done = program("data_process/make_pts_list.py", *arguments, "--landmarks", "landmarks.csv")
    assert done.out == (
        "points.txt: landmarks of 5 of 6 photographs\n"
        f"points.no_face.txt: 1 photograph without a face, first {NAMES[5]}\n"
    )
    found = read_point_list("points.txt")
    assert list(found) == NAMES[:5]
    assert np.allclose(found[NAMES[0]], points[NAMES[0]], atol=1e-3)
    assert Path("points.no_face.txt").read_text() == f"{NAMES[5]}\n"


def test_programs(program, listed):
    done = program("data_process/img2tfrecord.py", "--img_list", "img_list.txt", "--tfrecords_name", "TFR-tinyA")
    assert done == (0, "TFR-tinyA: 6 photographs in 1 TFRecord\n", "")
    index = "TFR-tinyA/TFR-tinyA.index"
    done = program("data_process/convert_new_index.py", "--old", "old_list.txt", "--tfr_index", index, "--new", "n.txt")
    assert (done.code, done.err) == (0, "imgs/missing.png failed\n")
    assert (listed / "n.txt").read_text() == text("new_index")
    done = program("data_process/decode.py", "--tfrecords_dir", "TFR-tinyA", "--output_dir", "look", "--limit", "4")
    assert done == (0, "look: 4 of 6 images\n", "")
    points = ("--pts_list", "pts_list.txt", "--tfrecords_name", "P")
    assert program("data_process/img2tfrecord.py", "--img_list", "img_list.txt", *points).code == 0
    done = program("data_process/img2tfrecord.py", "--img_list", "none.txt")
    assert done == (2, "", "error: none.txt: cannot be read (No such file or directory); correct the path\n")
    for flag in ("--img_list IMG_LIST", "--pts_list PTS_LIST", "(default: TFR-MS1M)"):
        assert flag in program("data_process/img2tfrecord.py", "--help").out
    assert "(default: 10)" in program("data_process/decode.py", "--help").out
