"""A trained model by its name, ready to embed images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairface.errors import CheckpointError
from fairface.interop.grammar import CheckpointFiles, resolve
from fairface.mx import Context, gluon, mx
from fairface.parameters import load_arrays

DEFAULT_IMAGE_SIZE = 112


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


def load_model(name: str, contexts: Sequence[Context], output: str = "models") -> LoadedModel:
    """Load the inference net of the checkpoint ``name`` (grammar: :mod:`fairface.interop.grammar`).

    Raises:
        CheckpointError: no such checkpoint, damaged files, or a net that does not give one embedding per image.
    """
    files = resolve(name, output)
    size = _image_size(files.manifest)
    net = load_symbol(files, contexts)
    try:
        probe = net(mx.nd.zeros((1, 3, size, size), ctx=contexts[0]))
        shape = probe.shape
        probe.wait_to_read()
    except mx.base.MXNetError as error:
        reason = str(error).strip().splitlines()[-1]
        raise CheckpointError(f"{files.symbol}: does not take {size}x{size} RGB images ({reason})") from error
    if len(shape) != 2 or shape[0] != 1:
        raise CheckpointError(f"{files.symbol}: gives {shape} for one image, not one embedding (1, D)")
    return LoadedModel(net, size, int(shape[1]), name, files)


def load_symbol(files: CheckpointFiles, contexts: Sequence[Context]) -> gluon.SymbolBlock:
    """The checkpoint's graph with its parameters, on all contexts.

    The embedding is the output named ``fc1_output`` where the graph has several (insightface), else the only one.
    """
    try:
        symbol = mx.sym.load(str(files.symbol))
    except (mx.base.MXNetError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{files.symbol}: is no MXNet symbol; name the prefix of another model") from error
    outputs = symbol.list_outputs()
    if len(outputs) > 1:
        internals = symbol.get_internals()
        if "fc1_output" not in internals.list_outputs():
            raise CheckpointError(f"{files.symbol}: has {len(outputs)} outputs and none is fc1_output")
        symbol = internals["fc1_output"]
    net = gluon.SymbolBlock(symbol, mx.sym.var("data", dtype="float32"))
    arrays = {key.split(":", 1)[-1]: value for key, value in load_arrays(str(files.params)).items()}
    for key, parameter in net.collect_params().items():
        if key not in arrays:
            raise CheckpointError(f"{files.params}: has no {key}, which {files.symbol.name} wants")
        array = arrays[key]
        parameter.shape = array.shape
        parameter.dtype = array.dtype
        parameter.grad_req = "null"
        parameter._load_init(array, list(contexts), cast_dtype=True)
    net.hybridize(static_alloc=True, static_shape=True)
    return net


def _image_size(manifest: dict[str, Any]) -> int:
    return int(manifest.get("image_size", DEFAULT_IMAGE_SIZE))
