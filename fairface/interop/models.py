"""A trained model by its name, ready to embed images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairface.checkpoints import CheckpointFiles, refuse_onnx, resolve
from fairface.errors import CheckpointError
from fairface.faces.layouts import layout_of
from fairface.graph.export import export
from fairface.graph.inference import for_inference
from fairface.graph.saved import Graph
from fairface.graph.symbol_file import read_symbol
from fairface.interop.dlib.layers import chip_size
from fairface.interop.dlib.net import dlib_net
from fairface.interop.torch.models import torch_net
from fairface.mx import Context, gluon, mx
from fairface.parameters import load_arrays, without_kind

DEFAULT_IMAGE_SIZE = 112
_EMBEDDINGS = ("fusion_fc1_output", "fc1_output", "2048_fc1_output")  # among several outputs, the embedding
_OTHER_SIZES = range(16, 513, 16)


@dataclass(frozen=True)
class LoadedModel:
    """A net that turns ``(B, 3, H, W)`` float32 RGB 0..255 into ``(B, D)`` embeddings, not normalised.

    Attributes:
        net: the block, hybridized, on all contexts.
        image_size: H = W in pixels.
        embedding: D.
        name: what the user wrote.
        files: where it came from.
    """

    net: gluon.HybridBlock
    image_size: int
    embedding: int
    name: str
    files: CheckpointFiles

    @property
    def layout(self) -> str:
        """Where the net expects the landmarks (:mod:`fairface.faces.layouts`)."""
        return layout_of(self.files)


def load_model(name: str, contexts: Sequence[Context], output: str = "models", precision: str = "fp32") -> LoadedModel:
    """Load the inference net of the checkpoint ``name`` (grammar: :mod:`fairface.checkpoints`).

    It takes the form that is fastest on the device (:mod:`fairface.graph.inference`), whatever device
    it was trained on; ``precision`` is fp32, or bf16 on CPUs.

    Raises:
        DeviceError: a precision that the device cannot do.
        CheckpointError: no such checkpoint, damaged files, or a net that does not give one embedding per image.
    """
    files = resolve(name, output)
    return load_files(files, load_graph(files), contexts, precision)


def load_files(
    files: CheckpointFiles, graph: Graph, contexts: Sequence[Context], precision: str = "fp32"
) -> LoadedModel:
    """:func:`load_model` of a checkpoint that is found and read already; ``graph`` is from :func:`load_graph`."""
    size = image_size_of(files, graph)
    net = _symbol_block(for_inference(graph, contexts[0].device_type == "gpu", precision), contexts)
    source = files.symbol or files.params
    try:
        probe = net(mx.nd.zeros((1, 3, size, size), ctx=contexts[0]))
        shape = probe.shape
        probe.wait_to_read()
    except mx.base.MXNetError as error:
        reason = str(error).strip().splitlines()[-1]
        raise CheckpointError(f"{source}: does not take {size}x{size} RGB images ({reason})") from error
    if len(shape) != 2 or shape[0] != 1:
        raise CheckpointError(f"{source}: gives {shape} for one image, not one embedding (1, D)")
    return LoadedModel(net, size, int(shape[1]), files.name, files)


def load_graph(files: CheckpointFiles) -> Graph:
    """The checkpoint's net, on the CPU.

    The embedding is the output that is called as insightface and the fair-face system call it where the graph has
    several, else the only one.

    Raises:
        CheckpointError: files that cannot be read, or a parameter that the graph wants and the file has not.
    """
    refuse_onnx(files)
    if files.symbol is None:
        symbol, arrays = export(dlib_net(files.params) if files.is_dlib else torch_net(files.params))
    else:
        symbol, arrays = _load_symbol(files.symbol), load_arrays(str(files.params))
    by_name = without_kind(arrays, files.params)
    wanted = [name for name in symbol.list_inputs() if name != "data"]
    missing = next((name for name in wanted if name not in by_name), None)
    if missing is not None:
        raise CheckpointError(f"{files.params}: has no {missing}, which {files.symbol} needs")
    return Graph(symbol, {name: by_name[name] for name in wanted})


def _load_symbol(path: Any) -> Any:
    symbol = read_symbol(path)
    outputs = symbol.list_outputs()
    if len(outputs) == 1:
        return symbol
    internals = symbol.get_internals()
    embedding = next((name for name in _EMBEDDINGS if name in internals.list_outputs()), None)
    if embedding is None:
        raise CheckpointError(f"{path}: has {len(outputs)} outputs and none is fc1_output")
    return internals[embedding]


def _symbol_block(graph: Graph, contexts: Sequence[Context]) -> gluon.SymbolBlock:
    """The graph as a block with its parameters on all contexts."""
    net = gluon.SymbolBlock(graph.symbol, mx.sym.var("data", dtype="float32"))
    for key, parameter in net.collect_params().items():
        array = graph.arrays[key]
        parameter.shape = array.shape
        parameter.dtype = array.dtype
        parameter.grad_req = "null"
        parameter._load_init(array, list(contexts), cast_dtype=True)
    net.hybridize(static_alloc=True, static_shape=True)
    return net


def image_size_of(files: CheckpointFiles, graph: Graph) -> int:
    """Height and width of the images that the net takes: as manifest or file say, else 112 or the first that fits."""
    if files.is_dlib:
        return chip_size(files.params)
    if "image_size" in files.manifest:
        return int(files.manifest["image_size"])
    shapes = {name: array.shape for name, array in graph.arrays.items()}
    for size in (DEFAULT_IMAGE_SIZE, *_OTHER_SIZES):
        try:  # infer_shape prints what it was given when it fails, infer_shape_partial does not
            graph.symbol.infer_shape_partial(data=(1, 3, size, size), **shapes)
        except mx.base.MXNetError:
            continue
        return size
    return DEFAULT_IMAGE_SIZE
