"""ONNX files that name other files: ONNX Runtime would read them, wherever they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from fairface.errors import CheckpointError
from fairface.interop.onnx.external_data import refuse_external_data
from fairface.interop.onnx.session import open_net
from unittests.interop.onnx.files import network


def outside(tensor: Any, location: str) -> None:
    """The tensor's values in another file, from its start."""
    for key, value in (("location", location), ("offset", "0"), ("length", str(len(tensor.raw_data)))):
        tensor.external_data.add(key=key, value=value)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.ClearField("raw_data")


@pytest.mark.parametrize("location", ["/etc/passwd", "../w.bin", "w.bin", "*/_ORT_MEM_ADDR_/*"])
def test_weights_in_another_file_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    for folder in (tmp_path, tmp_path / "in"):
        (folder / "w.bin").write_bytes(np.ones(3072, np.float32).tobytes())  # so that it could be read
    model = onnx.load_from_string(network())
    outside(model.graph.initializer[0], location)
    with pytest.raises(CheckpointError, match=r"x\.onnx: its tensor 'matrix' lies in another file.*in one file"):
        open_net(model.SerializeToString(), "x.onnx", 1)


def nested(kind: str) -> Any:
    """A model with a tensor outside it at another place than the graph's weights."""
    model = onnx.load_from_string(network())
    tensor = numpy_helper.from_array(np.ones(3, np.float32), "deep")
    outside(tensor, "/etc/passwd")
    constant = helper.make_node("Constant", [], ["deep"], value=tensor)
    graph = helper.make_graph([constant], "branch", [], [helper.make_tensor_value_info("deep", 1, [3])])
    if kind == "constant":
        model.graph.node.append(constant)
    elif kind == "branch":
        model.graph.node.append(helper.make_node("If", ["c"], ["d"], then_branch=graph, else_branch=graph))
    elif kind == "function":
        model.functions.append(helper.make_function("own", "F", [], ["deep"], [constant], []))
    else:
        sparse = onnx.SparseTensorProto(values=tensor, dims=[3])
        model.graph.sparse_initializer.append(sparse)
    return model


@pytest.mark.parametrize("kind", ["constant", "branch", "function", "sparse"])
def test_every_place_where_a_tensor_can_stand(kind: str) -> None:
    with pytest.raises(CheckpointError, match="its tensor 'deep' lies in another file"):
        refuse_external_data(nested(kind).SerializeToString(), "x.onnx")


def test_what_is_no_onnx_file() -> None:
    for content in (b"ORTM" * 20, b"\0\0\0\0ORTM" * 20, network()[:-5]):
        with pytest.raises(CheckpointError, match=r"x\.onnx: ONNX Runtime cannot read this network"):
            refuse_external_data(content, "x.onnx")


def test_a_network_in_one_file_is_let_through() -> None:
    refuse_external_data(network(("Sub", 127.5), ("Div", 128.0), constant_nodes=True), "x.onnx")
