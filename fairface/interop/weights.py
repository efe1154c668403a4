"""The weights of a checkpoint, of whichever system, for a net of ours."""

from __future__ import annotations

from fairface.checkpoints import CheckpointFiles, refuse_onnx
from fairface.errors import CheckpointError
from fairface.interop.deployed import values_for
from fairface.interop.fitting import fitting_backbone
from fairface.interop.models import load_graph
from fairface.interop.torch.models import arrays_for, read_blocks, read_weights
from fairface.mx import NDArray, gluon
from fairface.parameters import check_values, load_arrays, structural, without_kind


def weights_for(net: gluon.HybridBlock, files: CheckpointFiles) -> tuple[dict[str, NDArray], str]:
    """Structural name to array for every parameter of ``net``; nothing is changed, ``net`` need not be initialised.

    The second result says what a file of PyTorch holds, and what of it was not taken; it is empty for others.

    Raises:
        CheckpointError: a layer is missing, left over or of another shape. Where a backbone of ours fits, it is named.
    """
    if files.is_dlib:
        raise CheckpointError(f"{files.name}: dlib's network is for scoring only; start from another model")
    refuse_onnx(files)
    if files.symbol is None:
        weights = read_weights(files.params)
        return arrays_for(net, weights), str(weights)
    arrays = without_kind(load_arrays(str(files.params)), files.params)
    try:
        if arrays.keys().isdisjoint(structural(net)):
            arrays = values_for(net, load_graph(files))
        check_values(net, arrays, str(files.params))
    except CheckpointError as error:
        fits = fitting_backbone(files)
        if not fits:
            raise
        raise CheckpointError(f"{error}; the file fits {fits}") from error
    return arrays, ""


def blocks_in(files: CheckpointFiles) -> dict[str, dict[str, NDArray]]:
    """The blocks besides the net of inference that a checkpoint holds: their arrays by structural name.

    Raises:
        CheckpointError: a file that cannot be read.
    """
    refuse_onnx(files)
    if files.symbol is None:
        return {} if files.is_dlib else read_blocks(files.params)
    blocks: dict[str, dict[str, NDArray]] = {}
    for key, array in (load_arrays(str(files.blocks)) if files.blocks else {}).items():
        block, _, own = key.partition(".")
        blocks.setdefault(block, {})[own] = array
    return blocks
