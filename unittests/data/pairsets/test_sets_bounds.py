"""Verification sets at their edges: what a pickle may hold, what memory files must say, what is written."""

import json
import pickle
import pickletools

import google_crc32c
import numpy as np
import pytest

from fairface.data.images import encode_jpeg
from fairface.data.packing.memory import make_memory_set
from fairface.data.pairsets.bin_set import BinSet, read_bin, write_bin
from fairface.data.pairsets.memory_set import (
    MemoryDataset,
    conf_file,
    crc_of,
    data_file,
    is_memory_set,
    list_file,
    read_conf,
    read_memory_set,
)
from fairface.errors import DataError
from fairface.safe_pickle import UnsafePickleError

JPEG = encode_jpeg(np.zeros((8, 8, 3), np.uint8))


def put(tmp_path, content):
    path = tmp_path / "set.bin"
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol=5))
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (([b"a", b"b"],), "does not hold (images, same), the form of a verification set;"),
        (([b"a", b"b"], [True], 1), "does not hold (images, same)"),
        (([b"a", b"b", b"c"], [True]), "holds 3 images for 1 pair, not two a pair;"),
        (([b"a"], [True]), "holds 1 image for 1 pair, not two a pair;"),
        ((np.zeros((2, 2), np.uint8), [True]), "holds 0 images for 1 pair"),
        (([b"a", b"b"], np.ones((1, 1, 1), bool)), "holds 2 images for 0 pairs"),
        (([b"a", b"b"], [2]), "pair 0 is neither same nor different (true or false); make the set again"),
        (([b"a", b"b", b"c", b"d"], [0, -1]), "pair 1 is neither same nor different"),
        (([b"a", "b"], [1]), "image 1 is no encoded image (bytes); make the set again"),
        (([np.zeros(3, np.int8), b"b"], [1]), "image 0 is no encoded image"),
        (([np.zeros((2, 2), np.uint8), b"b"], [1]), "image 0 is no encoded image"),
    ],
)
def test_what_is_no_verification_set(tmp_path, content, said):
    path = put(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_bin(path)
    assert str(caught.value).startswith(f"{path}: {said}")


def test_one_pair_is_a_set(tmp_path):
    found = read_bin(put(tmp_path, [(b"a", bytearray(b"b")), np.array([[1]])]))
    assert (found.images, found.same.tolist(), found.same.dtype) == ([b"a", b"b"], [True], np.bool_)
    assert len(BinSet([b""] * 6, np.ones(3, bool))) == 3
    with pytest.raises(DataError, match=r"none\.bin: cannot be read \(No such file or directory\); correct the path"):
        read_bin(tmp_path / "none.bin")


def test_a_written_set_is_a_pickle_of_protocol_5_with_bytes_and_booleans(tmp_path):
    write_bin(tmp_path / "a.bin", (b"a", b"b", b"c", b"d"), np.array([[1], [0]]))
    content = (tmp_path / "a.bin").read_bytes()
    assert pickle.loads(content) == ([b"a", b"b", b"c", b"d"], [True, False])
    assert next(pickletools.genops(content))[1] == 5
    for images, same, counts in (
        ([b"a"], [True], "1 image for 1 pair"),
        ([b"a"] * 3, [True], "3 images for 1 pair"),
        ([], [], "0 images for 0 pairs"),
    ):
        said = f"{counts}; give two a pair, and one pair at least"
        with pytest.raises(DataError, match=said):
            write_bin(tmp_path / "b.bin", images, same)


def call(function, *arguments):
    """What one of the functions that a pickle may call makes of these arguments."""
    from fairface.data.pairsets.plain_arrays import CALLS

    name = next(name for name in CALLS if name.module + "." + name.name == function)
    return CALLS[name](*arguments)


U1 = "numpy.dtype", "u1"


def test_arrays_from_a_buffer_and_single_numbers():
    kind = call("numpy.dtype", "|u2", False, True)
    kind.set_state((3, ">", None))
    made = call("numpy.core.numeric._frombuffer", b"\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b", kind, (2, 3), "F")
    expected = np.frombuffer(b"\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b", ">u2").reshape((2, 3), order="F")
    assert made.values.tolist() == expected.tolist()
    made = call("numpy._core.numeric._frombuffer", bytearray(range(6)), call(*U1), (2, 3), b"C")
    assert made.values.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert call("numpy.core.multiarray.scalar", call("numpy.dtype", "b1"), b"\2") is True
    assert call("numpy._core.multiarray.scalar", call("numpy.dtype", b"f8"), np.float64(2.5).tobytes()) == 2.5
    array = call("numpy.core.multiarray._reconstruct")
    array.set_state((1, (2, 2), call(*U1), True, "\0\1\xfe\xff"))  # text of Python 2
    assert array.values.tolist() == [[0, 254], [1, 255]]
    array.set_state((1, (2, 2), call(*U1), False, b"\0\1\xfe\xff"))
    assert array.values.tolist() == [[0, 1], [254, 255]]
    assert call("_codecs.encode", "a\xff", "latin1") == call("_codecs.encode", "a\xff", b"latin1") == b"a\xff"


@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        ("numpy.core.numeric._frombuffer", (b"ab", "u1", (2,), "C"), "an array of an unknown form"),
        ("numpy.core.numeric._frombuffer", ([1, 2], U1, (2,), "C"), "unknown form"),
        ("numpy.core.numeric._frombuffer", (b"ab", U1, (2,), "A"), "unknown form"),
        ("numpy.core.numeric._frombuffer", (b"ab", U1, (2,), 3), "a name is no text"),
        ("numpy.core.numeric._frombuffer", (b"ab", U1, [2], "C"), "unknown shape"),
        ("numpy.core.numeric._frombuffer", (b"ab", U1, (-1,), "C"), "unknown shape"),
        ("numpy.core.numeric._frombuffer", (b"ab", U1, (2.0,), "C"), "unknown shape"),
        ("_codecs.encode", (b"a", "latin1"), "it encodes text other than bytes"),
        ("_codecs.encode", ("a", "utf-8"), "it encodes text other than bytes"),
        ("numpy.dtype", ("O8",), "it holds numpy values of the type O8, not numbers or bools"),
        ("numpy.dtype", ("x" * 30,), f"of the type {'x' * 20}, not"),
    ],
)
def test_what_a_pickle_may_not_ask_for(function, arguments, said):
    arguments = tuple(call(*part) if part is U1 else part for part in arguments)
    with pytest.raises(UnsafePickleError, match=said.replace("an array", "a numpy array")):
        call(function, *arguments)


