"""Which part of a run's net a checkpoint fills: all of it, or what Latent Part Detection's two streams share."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from fairface.backbones.lpd import LPDNet
from fairface.checkpoints import CheckpointFiles
from fairface.errors import CheckpointError
from fairface.interop.weights import weights_for
from fairface.mx import NDArray, gluon
from fairface.parameters import check_values, load_arrays

SHARED = "the net that both streams share; the localiser and the streams' BatchNorms are re-initialised"


@dataclass(frozen=True)
class StartingWeights:
    """What a run starts from.

    Attributes:
        block: what ``arrays`` fill.
        of_pixels: the same as a net of pixels 0..255.
        arrays: structural name to array, for every parameter of ``block``.
        note: what the checkpoint holds, in words, where there is something to say.
    """

    block: gluon.HybridBlock
    of_pixels: gluon.HybridBlock
    arrays: dict[str, NDArray]
    note: str


def starting_weights(net: gluon.HybridBlock, files: CheckpointFiles) -> StartingWeights:
    """The weights for ``net``, or for the net that an LPD net's streams share; nothing is changed.

    Raises:
        CheckpointError: as :func:`fairface.interop.weights.weights_for`.
    """
    if isinstance(net, LPDNet) and not _is_whole(files):
        with suppress(CheckpointError):  # the error of the whole net says more
            return _shared_weights(net, files)
    arrays, note = weights_for(net, files)
    return StartingWeights(net, net, arrays, note)


def _shared_weights(net: LPDNet, files: CheckpointFiles) -> StartingWeights:
    arrays, _ = weights_for(net.trunk, files)
    check_values(net.trunk, arrays, str(files.params))
    of_pixels = gluon.nn.HybridSequential()
    of_pixels.add(net.normalise, net.trunk)
    return StartingWeights(net.trunk, of_pixels, arrays, f"{files.params}: {SHARED}")


def _is_whole(files: CheckpointFiles) -> bool:
    """Whether a checkpoint has a localiser of its own."""
    return files.symbol is not None and any("localiser" in key for key in load_arrays(str(files.params)))
