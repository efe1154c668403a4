"""From a model's name to an embedder, for every program that takes one."""

from __future__ import annotations

from fairface.embedding.fusion import Fusion, flip_sum
from fairface.embedding.mxnet import NetEmbedder
from fairface.interop.models import load_model
from fairface.parallel import contexts_of


def load_embedder(
    model: str, devices: str = "", batch_size: int = 64, flip: bool = True, precision: str = "fp32",
    gpus: str = "", output: str = "models", show_progress: bool = True, resize: bool = False, fuse: Fusion = flip_sum,
) -> NetEmbedder:  # fmt: skip
    """An embedder with the net of the checkpoint ``model`` (grammar: :mod:`fairface.checkpoints`).

    ``devices`` is a list such as ``cpu0`` or ``gpu0,gpu1``; empty: GPU 0, else CPU 0. ``precision`` is
    fp32, or bf16 on CPUs. ``gpus`` is short for devices ("0,1"); runs are looked for below ``output``.
    ``show_progress``: while embedding, on standard error. ``resize``: images of a data set that have another size than
    the net takes. ``fuse``: how the two views are joined (:data:`fairface.embedding.fusion.FUSIONS`).

    Raises:
        CheckpointError: no such checkpoint, or one that gives no embeddings.
        DeviceError: a device that is not there, or that cannot do the precision.
    """
    contexts = contexts_of(devices, gpus)
    loaded = load_model(model, contexts, output, precision)
    return NetEmbedder(
        loaded.net, contexts, batch_size, flip, loaded.image_size, show_progress=show_progress, resize=resize,
        fuse=fuse, layout=loaded.layout,
    )
