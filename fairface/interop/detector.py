"""insightface's RetinaFace models, run by MXNet behind the interface of all detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.checkpoints import CheckpointFiles, resolve
from fairface.errors import CheckpointError
from fairface.faces.retinaface import RetinaFaceConfig, RetinaFaceDetector, output_shapes
from fairface.graph.symbol_file import read_symbol
from fairface.mx import Context, gluon, mx, nd
from fairface.parameters import load_arrays, without_kind
from fairface.quantity import agree, quantity

_SIDE = 96  # of a square input at which the nine outputs are told apart by their shapes


def load_retinaface(name: str, context: Context, config: RetinaFaceConfig | None = None) -> RetinaFaceDetector:
    """The detector of the model ``prefix,epoch``, such as ``models/R50,0``: three levels of two anchors (``net3``).

    Args:
        name: its files are ``prefix-symbol.json`` and ``prefix-0000.params``.
        context: the device to run it on.
        config: thresholds and image size; its ``model`` becomes ``name``.

    Raises:
        CheckpointError: no such files, damaged ones, or a model without RetinaFace's nine outputs.
    """
    if "," not in name:
        raise CheckpointError(f"{name}: a detector is named prefix,epoch of an MXNet model, such as models/R50,0")
    files = resolve(name)
    if files.symbol is None:
        raise CheckpointError(f"{name}: is a PyTorch file; a detector is named prefix,epoch of an MXNet model")
    symbol = read_symbol(files.symbol)
    chosen = _nine_outputs(symbol, files)
    forward = _Forward(_block(chosen, files, context), context)
    try:
        forward(np.zeros((1, 3, _SIDE, _SIDE), np.float32))
    except mx.base.MXNetError as error:
        reason = str(error).strip().splitlines()[-1]
        raise CheckpointError(f"{files.symbol}: does not run on {context} ({reason}); use another model") from error
    return RetinaFaceDetector(forward, replace(config or RetinaFaceConfig(), model=name))


class _Forward:
    """Pixels of one image to the nine arrays."""

    def __init__(self, net: gluon.SymbolBlock, context: Context) -> None:
        self._net = net
        self._context = context

    def __call__(self, pixels: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        outputs = self._net(nd.array(pixels, ctx=self._context))
        return [np.asarray(output.asnumpy(), dtype=np.float32) for output in outputs]


def _nine_outputs(symbol: Any, files: CheckpointFiles) -> Any:
    """The model's outputs in the order that the detector wants, found by their shapes; each must be there once."""
    try:
        _, shapes, _ = symbol.infer_shape_partial(data=(1, 3, _SIDE, _SIDE))
    except mx.base.MXNetError as error:
        raise CheckpointError(f"{files.symbol}: does not take RGB images as `data`; name a RetinaFace model") from error
    places = []
    for wanted in output_shapes(_SIDE, _SIDE):
        found = [index for index, shape in enumerate(shapes) if tuple(shape) == wanted]
        if len(found) != 1:
            raise CheckpointError(
                f"{files.symbol}: {len(found)} of {quantity(len(shapes), 'output')} "
                f"{agree(len(found), 'has', 'have')} shape {wanted} for {_SIDE}x{_SIDE} pixels, not one; name a "
                "RetinaFace model with three levels and two anchors, such as insightface's R50"
            )
        places.append(found[0])
    return mx.sym.Group([symbol[index] for index in places])


def _block(symbol: Any, files: CheckpointFiles, context: Context) -> gluon.SymbolBlock:
    arrays = without_kind(load_arrays(str(files.params)), files.params)
    net = gluon.SymbolBlock(symbol, mx.sym.var("data", dtype="float32"))
    for key, parameter in net.collect_params().items():
        if key not in arrays:
            raise CheckpointError(f"{files.params}: has no {key}, which {files.symbol} needs; name another model")
        parameter.shape = arrays[key].shape
        parameter.dtype = arrays[key].dtype
        parameter.grad_req = "null"
        parameter._load_init(arrays[key], [context], cast_dtype=True)
    net.hybridize()
    return net
