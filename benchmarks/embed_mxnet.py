"""Our side of embed.py: the net as a program loads it to embed, images and mirrored images. Started by it.

Argument: one JSON object with net, batch, embedding, image_size, threads, precision (fp32 | bf16), and model where a
known one takes the net's place. Speaks as benchmarks/serve.py does.
"""

from __future__ import annotations

import json
import sys
import tempfile
from typing import Any

import numpy as np
from serve import serve

from fairface.backbones import build_backbone
from fairface.checkpoints import resolve
from fairface.config.schema import BackboneConfig
from fairface.embedding.mxnet import NetEmbedder
from fairface.graph.export import export, write_deploy
from fairface.graph.saved import Graph
from fairface.interop.models import load_graph, load_model
from fairface.mx import mx, nd
from fairface.parameters import count


def embedder(job: dict[str, Any], folder: str) -> tuple[NetEmbedder, int]:
    """The net, loaded as every model is, and its number of values: all of a known model, else the trained ones."""
    if job.get("model"):
        name = job["model"]
        values = sum(array.size for array in load_graph(resolve(name)).arrays.values())
    else:
        name, values = drawn(job, folder)
    contexts = [mx.cpu()]
    loaded = load_model(name, contexts, precision=job["precision"])
    size = loaded.image_size if job.get("model") else job["image_size"]
    return NetEmbedder(loaded.net, contexts, job["batch"], image_size=size, show_progress=False), values


def drawn(job: dict[str, Any], folder: str) -> tuple[str, int]:
    """The name of a net with random weights, written into ``folder``, and its number of trainable values."""
    mx.random.seed(0)
    net = build_backbone(BackboneConfig(name=job["net"], embedding=job["embedding"]), job["image_size"])
    net.initialize()
    net(nd.zeros((1, 3, job["image_size"], job["image_size"])))
    symbol, arrays = export(net)
    write_deploy(Graph(symbol, {name.split(":", 1)[1]: array for name, array in arrays.items()}), f"{folder}/model")
    return f"{folder}/model,0", count(net)


def main() -> None:
    job = json.loads(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        side, parameters = embedder(job, folder)
    size = side.image_size or job["image_size"]
    images = np.random.default_rng(0).integers(0, 256, (job["batch"], size, size, 3), np.uint8)
    serve({"parameters": parameters, "version": mx.__version__}, lambda: float(side.embed(images).sum()))


if __name__ == "__main__":
    main()