@pytest.mark.parametrize("state", [1, (3,), (3, "?"), [3, "<"], (3, 5)])
def test_states_of_a_type_that_are_none(state):
    with pytest.raises(UnsafePickleError, match=r"unknown form|no text"):
        call(*U1).set_state(state)
    for right in ((3, "|"), (3, "<", None), (3, b">"), (3, "=")):
        call(*U1).set_state(right)


def test_an_empty_array_has_no_values():
    assert call("numpy.core.multiarray._reconstruct", object, (0,), b"b").values.tolist() == []


@pytest.fixture
def lfw(tmp_path):
    rng = np.random.default_rng(0)
    files = [encode_jpeg(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)) for _ in range(4)]
    write_bin(tmp_path / "lfw.bin", files, [True, False])
    make_memory_set(tmp_path / "lfw.bin")
    return tmp_path / "lfw"


def conf_of(folder):
    return json.loads(conf_file(folder).read_text())


def test_what_memory_files_say_of_themselves(lfw):
    found = conf_of(lfw)
    pixels = data_file(lfw).read_bytes()
    assert found["shape"] == [4, 6, 5, 3]
    assert (found["dtype"], found["layout"], found["colour"], found["swapped"]) == ("uint8", "NHWC", "RGB", False)
    assert found["crc32c"] == google_crc32c.value(pixels)
    assert found["list_crc32c"] == google_crc32c.value(list_file(lfw).read_bytes())
    source = lfw.with_suffix(".bin").read_bytes()
    assert found["source"] == {"name": "lfw.bin", "bytes": len(source), "crc32c": google_crc32c.value(source)}
    assert (data_file(lfw).name, list_file(lfw).name, is_memory_set(lfw)) == ("mem_file.dat", "lfw_list.npy", True)
    whole = read_memory_set(lfw)
    assert whole.images.tobytes() == pixels
    assert (len(whole), whole.images.flags.writeable) == (2, False)
    data = MemoryDataset(lfw)
    assert (data.labels.tolist(), data.num_classes, data.name(3)) == ([-1] * 4, 0, f"{lfw}, image 3")
    with pytest.raises(DataError, match="record 4 was asked for"):
        data.name(4)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dtype", "float32"), ("layout", "NCHW"), ("colour", "BGR"), ("shape", [4, 6, 5]), ("shape", [4, 6, 5, 1]),
        ("shape", [4, 3, 6, 5]), ("shape", [0, 6, 5, 3]), ("shape", [4.0, 6, 5, 3]), ("shape", "4653"), ("more", 1),
        ("crc32c", None),
    ],
)  # fmt: skip
def test_other_memory_files_are_not_read(lfw, key, value):
    changed = {**conf_of(lfw), key: value}
    if value is None:
        del changed[key]
    conf_file(lfw).write_text(json.dumps(changed))
    with pytest.raises(DataError, match=r"mem_file\.dat\.conf: does not describe memory files of a known form"):
        read_memory_set(lfw)


