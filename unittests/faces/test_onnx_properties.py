"""What an ONNX file says of itself, as the packages onnx and ONNX Runtime read it too."""

from contextlib import suppress

import numpy as np
import onnx
import onnxruntime
import pytest

from fairface.errors import CheckpointError
from fairface.faces.onnx_properties import read_properties

SAID = {"fairface.layout": "dlib", "long": "é" * 300, "empty": "", "": "nameless"}


def model(entries):
    """A model with weights behind which its properties stand."""
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 50]) for name in "xy"]
    weights = onnx.numpy_helper.from_array(np.full((50, 50), 7, np.float32), "w")
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph([node], "graph", values[:1], values[1:], [weights])
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    for key, value in entries:
        made.metadata_props.add(key=key, value=value)
    return made.SerializeToString()


def written(path, content):
    path.write_bytes(content)
    return path


def test_they_are_what_other_readers_find(tmp_path):
    path = written(tmp_path / "net.onnx", model([*SAID.items(), ("long", "the last counts")]))
    found = read_properties(path, "net.onnx")
    assert found == {**SAID, "long": "the last counts"}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert found == session.get_modelmeta().custom_metadata_map
    assert read_properties(written(path, model([])), "net.onnx") == {}


def test_a_file_that_is_cut_off_is_refused_wherever_that_is(tmp_path):
    whole = model(SAID.items())
    refused = 0
    for end in [*range(60), *range(len(whole) - 800, len(whole))]:
        path = written(tmp_path / "net.onnx", whole[:end])
        with suppress(CheckpointError):
            found = read_properties(path, "net.onnx")
            assert found.items() <= SAID.items()  # cut between two fields
            continue
        refused += 1
    assert refused > 840


@pytest.mark.parametrize("content", [b"", b"no network", b"\xff" * 20, b"\x72\x03\x0a\x7fx", b"\x72"])
def test_other_files_are_refused_in_one_line(tmp_path, content):
    with pytest.raises(CheckpointError, match=r"^n: is no ONNX file, or damaged \(.*\); export or copy it again$"):
        read_properties(written(tmp_path / "net.onnx", content), "n")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"^n: cannot be read \(Is a directory\); name another file"):
        read_properties(tmp_path, "n")
