"""Odd moves of a PyTorch pickle: objects made of what is no class, values that are doubled."""

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.interop.torch.file import read_torch
from unittests.interop.torch.torch_writer import LEGACY_MAGIC, Call, Global, Raw, Stored, pickled, tensor, write_zip

ONES = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (Call(Global("utils", "cls"), (), new=True), "makes an object of an object of utils.cls"),
        ({}, "makes an object of a dict"),
        ("os.system", "makes an object of a str"),
        (7, "makes an object of a int"),
        (tensor(ONES, "0"), "makes an object of a Tensor"),
    ],
)
def test_objects_are_made_of_names_only(tmp_path: Path, cls: object, said: str) -> None:
    data = {"a": tensor(ONES, "0"), "b": Call(cls, ("touch code-ran",), new=True)}
    with pytest.raises(CheckpointError, match=said):
        read_torch(write_zip(tmp_path / "x.pth", data, {"0": ONES.tobytes()}))


def test_a_doubled_value_is_the_one_on_top(tmp_path: Path) -> None:
    """``DUP``: two dictionaries on the stack are one; what is put into the upper one is in the lower one too."""
    key, value = (pickled(part)[2:-1] for part in ("a", tensor(ONES, "0")))
    code = Raw(b"K\x05" + b"}2" + key + value + b"s0")  # 5 lies below; 0 takes the upper one away
    found = read_torch(write_zip(tmp_path / "x.pth", code, {"0": ONES.tobytes()}))
    np.testing.assert_array_equal(found["a"], ONES)


FLOATS = Global("torch", "FloatStorage")
PIDS = [
    ["storage", FLOATS, "0", "cpu", 6], ("storage", FLOATS, "0", "cpu"), ("storage", FLOATS, "0", "cpu", 6, None, None),
    ("storages", FLOATS, "0", "cpu", 6), ("storage", FLOATS, "0", "cpu", 6, 1), ("storage", FLOATS, 0, "cpu", 6),
    ("storage", FLOATS, "0", "cpu", 6.0), ("storage", FLOATS, "0", "cpu", True), ("storage", FLOATS, "0", "cpu", -1),
]  # fmt: skip


@pytest.mark.parametrize("pid", PIDS, ids=repr)
def test_a_storage_is_described_in_one_way(tmp_path: Path, pid: tuple[object, ...]) -> None:
    made = Call(Global("torch._utils", "_rebuild_tensor_v2"), (Stored(pid), 0, (2, 3), (3, 1)))  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match="a tensor's storage has an unknown form"):
        read_torch(write_zip(tmp_path / "x.pth", {"a": made}, {"0": ONES.tobytes()}))


@pytest.mark.parametrize("kind", ["FloatStorage", Global("numpy", "FloatStorage"), Global("torch", "Odd"), None])
def test_a_storage_is_of_a_type_that_is_known(tmp_path: Path, kind: object) -> None:
    made = Call(Global("torch._utils", "_rebuild_tensor_v2"), (Stored(("storage", kind, "0", "cpu", 6)), 0, (2,), (1,)))
    with pytest.raises(CheckpointError, match=r"a tensor is stored as .*, which is not known"):
        read_torch(write_zip(tmp_path / "x.pth", {"a": made}, {"0": ONES.tobytes()}))


@pytest.mark.parametrize("changes", [
    {"offset": 0.0}, {"offset": False}, {"shape": [2, 3]}, {"strides": [3, 1]}, {"shape": (2, 3.0)}, {"shape": (-2, 3)},
    {"strides": (True, 1)},
])  # fmt: skip
def test_a_tensor_is_described_in_one_way(tmp_path: Path, changes: dict[str, object]) -> None:
    path = write_zip(tmp_path / "x.pth", {"a": tensor(ONES, "0", **changes)}, {"0": ONES.tobytes()})
    with pytest.raises(CheckpointError, match="a tensor has an unknown form"):
        read_torch(path)


