"""Symbols of a stranger: what MXNet would run or read beyond its end is refused before MXNet sees it."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairface.errors import CheckpointError
from fairface.graph.operators import ALLOWED
from fairface.graph.symbol_file import read_symbol
from fairface.mx import mx

Graph = dict[str, Any]


def operators_of_mxnet() -> set[str]:
    count, names = ctypes.c_uint(), ctypes.POINTER(ctypes.c_char_p)()
    mx.base.check_call(mx.base._LIB.MXListAllOpNames(ctypes.byref(count), ctypes.byref(names)))
    return {names[index].decode() for index in range(count.value)}


def written(tmp_path: Path, change: Callable[[Graph], object]) -> Path:
    """A symbol of two layers, changed by hand."""
    halves = mx.sym.split(mx.sym.var("data"), num_outputs=2, name="halves")
    graph = json.loads(mx.sym.FullyConnected(halves[1], num_hidden=2, name="fc1").tojson())
    change(graph)
    path = tmp_path / "model-symbol.json"
    path.write_text(json.dumps(graph))
    return path


@pytest.mark.parametrize(
    ("operator", "attributes"),
    [
        ("_Native", {"info": "0x4141414141"}), ("_NDArray", {"info": "0x4141414141"}), ("Custom", {"op_type": "x"}),
        ("_cvimread", {"filename": "/etc/passwd"}), ("_npi_cvimread", {"filename": "/etc/passwd"}),
        ("_CustomFunction", {}), ("_CachedOp", {}), ("gather_nd", {}), ("_backward_Activation", {}),
    ],
)  # fmt: skip
def test_operators_that_can_do_harm_are_refused(tmp_path: Path, operator: str, attributes: dict[str, str]) -> None:
    path = written(tmp_path, lambda graph: graph["nodes"][-1].update(op=operator, attrs=attributes))
    with pytest.raises(CheckpointError, match=f"'fc1' uses the operator '{operator}', which is not run from files"):
        read_symbol(path)


def test_what_is_called_is_not_called(tmp_path: Path, root: Path) -> None:
    """A process of its own, as MXNet without the check ends the process that only lists the outputs."""
    path = written(tmp_path, lambda graph: graph["nodes"][-1].update(op="_Native", attrs={"info": "0x4141414141"}))
    code = f"from fairface.graph.symbol_file import read_symbol; read_symbol({str(path)!r}).list_outputs()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=root)
    assert (done.returncode, done.stderr.splitlines()[-1].split(":")[0]) == (1, "fairface.errors.CheckpointError")


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: graph["nodes"][-1]["inputs"].__setitem__(0, [1, 2, 0]),  # split has two outputs
        lambda graph: graph["nodes"][-1]["inputs"].__setitem__(0, [0, 1, 0]),
        lambda graph: graph["nodes"][-1]["inputs"].__setitem__(0, [-1, 0, 0]),
        lambda graph: graph["nodes"][-1]["inputs"].__setitem__(0, [4, 0, 0]),  # itself
        lambda graph: graph.update(heads=[[4, 1, 0]]),
        lambda graph: graph.update(heads=[[4, -1, 0]]),
        lambda graph: graph.update(heads=[[99, 0, 0]]),
        lambda graph: graph.update(nodes=7),
        lambda graph: graph["nodes"][0].pop("op"),
    ],
)
def test_entries_that_are_not_there(tmp_path: Path, change: Callable[[Graph], object]) -> None:
    with pytest.raises(CheckpointError, match="is not an MXNet symbol"):
        read_symbol(written(tmp_path, change))


def test_nested_beyond_all_measure(tmp_path: Path) -> None:
    path = tmp_path / "model-symbol.json"
    path.write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(CheckpointError, match="is not an MXNet symbol"):
        read_symbol(path)


def test_a_key_that_is_said_twice_counts_once(tmp_path: Path) -> None:
    """Readers differ in which of both counts: MXNet gets what was checked."""
    path = written(tmp_path, lambda graph: None)
    text = path.read_text()
    path.write_text(text.replace('"op": "FullyConnected"', '"op": "_Native", "op": "FullyConnected"'))
    assert {node["op"] for node in json.loads(read_symbol(path).tojson())["nodes"]} == {
        "null", "SliceChannel", "FullyConnected",
    }  # fmt: skip


def test_the_whole_symbol_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, lambda graph: None)
    assert read_symbol(path).tojson() == mx.sym.load(str(path)).tojson()


def test_the_list_names_operators_that_are_there() -> None:
    assert operators_of_mxnet() >= ALLOWED
