"""The ONNX sides of onnx_engines.py: the net as it is exported, in fp32 or int8, by the ONNX engine. Started by it.

Argument: one JSON object with net, batch, embedding, image_size, threads, calibration_images, precision (fp32 | int8),
and model where a known one takes the net's place. Speaks as benchmarks/serve.py does.
"""

from __future__ import annotations

import json
import sys
import tempfile
from typing import Any

import numpy as np
import onnxruntime
from embed_mxnet import embedder
from serve import serve

from fairface.checkpoints import resolve
from fairface.embedding.onnx import OnnxEmbedder
from fairface.interop.onnx.export import export_onnx, int8_export
from fairface.interop.onnx.self_check import generated_images


def onnx_embedder(job: dict[str, Any]) -> tuple[OnnxEmbedder, int]:
    """The same net as MXNet's side, exported, and its number of values."""
    with tempfile.TemporaryDirectory() as folder:
        _, parameters = embedder({**job, "precision": "fp32"}, folder)
        exported = export_onnx(resolve(job["model"] or f"{folder}/model,0"))
    if job["precision"] == "int8":
        exported = int8_export(exported, generated_images(job["calibration_images"], exported.net.image_size))
    return OnnxEmbedder(exported.net, job["batch"], show_progress=False), parameters


def main() -> None:
    job = json.loads(sys.argv[1])
    side, parameters = onnx_embedder(job)
    size = side.net.image_size
    images = np.random.default_rng(0).integers(0, 256, (job["batch"], size, size, 3), np.uint8)
    about = {"parameters": parameters, "version": f"onnxruntime {onnxruntime.__version__}"}
    serve(about, lambda: float(side.embed(images).sum()))


if __name__ == "__main__":
    main()
