"""Small nets with statistics that fit images, their graphs, and ONNX Runtime on one thread."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from fairface.backbones import build_backbone
from fairface.checkpoints import resolve
from fairface.config.schema import BackboneConfig
from fairface.graph.export import export
from fairface.graph.saved import Graph
from fairface.interop.models import load_graph
from fairface.mx import mx, nd, nn
from fairface.parameters import structural
from unittests.interop.dlib.dlib_writer import TinyNet

DIMENSIONS, WIDTH = 8, 0.125


def images(count: int, size: int) -> Any:
    """(count, 3, size, size) RGB 0..255, as coarse patterns."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 3, 8, 8)).astype(np.float32)
    times = -(-size // 8)
    fine = coarse.repeat(times, axis=2).repeat(times, axis=3)
    return np.ascontiguousarray(fine[..., :size, :size])


_BRANCHES = re.compile(r"(stages|body|layer\d+)\.(?!.*(shortcut|downsample|\bsc\b))")  # of units, beside the shortcuts


def random_net(name: str, size: int, **options: Any) -> tuple[Any, Graph]:
    """A net whose BatchNorms and PReLUs change what they get, and its graph."""
    mx.random.seed(0)
    net = build_backbone(BackboneConfig(name=name, embedding=DIMENSIONS, width=WIDTH, **options), size)
    net.initialize()
    net(nd.array(images(1, size)))
    rng = np.random.default_rng(1)
    norms: list[Any] = []
    net.apply(lambda block: norms.append(block) if isinstance(block, nn.BatchNorm) else None)
    # In a hundred units of random weights in a row the last bit of a float32 grows to anything: as in trained nets,
    # shortcuts weigh more there.
    share = min(1.0, 60 / len(norms))
    for key, parameter in structural(net).items():
        if key.endswith(("gamma", "beta", "bias")):
            is_gamma = key.endswith("gamma")
            noise = nd.array(rng.normal(0, 0.2 if is_gamma else 0.1, parameter.shape))
            weighs = share if is_gamma and _BRANCHES.match(key) else 1.0
            parameter.set_data((parameter.data() + noise) * weighs)
    symbol, arrays = export(net)
    return net, Graph(symbol, {key.split(":", 1)[1]: value for key, value in arrays.items()})


def small_dlib(int8: bool = False) -> bytes:
    """A small net of dlib's kind, for chips of 46 pixels, in fp32 or int8; without metadata."""
    from fairface.interop.onnx.convert import convert
    from fairface.interop.onnx.quantise import quantised

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.dat")
        path.write_bytes(TinyNet().content())
        graph = load_graph(resolve(str(path)))
    content = bytes(convert(graph, 46, 3).SerializeToString())
    patterns = images(32, 46).transpose(0, 2, 3, 1).astype(np.uint8)
    return quantised(content, patterns) if int8 else content


def run(model: onnx.ModelProto, x: Any) -> Any:
    """What the model's only output is for ``x``."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (rows,) = session.run(None, {session.get_inputs()[0].name: x})
    return rows


def unit(rows: Any) -> Any:
    """At unit length, in float64."""
    rows = np.asarray(rows, np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