def test_the_smallest_shape_of_either_kind(lfw):
    for conf in ({**conf_of(lfw), "shape": [1, 1, 1, 3]}, {"shape": [1, 3, 1, 1], "dtype": "float32"}):
        conf_file(lfw).write_text(json.dumps(conf))
        assert read_conf(lfw) == conf
    for conf in (
        {"shape": [1, 1, 1, 3], "dtype": "float32"}, {"shape": [1, 3, 1, 1], "dtype": "float64"},
        {"shape": [1, 3, 1, 1], "dtype": "float32", "layout": "NCHW"}, [1],
    ):  # fmt: skip
        conf_file(lfw).write_text(json.dumps(conf))
        with pytest.raises(DataError, match="of a known form"):
            read_conf(lfw)
    conf_file(lfw).write_text("{")
    with pytest.raises(DataError, match=r"conf: cannot be read as JSON \("):
        read_conf(lfw)
    conf_file(lfw).unlink()
    with pytest.raises(DataError, match=r"conf: is missing, so the set was not finished;"):
        read_conf(lfw)


@pytest.mark.parametrize("change", [-1, 1])
def test_pixels_fill_the_file(lfw, change):
    pixels = data_file(lfw).read_bytes()
    data_file(lfw).write_bytes((pixels + b"\0")[: len(pixels) + change])
    said = rf"mem_file\.dat: has {360 + change} bytes, not the 360 of an array \(4, 6, 5, 3\) of uint8;"
    with pytest.raises(DataError, match=said):
        read_memory_set(lfw)
    data_file(lfw).unlink()
    with pytest.raises(DataError, match=r"mem_file\.dat: has 0 bytes, not the 360"):
        read_memory_set(lfw)


@pytest.mark.parametrize("same", [[1.0, 0.0], [[True, False]], [2, 0], [-1, 0], ["a", "b"], 1])
def test_a_list_of_pairs_is_of_true_and_false(lfw, same):
    np.save(list_file(lfw), np.array(same))
    with pytest.raises(DataError, match=r"lfw_list\.npy: is no list of true and false;"):
        read_memory_set(lfw, check=False)
    for right in (np.array([1, 0], np.uint8), np.array([1, 0], np.int64), np.array([True, False])):
        np.save(list_file(lfw), right)
        assert read_memory_set(lfw, check=False).same.tolist() == [True, False]


def test_a_list_of_pairs_that_is_no_array(lfw):
    with list_file(lfw).open("wb") as file:
        np.savez(file, same=np.array([True, False]))
    with pytest.raises(DataError, match=r"lfw_list\.npy: is no list of true and false"):
        read_memory_set(lfw, check=False)
    list_file(lfw).write_bytes(b"")
    with pytest.raises(DataError, match=r"lfw_list\.npy: cannot be read as a list of true and false \("):
        read_memory_set(lfw, check=False)
    np.save(list_file(lfw), np.array([True, False, True]))
    with pytest.raises(DataError, match="tells of 3 pairs, but there are 4 images"):
        read_memory_set(lfw, check=False)


def test_a_checksum_of_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    content = bytes(range(256)) * 40
    (tmp_path / "a").write_bytes(content)
    assert crc_of(tmp_path / "a") == google_crc32c.value(content)
    monkeypatch.setattr("fairface.data.pairsets.memory_set._BLOCK", 1000)
    assert crc_of(tmp_path / "a") == google_crc32c.value(content)
    with pytest.raises(DataError, match=r"b: cannot be read \(No such file or directory\); make it again with"):
        crc_of(tmp_path / "b")


def adaface(folder, values):
    data_file(folder).parent.mkdir(parents=True, exist_ok=True)
    values.astype(np.float32).tofile(data_file(folder))
    conf_file(folder).write_text(json.dumps({"shape": list(values.shape), "dtype": "float32"}))
    np.save(list_file(folder), np.arange(len(values) // 2) % 2 == 0)


@pytest.mark.parametrize("count", [2, 256, 258])
def test_pixels_of_adaface_are_bgr_from_minus_1_to_1(tmp_path, count):
    values = np.random.default_rng(0).uniform(-1, 1, (count, 3, 2, 1))
    values.reshape(-1)[:2] = (-1, 1)
    adaface(tmp_path / "lfw", values)
    found = read_memory_set(tmp_path / "lfw").images
    assert found.shape == (count, 2, 1, 3)
    rgb = values.astype(np.float32)[:, ::-1].transpose(0, 2, 3, 1)
    assert (found == np.rint((rgb + 1) * np.float32(127.5))).all()


@pytest.mark.parametrize("value", [np.nan, -np.inf, -1.1, 1.1])
@pytest.mark.parametrize("place", [0, 300])
def test_pixels_of_adaface_beyond_their_range(tmp_path, value, place):
    values = np.zeros((302, 3, 1, 1))
    values[place, 1] = value
    adaface(tmp_path / "lfw", values)
    with pytest.raises(DataError, match=r"mem_file\.dat: holds values outside -1 to 1;"):
        read_memory_set(tmp_path / "lfw")
