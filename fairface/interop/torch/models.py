"""Nets from weights that PyTorch wrote: AdaFace's ``.ckpt``, arcface_torch's ``.pth``, VirFace's ``.pytorch``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fairface.errors import CheckpointError
from fairface.interop.adaface import AdaFaceFamily
from fairface.interop.arcface_torch import ArcFaceTorchFamily
from fairface.interop.torch.family import State, TorchFamily
from fairface.interop.torch.file import read_torch
from fairface.interop.torch.values import values_for
from fairface.interop.virface import VirFaceFamily
from fairface.mx import NDArray, gluon, mx, nd
from fairface.parameters import check_shape, set_values, structural

FAMILIES: tuple[TorchFamily, ...] = (AdaFaceFamily(), ArcFaceTorchFamily(), VirFaceFamily())
_BACKBONE = "backbone."
# Of Lightning, of DataParallel, of nets that hold a head as well, of both.
_PREFIXES = ("", "model.", "module.", _BACKBONE, f"{_BACKBONE}module.")
BLOCKS = ("head", "generator")  # what VirFace saves beside its backbone
_COUNTER = ".num_batches_tracked"  # of PyTorch's BatchNorm; nothing depends on it


@dataclass(frozen=True)
class TorchWeights:
    """A net's weights as PyTorch wrote them.

    Attributes:
        path: the file.
        family: what kind of net it is.
        name: the net in words.
        state: parameters by the names that PyTorch gives them, without a prefix.
        others: names of what else the file holds (the head).
    """

    path: Path
    family: TorchFamily
    name: str
    state: State
    others: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path}: {self.name}" + (f"; ignored: {', '.join(self.others)}" if self.others else "")


def read_weights(path: Path) -> TorchWeights:
    """The weights in a file of PyTorch (:func:`fairface.interop.torch.file.read_torch`).

    Raises:
        CheckpointError: a file that cannot be read, or weights of no net that is known here.
    """
    arrays = read_torch(path)
    for prefix in _PREFIXES:
        state = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
        for family in FAMILIES:
            if family.mark in state:
                taken = (prefix, *(f"{block}." for block in BLOCKS)) if isinstance(family, VirFaceFamily) else prefix
                others = tuple(key for key in arrays if not key.startswith(taken))
                return TorchWeights(path, family, _described(path, family, state), state, others)
    raise CheckpointError(
        f"{path}: holds no known network; its first layer is {next(iter(arrays))}; "
        "AdaFace's IR nets, arcface_torch's iresnet and VirFace's ResNets can be read"
    )


def read_blocks(path: Path) -> dict[str, dict[str, NDArray]]:
    """Head and generator of VirFace's snapshots, by the names that they have here, too; nothing of other files.

    Raises:
        CheckpointError: a file that cannot be read.
    """
    blocks: dict[str, dict[str, NDArray]] = {}
    arrays = read_torch(path)
    if not any(key.startswith(_BACKBONE) and key.endswith(VirFaceFamily.mark) for key in arrays):
        return blocks
    for key, array in arrays.items():
        block, _, name = key.partition(".")
        if block in BLOCKS:
            own = blocks.setdefault(block, {})
            own[name.removeprefix("module.")] = nd.array(array, dtype=np.float32)
    return blocks


def torch_net(path: Path) -> gluon.HybridBlock:
    """The net in a file of PyTorch, of the depth, width and sizes that its weights have, on the CPU.

    Raises:
        CheckpointError: a file that cannot be read, or layers that do not make one of the nets that are known.
    """
    weights = read_weights(path)
    try:
        net = weights.family.build(weights.state)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    for parameter in structural(net).values():
        parameter.initialize(mx.init.Zero(), ctx=mx.cpu())  # random values would take longer than the file
    fill(net, weights)
    return net


def fill(net: gluon.HybridBlock, weights: TorchWeights) -> None:
    """Give ``net`` the weights.

    Raises:
        CheckpointError: as :func:`arrays_for`.
    """
    set_values(net, arrays_for(net, weights), str(weights.path))


def arrays_for(net: gluon.HybridBlock, weights: TorchWeights) -> dict[str, NDArray]:
    """Structural name to array for every parameter of ``net``, which need not be initialised.

    Raises:
        CheckpointError: another architecture or size; the first layer that differs is named as the file names it.
    """
    _check(net, weights)
    values = values_for(net, weights.family, weights.state)
    for name, value in values.items():
        if not np.isfinite(value).all() or (name.endswith("running_var") and np.any(value < 0)):
            raise CheckpointError(f"{weights.path}: {weights.family.key(name)} holds invalid values")
    return {name: nd.array(value, dtype=np.float32) for name, value in values.items()}


def _check(net: gluon.HybridBlock, weights: TorchWeights) -> None:
    family, state = weights.family, weights.state
    if not isinstance(net, family.block):
        first = family.key(f"{family.first}.weight")
        raise CheckpointError(
            f"{weights.path}: holds {weights.name}; this network "
            f"({type(net).__name__}) has no layer {first}; set backbone.name to the net of the file"
        )
    used = set()
    for name, parameter in structural(net).items():
        key = family.key(name)
        if key is None:
            continue
        if key not in state:
            raise CheckpointError(f"{weights.path}: has no {key}, which this network has; it holds {weights.name}")
        check_shape(key, parameter, state[key], f"{weights.path}: holds {weights.name}")
        used.add(key)
    extra = next((key for key in state if key not in used and not key.endswith(_COUNTER)), None)
    if extra is not None:
        raise CheckpointError(f"{weights.path}: has {extra}, which this network does not have; it holds {weights.name}")


def _described(path: Path, family: TorchFamily, state: State) -> str:
    try:
        return family.describe(state)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
