"""Files of parameters that claim more than they hold: MXNet ends the process, or asks for far too much memory."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.mx import mx, nd
from fairface.parameters import load_arrays

SHAPE, TYPE = 36, 60  # bytes from the start to the first array's two sides, and to its type


def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model-0000.params"
    nd.save(str(path), {"arg:w": nd.arange(6).reshape((2, 3)), "aux:mean": nd.array([1, 2])})
    return path


def changed(path: Path, place: int, form: str, value: int) -> Path:
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, place, value)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("place", "form", "value", "why"),
    [
        (SHAPE, "<q", -1, "an array of shape"), (SHAPE, "<q", 1 << 40, "ends within an array of shape"),
        (SHAPE + 8, "<q", 1 << 60, "ends within an array of shape"), (SHAPE - 4, "<i", 1 << 30, "1073741824 sides"),
        (SHAPE - 4, "<i", -1, "-1 sides"), (TYPE, "<i", 77, "type 77"), (16, "<Q", 1 << 50, "says that"),
        (0, "<Q", 7, "no list of MXNet's arrays"), (28, "<i", 1, "sparse"),
    ],
)  # fmt: skip
def test_claims_that_the_file_does_not_keep(tmp_path: Path, place: int, form: str, value: int, why: str) -> None:
    with pytest.raises(CheckpointError, match=rf"model-0000\.params: cannot be read as parameters \(.*{why}"):
        load_arrays(str(changed(saved(tmp_path), place, form, value)))


def test_a_file_that_is_cut_off_anywhere(tmp_path: Path) -> None:
    path = saved(tmp_path)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match="cannot be read as parameters"):
            load_arrays(str(path))


def test_a_name_that_stands_twice(tmp_path: Path) -> None:
    path = saved(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<Q", 8) + b"aux:mean", struct.pack("<Q", 5) + b"arg:w"))
    assert len(mx.nd.load(str(path))) == 1  # which MXNet does not mind
    with pytest.raises(CheckpointError, match="holds 'arg:w' twice"):
        load_arrays(str(path))


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "uint8", "int8", "int32", "int64", "bool"])
def test_every_type_is_read(tmp_path: Path, kind: str) -> None:
    values = np.array([[0, 1], [1, 0]], kind)
    path = tmp_path / "x.params"
    nd.save(str(path), {"a": nd.array(values, dtype=kind), "b": nd.ones((1, 2, 3, 4))})
    assert load_arrays(str(path))["a"].asnumpy().tolist() == values.tolist()


def test_files_of_older_versions(tmp_path: Path) -> None:
    """Sides of 64 bits without a kind of storage (1.0), and of 32 bits without a number before them (0.7)."""
    body = struct.pack("<iii", 1, 0, 0) + np.arange(6, dtype="<f4").tobytes()
    names = struct.pack("<QQ", 1, 1) + b"w"
    path = tmp_path / "old.params"
    for start in (struct.pack("<IIqq", 0xF993FAC8, 2, 2, 3), struct.pack("<III", 2, 2, 3)):
        path.write_bytes(struct.pack("<QQQ", 0x112, 0, 1) + start + body + names)
        assert load_arrays(str(path))["w"].asnumpy().tolist() == [[0, 1, 2], [3, 4, 5]]
