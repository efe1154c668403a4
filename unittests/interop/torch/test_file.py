"""PyTorch's files without PyTorch: what is read, and what is refused without being run."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.interop.torch.file import read_torch
from unittests.interop.torch.torch_writer import (
    Built,
    Call,
    Global,
    Raw,
    Stored,
    pickled,
    tensor,
    write_legacy,
    write_state,
    write_zip,
)

FIXTURES = Path(__file__).parents[2] / "fixtures"
ONES = np.ones((2, 3), np.float32)


def refused(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_torch(path)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    return text


@pytest.mark.parametrize("kind", ["f4", "f8", "f2", "i8", "i4", "u1", "b1"])
def test_every_type_comes_back(tmp_path: Path, kind: str) -> None:
    array = np.random.default_rng(0).integers(0, 2, (3, 4)).astype(kind)
    found = read_torch(write_state(tmp_path / "x.pth", {"a": array}))["a"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    assert not found.flags.writeable


def test_bfloat16_becomes_float32(tmp_path: Path) -> None:
    array = np.array([1.0, -2.5, 3.140625, 0.0], np.float32)
    upper = (array.view(np.uint32) >> 16).astype(np.uint16)
    np.testing.assert_array_equal(read_torch(write_state(tmp_path / "x.pt", {"a": upper}))["a"], array)


def test_views_of_one_storage(tmp_path: Path) -> None:
    base = np.arange(24, dtype=np.float32)
    value = {
        "part": tensor(base, "0", offset=4, shape=(2, 3), strides=(3, 1)),
        "turned": tensor(base, "0", shape=(4, 6), strides=(1, 4)),
        "scalar": tensor(base, "0", offset=23, shape=(), strides=()),
        "empty": tensor(base, "0", offset=24, shape=(0, 5), strides=(5, 1)),
    }
    found = read_torch(write_zip(tmp_path / "x.pth", value, {"0": base.tobytes()}))
    np.testing.assert_array_equal(found["part"], base[4:10].reshape(2, 3))
    np.testing.assert_array_equal(found["turned"], base.reshape(6, 4).T)
    assert found["scalar"] == 23
    assert found["empty"].shape == (0, 5)


@pytest.mark.parametrize("little", [True, False])
def test_both_formats_in_both_byte_orders(tmp_path: Path, little: bool) -> None:
    array = np.array([1.5, -2.0, 1e-3], np.float32)
    value = {"a": tensor(array, "0")}
    stored = array.astype("<f4" if little else ">f4").tobytes()
    order = {"byteorder": b"little" if little else b"big"}
    modern = write_zip(tmp_path / "modern.pth", value, {"0": stored}, order)
    legacy_value = {"a": Call(Global("torch._utils", "_rebuild_tensor_v2"), (
        Stored(("storage", Global("torch", "FloatStorage"), "0", "cpu", 3, None)), 0, (3,), (1,), False, None,
    ))}  # fmt: skip
    legacy = write_legacy(tmp_path / "legacy.pth", legacy_value, {"0": array}, little)
    for path in (modern, legacy):
        np.testing.assert_array_equal(read_torch(path)["a"], array)


def test_files_of_pytorch_agree_in_both_formats() -> None:
    modern, legacy = (read_torch(FIXTURES / f"arcface_torch{kind}.pth") for kind in ("", "_legacy"))
    assert list(modern) == list(legacy)
    for name, array in modern.items():
        np.testing.assert_array_equal(array, legacy[name])
    assert modern["layer1.0.conv1.weight"].shape == (4, 4, 3, 3)


def test_lightning_checkpoint_with_objects_of_unknown_classes() -> None:
    assert {"utils", "pytorch_lightning"}.isdisjoint(sys.modules)
    found = read_torch(FIXTURES / "adaface_ir.ckpt")
    assert found["model.input_layer.0.weight"].dtype == np.float16
    assert found["head.kernel"].shape == (8, 5)
    assert {"utils", "pytorch_lightning"}.isdisjoint(sys.modules)


def test_other_wrappings(tmp_path: Path) -> None:
    inner = {"a": Call(Global("torch._utils", "_rebuild_parameter"), (tensor(ONES, "0"), True, None))}
    ordered = Built(Call(Global("collections", "OrderedDict"), ([["a", inner["a"]]],)), {"_metadata": {"": 1}})
    for name, value in (
        ("arcface_torch", {"epoch": 3, "state_dict_backbone": inner, "state_dict_softmax_fc": {}}),
        ("lightning", {"state_dict": ordered, "lr": 0.1, "hyper_parameters": Call(Global("utils", "d"), (), new=True)}),
    ):
        found = read_torch(write_zip(tmp_path / f"{name}.pt", value, {"0": ONES.tobytes()}))
        np.testing.assert_array_equal(found["a"], ONES)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Call(Global("os", "system"), ("touch code-ran",)), "calls os.system"),
        (Call(Global("builtins", "eval"), ("open('code-ran', 'w')",)), "calls builtins.eval"),
        (Call(Global("builtins", "getattr"), (Global("os", "path"), "join")), "calls builtins.getattr"),
        (Call(Call(Global("functools", "partial"), (Global("os", "system"),)), ()), "calls functools.partial"),
        (Raw(b"(S'touch code-ran'\nios\nsystem\n"), "uses INST"),
        (Raw(b"(cos\nsystem\nX\x05\x00\x00\x00touchoR"), "uses OBJ"),
        (Built(Global("os", "path"), {"sep": "x"}), "changes os.path"),
        (Built(tensor(ONES, "0"), {"shape": (99,)}), "changes a Tensor"),
        (Call(Call(Global("utils", "cls"), (), new=True), ("x",)), "calls an object of utils.cls"),
        (Raw(b"\x82\x01"), "uses EXT1"),
        ({(1, 2): 3}, "key of a dictionary is a tuple"),
    ],
)
def test_pickle_that_does_more_than_hold_data_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    data = {"a": tensor(ONES, "0"), "b": value}
    modern = write_zip(tmp_path / "modern.pth", data, {"0": ONES.tobytes()})
    legacy = write_legacy(tmp_path / "legacy.pth", data, {"0": ONES})
    for path in (modern, legacy):
        text = refused(path)
        assert said in text
        assert "torch.save(net.state_dict()" in text
    assert sorted(tmp_path.iterdir()) == [legacy, modern]


PLAIN = ["a text", 3, None, True, 0.5, [1], (1, 2), tensor(ONES, "0")]
OBJECTS = [{"a": 1}, Call(Global("utils", "Class"), (), new=True), Call(Global("collections", "OrderedDict"))]


@pytest.mark.parametrize(
    "value",
    [
        *(Call(maker, ("x",), new=True) for maker in (*PLAIN, *OBJECTS)),
        *(Call(maker, ("x",)) for maker in (*PLAIN, *OBJECTS)),
        *(Built(changed, {"a": 1}) for changed in PLAIN),
    ],
)
def test_only_a_named_class_makes_an_object(tmp_path: Path, value: object) -> None:
    """Whatever else stands where a class, a function or an object belongs is refused, not passed over."""
    data = {"a": tensor(ONES, "0"), "b": value}
    text = refused(write_zip(tmp_path / "x.pth", data, {"0": ONES.tobytes()}))
    assert "torch.save(net.state_dict()" in text


def test_a_pointer_of_git_lfs(tmp_path: Path) -> None:
    path = tmp_path / "backbone.pth"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    assert "is a Git LFS pointer" in refused(path)


def test_objects_of_unknown_classes_keep_nothing(tmp_path: Path) -> None:
    code = Call(Global("evil", "Class"), (Global("os", "system"),), new=True)
    system = Global("os", "system")
    data = {"a": tensor(ONES, "0"), "b": Built(code, {"__class__": system}), "c": system}
    found = read_torch(write_zip(tmp_path / "x.pth", data, {"0": ONES.tobytes()}))
    assert list(found) == ["a"]
    assert "evil" not in sys.modules


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shape": (2, 4), "strides": (4, 1)}, "larger than its storage"),
        ({"offset": 1}, "reaches beyond its storage"),
        ({"offset": -1}, "unknown form"),
        ({"strides": (3, -1)}, "unknown form"),
        ({"strides": (1 << 62, 1)}, "reaches beyond its storage"),
        ({"shape": (1 << 40, 1 << 40), "strides": (0, 0)}, "larger than its storage"),
        ({"strides": (3,)}, "larger than its storage"),
        ({"shape": "x"}, "unknown form"),
        ({"count": 7}, "too short"),
        ({"count": 1 << 40}, "too short"),
        ({"count": -1}, "unknown form"),
        ({"kind": "QInt8Storage"}, "QInt8Storage"),
    ],
)
def test_tensors_that_leave_their_storage(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    path = write_zip(tmp_path / "x.pth", {"a": tensor(ONES, "0", **changes)}, {"0": ONES.tobytes()})
    assert said in refused(path)


def test_storage_that_is_not_there_or_described_twice(tmp_path: Path) -> None:
    assert "missing" in refused(write_zip(tmp_path / "a.pth", {"a": tensor(ONES, "1")}, {"0": ONES.tobytes()}))
    twice = {"a": tensor(ONES, "0"), "b": tensor(ONES, "0", kind="DoubleStorage", count=3, shape=(3,), strides=(1,))}
    assert "two ways" in refused(write_zip(tmp_path / "b.pth", twice, {"0": ONES.tobytes()}))
    climbing = {"a": tensor(ONES, "../data.pkl")}
    assert "missing" in refused(write_zip(tmp_path / "c.pth", climbing, {"0": ONES.tobytes()}))


def test_archives_that_are_none_of_ours(tmp_path: Path) -> None:
    value, storages = {"a": tensor(ONES, "0")}, {"0": ONES.tobytes()}
    assert "compressed" in refused(write_zip(tmp_path / "a.pth", value, storages, None, zipfile.ZIP_DEFLATED))
    assert "TorchScript" in refused(write_zip(tmp_path / "b.pt", value, storages, {"constants.pkl": b""}))
    with zipfile.ZipFile(tmp_path / "c.pth", "w") as archive:
        archive.writestr("readme.txt", "x")
    assert "no data.pkl" in refused(tmp_path / "c.pth")
    for name, content in (("d.pth", b""), ("e.ckpt", b"hello"), ("f.pt", b"\x80\x02}.")):
        (tmp_path / name).write_bytes(content)
        assert "is not a PyTorch checkpoint" in refused(tmp_path / name)
    assert "cannot be read" in refused(tmp_path / "missing.pth")
    assert "cannot be read" in refused(tmp_path)


def test_bombs(tmp_path: Path) -> None:
    big = write_zip(tmp_path / "big.pth", {"a": tensor(ONES, "0")}, {"0": bytes(1 << 24)}, None, zipfile.ZIP_DEFLATED)
    assert big.stat().st_size < 1 << 16
    assert "claim to be larger" in refused(big)
    huge = b"\x80\x02\x8e" + (1 << 40).to_bytes(8, "little") + b"x."  # a byte string of a terabyte
    memo = b"\x80\x02}r\xff\xff\xff\xff."  # the last place of the memo
    nested = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    for name, code in (("huge", huge), ("memo", memo), ("nested", nested)):
        path = tmp_path / f"{name}.pth"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", code)
        refused(path)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Call(Global("backbones.iresnet", "IResNet"), (), new=True), "backbones.iresnet.IResNet"),
        ([1, 2], "no state dict"),
        (tensor(ONES, "0"), "no state dict"),
        ({"epoch": 3}, "no tensors"),
        ({}, "no tensors"),
    ],
)
def test_what_is_no_state_dict(tmp_path: Path, value: object, said: str) -> None:
    assert said in refused(write_zip(tmp_path / "x.pth", value, {"0": ONES.tobytes()}))


@pytest.mark.parametrize("name", ["arcface_torch.pth", "arcface_torch_legacy.pth"])
def test_cut_off_anywhere(tmp_path: Path, name: str) -> None:
    whole = (FIXTURES / name).read_bytes()
    path = tmp_path / name
    for end in (*range(0, 400, 19), *np.linspace(400, len(whole) - 1, 60, dtype=int)):
        path.write_bytes(whole[:end])
        refused(path)
    path.write_bytes(whole)
    assert read_torch(path)


def test_flipped_bytes_in_a_zip_are_noticed(tmp_path: Path) -> None:
    whole = bytearray((FIXTURES / "arcface_torch.pth").read_bytes())
    expected = read_torch(FIXTURES / "arcface_torch.pth")
    rng, path, noticed = np.random.default_rng(0), tmp_path / "x.pth", 0
    for place in rng.integers(0, len(whole), 40):
        damaged = whole.copy()
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            found = read_torch(path)
        except CheckpointError:
            noticed += 1
            continue
        assert list(found) == list(expected)  # padding or a file's date: the values are whole
        assert all(np.array_equal(found[name], expected[name]) for name in found)
    assert noticed > 20


def test_pickle_cut_off_anywhere(tmp_path: Path) -> None:
    code = pickled({"state_dict": {"a": tensor(ONES, "0")}, "lr": 0.5, "steps": [1, 2]})
    path = tmp_path / "x.pth"
    for end in range(len(code)):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", code[:end])
            archive.writestr("archive/data/0", ONES.tobytes())
        refused(path)
