"""Int8: the equalised network is the same function, and the quantised one stays close and keeps its ends in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fairface.errors import CheckpointError
from fairface.interop.onnx.convert import convert
from fairface.interop.onnx.equalise import equalised
from fairface.interop.onnx.quantise import kept_in_float, quantised
from unittests.interop.onnx.nets import DIMENSIONS, images, random_net, run, unit

SIZE, CHANNELS = 32, 6


@pytest.fixture(scope="module")
def net() -> onnx.ModelProto:
    return convert(random_net("fresnet_tiny", SIZE)[1], SIZE, DIMENSIONS)


def patterns(count: int) -> Any:
    return images(count, SIZE).transpose(0, 2, 3, 1).astype(np.uint8)


def lopsided(groups: int = CHANNELS) -> onnx.ModelProto:
    """Two convolutions with a PReLU between, whose channels differ a thousandfold."""
    rng = np.random.default_rng(0)
    scale = np.logspace(0, -3, CHANNELS)
    arrays = {
        "w1": rng.normal(size=(CHANNELS, 3, 3, 3)) * scale.reshape(-1, 1, 1, 1),
        "b1": rng.normal(size=CHANNELS) * scale,
        "slope": rng.uniform(0, 1, (CHANNELS, 1, 1)),
        "w2": rng.normal(size=(CHANNELS, CHANNELS // groups, 3, 3)) / (scale.reshape(-1, 1, 1, 1) if groups > 1 else 1),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["data", "w1", "b1"], ["a"], name="first"),
        helper.make_node("PRelu", ["a", "slope"], ["b"], name="prelu"),
        helper.make_node("Conv", ["b", "w2"], ["c"], name="second", group=groups),
        helper.make_node("Flatten", ["c"], ["embedding"], name="flat"),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
              for name, shape in (("data", ["N", 3, 8, 8]), ("embedding", ["N", CHANNELS * 16]))]  # fmt: skip
    tensors = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "lopsided", values[:1], values[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def largest_inside(model: onnx.ModelProto, x: Any) -> Any:
    """Range of each channel between the two convolutions."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.append(onnx.ValueInfoProto(name="b"))
    return np.abs(run(probe, x)).max(axis=(0, 2, 3))


def test_before_a_depthwise_convolution_all_channels_get_one_range() -> None:
    model, x = lopsided(), np.random.default_rng(1).normal(size=(4, 3, 8, 8)).astype(np.float32)
    other = equalised(model, [x[:2], x[2:]])
    before, after = largest_inside(model, x), largest_inside(other, x)
    assert before.max() / before.min() > 100
    # A channel is raised a hundredfold at most.
    np.testing.assert_allclose(after, np.minimum(before.max(), before * 100), rtol=1e-4)
    np.testing.assert_allclose(run(other, x), run(model, x), rtol=1e-4, atol=1e-4)


def test_before_a_dense_convolution_range_and_weight_meet_halfway() -> None:
    model, x = lopsided(groups=1), np.random.default_rng(1).normal(size=(4, 3, 8, 8)).astype(np.float32)
    other = equalised(model, [x])
    ranges = largest_inside(model, x)
    weights = np.abs(numpy_helper.to_array({t.name: t for t in model.graph.initializer}["w2"])).max(axis=(0, 2, 3))
    factor = np.sqrt(ranges / weights)
    np.testing.assert_allclose(largest_inside(other, x), ranges / (factor / factor.max()), rtol=1e-4)
    np.testing.assert_allclose(run(other, x), run(model, x), rtol=1e-4, atol=1e-4)


def test_a_convolution_in_groups_of_several_channels_is_left_alone() -> None:
    model, x = lopsided(groups=2), np.random.default_rng(1).normal(size=(2, 3, 8, 8)).astype(np.float32)
    assert equalised(model, [x]).SerializeToString() == model.SerializeToString()


def test_a_whole_net_is_the_same_function_and_the_given_one_stays(net: onnx.ModelProto) -> None:
    before = net.SerializeToString()
    other = equalised(net, [images(4, SIZE)])
    assert net.SerializeToString() == before != other.SerializeToString()
    np.testing.assert_allclose(unit(run(other, images(6, SIZE))), unit(run(net, images(6, SIZE))), atol=1e-5)


def test_int8_stays_close_with_its_ends_in_float(net: onnx.ModelProto) -> None:
    content = quantised(net.SerializeToString(), patterns(32))
    model = onnx.load_from_string(content)
    found, expected = (unit(run(one, images(8, SIZE))) for one in (model, net))
    cosine = (found * expected).sum(axis=1)
    assert 0.98 < cosine.min() < 1 - 1e-6  # close, and not the same
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    made_by = {name: node for node in model.graph.node for name in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert convolutions[0].input[1] in types
    assert types[convolutions[0].input[1]] == TensorProto.FLOAT
    for node in convolutions[1:]:
        dequantised = made_by[node.input[1]]
        assert dequantised.op_type == "DequantizeLinear"
        assert types[dequantised.input[0]] == TensorProto.INT8
        scales = {tensor.name: tensor for tensor in model.graph.initializer}[dequantised.input[1]]
        assert numpy_helper.to_array(scales).ndim == 1  # one for each channel
    slopes = [node.input[1] for node in model.graph.node if node.op_type == "PRelu"]
    assert slopes
    assert all(types.get(slope) == TensorProto.FLOAT for slope in slopes)
    gemms = [node for node in model.graph.node if node.op_type == "Gemm"]
    assert all(types[node.input[1]] == TensorProto.FLOAT for node in gemms)


def test_what_stays_in_float_ends_with_the_first_convolution(net: onnx.ModelProto) -> None:
    kinds = [name.partition("_")[0] for name in kept_in_float(net.graph)]
    assert kinds == ["Sub", "Mul", "Conv", "Gemm"]


def test_what_cannot_be_quantised_is_said(net: onnx.ModelProto) -> None:
    with pytest.raises(CheckpointError, match="31 images to calibrate on; int8 needs 32 or more"):
        quantised(net.SerializeToString(), patterns(31))
    alone = lopsided()
    del alone.graph.node[2]
    with pytest.raises(CheckpointError, match="no convolution behind its first"):
        kept_in_float(alone.graph)
