"""fairface.data.pairsets.bin_set and plain_arrays."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from fairface.data.images import decode
from fairface.data.pairsets.bin_dataset import BinDataset
from fairface.data.pairsets.bin_set import read_bin, write_bin
from fairface.errors import DataError
from fairface.protocols.verification_set import open_verification_set

VECTORS = np.load(Path(__file__).parents[2] / "vectors" / "data_bin.npz")
IMAGES = [b"one", b"two", b"three", b"four"]


class Attack:
    """What a malicious file would hold: a call of a function when it is read."""

    def __init__(self, function, *arguments):
        self.parts = function, arguments

    def __reduce__(self):
        return self.parts


def put(folder, content, protocol=5):
    path = folder / "set.bin"
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("kind", ["bin", "bin_protocol2", "bin_numpy"])
def test_vectors(tmp_path, kind):
    found = read_bin(put(tmp_path, bytes(VECTORS[kind])))
    assert found.same.tolist() == VECTORS["issame"].astype(bool).tolist()
    assert found.same.dtype == np.bool_
    assert len(found) == 3
    for image, expected in zip(found.images, VECTORS["data_nchw_rgb"], strict=True):
        assert np.abs(decode(image, "x").astype(int) - expected.transpose(1, 2, 0)).max() <= 2


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("form", ["lists", "tuples", "arrays", "numpy booleans", "numbers"])
def test_every_protocol_and_form(tmp_path, protocol, form):
    content = {
        "lists": (IMAGES, [True, False]),
        "tuples": [tuple(IMAGES), (True, False)],
        "arrays": ([np.frombuffer(image, np.uint8) for image in IMAGES], np.array([True, False])),
        "numpy booleans": (IMAGES, [np.bool_(True), np.bool_(False)]),
        "numbers": (IMAGES, [1, 0]),
    }[form]
    found = read_bin(put(tmp_path, content, protocol))
    assert found.images == IMAGES
    assert found.same.tolist() == [True, False]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("order", "<>=")
def test_columns_of_older_opencv_and_truth_in_numbers(tmp_path, protocol, order):
    arrays = [np.frombuffer(image, np.uint8) for image in IMAGES]
    columns = [arrays[0][:, None], arrays[1][None], arrays[2], arrays[3][:, None]]
    for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"):
        same = np.array([0, 1], np.dtype(kind).newbyteorder(order))
        for truth in (same, list(same), same[:, None]):
            found = read_bin(put(tmp_path, (columns, truth), protocol))
            assert found.images == IMAGES
            assert found.same.tolist() == [False, True]


@pytest.mark.parametrize("wrong", [np.array([0.5, 1.0]), np.array([np.nan, 0]), np.array([256, 1]), np.array([-1, 1])])
def test_numbers_that_are_no_truth(tmp_path, wrong):
    with pytest.raises(DataError, match="pair 0 is neither same nor different"):
        read_bin(put(tmp_path, (IMAGES, wrong)))


def test_images_are_one_row_of_bytes(tmp_path):
    pixels = np.zeros((2, 3), np.uint8)
    wide = np.zeros((4, 1), np.uint16)
    for image in (pixels, wide, pixels[:, :, None]):
        with pytest.raises(DataError, match=r"image 1 is no encoded image \(bytes\)"):
            read_bin(put(tmp_path, ([b"x", image], [True])))


@pytest.mark.parametrize(("same", "said"), [([1, 1], "the same identity"), ([0, 0], "different identities")])
def test_a_set_of_one_kind_of_pairs_says_so(tmp_path, same, said):
    path = put(tmp_path, (IMAGES, same))
    assert BinDataset(path).problems == (f"{path}: all 2 pairs are of {said}; scoring needs pairs of both kinds",)
    assert BinDataset(path).notes == (f"{path}: 2 pairs, {sum(same)} of them of the same identity",)
    with pytest.raises(DataError, match=r"all 2 comparisons are .*; scoring needs both kinds"):
        open_verification_set(path)
    assert BinDataset(put(tmp_path, (IMAGES, [1, 0]))).problems == ()


def test_arrays_of_numpy_2(tmp_path):
    data = pickle.dumps((IMAGES, np.array([True, False])), protocol=2)
    assert b"cnumpy.core.multiarray\n" in data
    found = read_bin(put(tmp_path, data.replace(b"cnumpy.core.multiarray\n", b"cnumpy._core.multiarray\n")))
    assert found.same.tolist() == [True, False]


def test_pickle_of_python_2(tmp_path):
    images = b"".join(b"U\x03" + image for image in (b"\xff\xd8a", b"\xff\xd8b"))
    found = read_bin(put(tmp_path, b"\x80\x02](" + images + b"e]I01\na\x86."))
    assert found.images == [b"\xff\xd8a", b"\xff\xd8b"]
    assert found.same.tolist() == [True]


def test_writing_gives_insightfaces_bytes(tmp_path):
    source = read_bin(put(tmp_path, bytes(VECTORS["bin"])))
    write_bin(tmp_path / "again.bin", source.images, source.same)
    assert (tmp_path / "again.bin").read_bytes() == bytes(VECTORS["bin"])


@pytest.mark.parametrize("protocol", range(6))
def test_code_is_refused_and_not_run(tmp_path, protocol):
    trace = tmp_path / "was_run"
    for attack in (
        Attack(os.system, f"touch {trace}"),
        Attack(eval, f"open({str(trace)!r}, 'w')"),
        Attack(open, str(trace), "w"),
        Attack(np.memmap, str(trace), "uint8", "w+", 0, (1,)),
    ):
        with pytest.raises(DataError, match=r"set\.bin: refused, it asks for .*source you trust"):
            read_bin(put(tmp_path, (IMAGES, [True, attack]), protocol))
    assert not trace.exists()


@pytest.mark.parametrize(
    "code",
    [
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x04\x00\x00\x00utf7\x86R.",  # another codec
        b"\x80\x02c_codecs\nencode\n}X\x01\x00\x00\x00aK\x01sb.",  # state for a function
        b"\x80\x02cnumpy\nndarray\n)R.",  # an object made from a class
        b"\x80\x02cnumpy\ndtype\nX\x01\x00\x00\x00O\x85R.",  # numpy objects
        b"\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00u1\x85RK\x01b.",  # odd state of a type
        b"\x80\x04X\x01\x00\x00\x00aQ.",  # persistent id
        b"\x80\x02c__builtin__\nbytearray\n)R.",
        b"\x80\x02c_codecs\nencode\n)\x81.",  # NEWOBJ
        b"(i_codecs\nencode\n.",  # INST
        b"\x80\x02\x82\x01.",  # extension registry
        b"\x80\x05\x97.",  # out-of-band buffer
        pickle.dumps((IMAGES, np.array([object()], dtype=object)), protocol=2),
        pickle.dumps((IMAGES, np.zeros(2, np.complex128)), protocol=5),
        pickle.dumps((IMAGES, np.datetime64(0, "s")), protocol=4),
        pickle.dumps(np.zeros(2, [("a", "u1")]), protocol=4),
    ],
)
def test_odd_pickles_are_refused(tmp_path, code):
    with pytest.raises(DataError, match=r"set\.bin: (refused|is no whole)"):
        read_bin(put(tmp_path, code))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no pickle at all",
        b"\xff\xd8\xff\xe0",
        b"\x80\x05\x8e" + b"\xff" * 7 + b"\x7f",
        b"\x80\x04r\xff\xff\xff\xff.",
        bytes(VECTORS["bin"][:5000]),
    ],
)
def test_what_is_no_pickle(tmp_path, data):
    with pytest.raises(DataError, match=r"set\.bin: (is no whole|does not hold)"):
        read_bin(put(tmp_path, data))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1, 2, 3], "does not hold"),
        ({"images": []}, "does not hold"),
        ((IMAGES, [True]), "4 images for 1 pair"),
        (([], []), "0 images for 0 pairs"),
        ((IMAGES, 3), "4 images for 0 pairs"),
        ((IMAGES, [True, 2]), "pair 1 is neither"),
        ((IMAGES, [True, None]), "pair 1 is neither"),
        (([b"a", "text", b"c", b"d"], [True, False]), "image 1 is no encoded image"),
        (([np.zeros((2, 2), np.uint8), b"b"], [True]), "image 0 is no encoded image"),
    ],
)
def test_other_content(tmp_path, content, said):
    with pytest.raises(DataError, match=said):
        read_bin(put(tmp_path, content))


def test_array_shorter_than_its_shape(tmp_path):
    data = pickle.dumps((IMAGES, np.array([True, False])), protocol=2).replace(b"K\x02\x85", b"K\x63\x85")
    with pytest.raises(DataError, match="is no whole"):
        read_bin(put(tmp_path, data))


def test_missing(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_bin(tmp_path / "none.bin")


def test_writing_needs_two_images_a_pair(tmp_path):
    for images, same in ((IMAGES, [True]), ([], [])):
        with pytest.raises(DataError, match="give two a pair"):
            write_bin(tmp_path / "a.bin", images, same)
    assert list(tmp_path.iterdir()) == []