@pytest.mark.parametrize(("changes", "expected"), [
    ({"offset": 5, "shape": (1,), "strides": (9,)}, [5.0]), ({"shape": (2,), "strides": (5,)}, [0.0, 5.0]),
    ({"shape": (6,), "strides": (0,)}, [0.0] * 6), ({"shape": (0,), "strides": (1,), "offset": 6}, []),
])  # fmt: skip
def test_a_tensor_may_reach_to_the_end_of_its_storage(
    tmp_path: Path, changes: dict[str, object], expected: list[float]
) -> None:
    values = np.arange(6, dtype=np.float32)
    found = read_torch(write_zip(tmp_path / "x.pth", {"a": tensor(values, "0", **changes)}, {"0": values.tobytes()}))
    assert found["a"].tolist() == expected


@pytest.mark.parametrize(("more", "whole"), [(0, True), (1, False)])
def test_a_description_of_sixteen_mebibytes_is_the_longest(tmp_path: Path, more: int, whole: bool) -> None:
    code = pickled({"a": tensor(ONES, "0")})
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        # What follows the end is not read.
        archive.writestr("archive/data.pkl", code.ljust(16 * 1024 * 1024 + more, b"\0"))
        archive.writestr("archive/data/0", ONES.tobytes())
    if whole:
        np.testing.assert_array_equal(read_torch(path)["a"], ONES)
        return
    with pytest.raises(CheckpointError, match=r"archive/data\.pkl is missing, compressed or too large"):
        read_torch(path)


@pytest.mark.parametrize(("order", "whole"), [(b"little".ljust(1024), True), (b"little".ljust(1025), False)])
def test_a_byte_order_is_a_short_text(tmp_path: Path, order: bytes, whole: bool) -> None:
    path = write_zip(tmp_path / "x.pth", {"a": tensor(ONES, "0")}, {"0": ONES.tobytes()}, {"byteorder": order})
    if whole:
        np.testing.assert_array_equal(read_torch(path)["a"], ONES)
        return
    with pytest.raises(CheckpointError, match=r"archive/byteorder is missing, compressed or too large"):
        read_torch(path)


def legacy(parts: list[bytes], path: Path) -> Path:
    path.write_bytes(b"".join(parts))
    return path


def legacy_parts() -> list[bytes]:
    """Magic number, protocol, system, objects, keys, number of values, values."""
    system = pickled({"protocol_version": 1001, "little_endian": True})
    objects, keys = pickled({"a": tensor(ONES, "0")}), pickled(["0"])
    return [LEGACY_MAGIC, pickled(1001), system, objects, keys, struct.pack("<q", 6), ONES.tobytes()]


@pytest.mark.parametrize(("place", "part", "said"), [
    (1, pickled(1000), "is of torch.save's protocol 1000, which is not known"),
    (2, pickled([1]), "is of torch.save's protocol 1001, which is not known"),
    (1, pickled(tensor(ONES, "0")), "a tensor where there should be none"),
    (4, pickled("0"), "its list of storages does not fit its tensors"),
    (4, pickled([0]), "its list of storages does not fit its tensors"),
    (4, pickled(["0", "1"]), "its list of storages does not fit its tensors"),
    (4, pickled([]), "its list of storages does not fit its tensors"),
    (5, struct.pack("<q", 5), "is cut off or damaged at its storage 0"),
    (5, struct.pack("<q", 7), "is cut off or damaged at its storage 0"),
    (6, ONES.tobytes()[:-1], "is cut off or damaged at its storage 0"),
    (5, b"", "is cut off or damaged at its storage 0"),
])  # fmt: skip
def test_parts_of_the_old_format_that_do_not_fit(tmp_path: Path, place: int, part: bytes, said: str) -> None:
    parts = legacy_parts()
    np.testing.assert_array_equal(read_torch(legacy(parts, tmp_path / "good.pth"))["a"], ONES)
    parts[place] = part
    with pytest.raises(CheckpointError, match=said):
        read_torch(legacy(parts, tmp_path / "x.pth"))


def test_names_that_are_no_texts_are_left_out(tmp_path: Path) -> None:
    value = {"state_dict": {"a": tensor(ONES, "0"), 7: tensor(ONES, "0"), "steps": 3}, "b": tensor(ONES, "0")}
    assert list(read_torch(write_zip(tmp_path / "x.pth", value, {"0": ONES.tobytes()}))) == ["a"]
    plain = {"state_dict": 3, 7: tensor(ONES, "0"), "b": tensor(ONES, "0")}
    assert list(read_torch(write_zip(tmp_path / "y.pth", plain, {"0": ONES.tobytes()}))) == ["b"]
