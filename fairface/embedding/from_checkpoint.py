"""From a model's name to an embedder, for every program that takes one."""

from __future__ import annotations

from fairface.checkpoints import is_onnx
from fairface.embedding.embedder import Embedder
from fairface.embedding.fusion import Fusion, flip_sum
from fairface.errors import ConfigError, DeviceError


def load_embedder(
    model: str, devices: str = "", batch_size: int = 64, flip: bool = True, precision: str = "fp32",
    gpus: str = "", output: str = "models", show_progress: bool = True, resize: bool = False, fuse: Fusion = flip_sum,
    pixels: str = "", colour: str = "",
) -> Embedder:  # fmt: skip
    """An embedder with the net of the checkpoint ``model`` (grammar: :mod:`fairface.checkpoints`).

    An ONNX file is run by ONNX Runtime, without MXNet. ``devices`` is a list such as ``cpu0`` or ``gpu0,gpu1``; empty:
    GPU 0, else CPU 0. ``precision`` is fp32, or bf16 on CPUs. ``gpus`` is short for devices ("0,1"); runs are looked
    for below ``output``. ``show_progress``: while embedding, on standard error. ``resize``: images of a data set that
    have another size than the net takes. ``fuse``: how the two views are joined
    (:data:`fairface.embedding.fusion.FUSIONS`). ``pixels`` and ``colour``: what an ONNX file takes, where it does not
    say so (:func:`fairface.interop.onnx.pixels.choose_pixels`).

    Raises:
        CheckpointError: no such checkpoint, or one that gives no embeddings.
        ConfigError: what an ONNX file takes is not known, or said of a model that is none.
        DeviceError: a device that is not there, or that cannot do the precision.
    """
    if is_onnx(model):
        from fairface.embedding.onnx import OnnxEmbedder, load_onnx

        if precision != "fp32":
            raise DeviceError(f"--precision {precision}: {model} has its own precision; leave --precision out")
        if gpus:
            raise DeviceError(f"--gpus {gpus}: ONNX files run on the CPU; leave --gpus out")
        loaded = load_onnx(model, devices, pixels, colour)
        return OnnxEmbedder(loaded, batch_size, flip, show_progress=show_progress, resize=resize, fuse=fuse)
    if pixels or colour:
        raise ConfigError(f"{model}: --pixels and --colour are for ONNX files; leave them out")
    from fairface.embedding.mxnet import NetEmbedder
    from fairface.interop.models import load_model
    from fairface.parallel import contexts_of

    contexts = contexts_of(devices, gpus)
    net = load_model(model, contexts, output, precision)
    return NetEmbedder(
        net.net,
        contexts,
        batch_size,
        flip,
        net.image_size,
        show_progress=show_progress,
        resize=resize,
        fuse=fuse,
        layout=net.layout,
    )
