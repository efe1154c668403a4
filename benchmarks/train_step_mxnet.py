"""One side of train_step.py: training steps of our net and head. Started by it, not by hand.

Argument: one JSON object with net, batch, classes, embedding, image_size, threads, precision (fp32 | bf16). Speaks as
benchmarks/serve.py does. With start (a folder), loss_steps, dropout and lr it writes its weights there, trains on the
batches that lie there and prints the losses (benchmarks/same_learning.py).
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from same_start import WEIGHTS, read_batches
from serve import serve, trained

from fairface.backbones import build_backbone
from fairface.config.schema import BackboneConfig, HeadConfig
from fairface.heads import build_head
from fairface.heads.loss import CrossEntropy
from fairface.mx import autograd, gluon, mx, nd
from fairface.parallel import to_input
from fairface.parameters import count, structural
from fairface.precision import enable
from fairface.training.optimizer import FusedSGD


def backbone_of(job: dict[str, Any]) -> BackboneConfig:
    """The net; its dropout is the net's own unless the job says it."""
    usual = BackboneConfig(name=job["net"], embedding=job["embedding"])
    return dataclasses.replace(usual, dropout=job.get("dropout", usual.dropout))


class Side:
    """Net, head, optimizer and one batch."""

    def __init__(self, job: dict[str, Any]) -> None:
        mx.random.seed(0)
        rng = np.random.default_rng(0)
        self.net = build_backbone(backbone_of(job), job["image_size"])
        self.head = build_head(HeadConfig(name="arcface"), job["embedding"], job["classes"])
        self.criterion = CrossEntropy()
        for part in (self.net, self.head, self.criterion):
            part.initialize()
            part.hybridize(static_alloc=True, static_shape=True)
        parameters = [*structural(self.net).values(), *structural(self.head).values()]
        self.count = count(self.net) + count(self.head)
        rule = FusedSGD(learning_rate=job.get("lr", 0.01), momentum=0.9, wd=5e-4)  # as in training
        self.trainer = gluon.Trainer(parameters, rule, kvstore=None, update_on_kvstore=False)
        shape = (job["batch"], job["image_size"], job["image_size"], 3)
        self.take(rng.integers(0, 256, shape, dtype=np.uint8), rng.integers(0, job["classes"], job["batch"]))

    def take(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        """Train on this batch from now on: (B, H, W, 3) and (B,)."""
        self.images = to_input(images, mx.cpu())
        self.labels = nd.array(labels, dtype="int32")

    def save(self, path: Path) -> None:
        """Write all weights and statistics as ``net.<name>`` and ``head.<name>``, in the order of the layers."""
        parts = {"net": self.net, "head": self.head}
        arrays = {f"{part}.{name}": parameter.data().asnumpy()
                  for part, block in parts.items() for name, parameter in structural(block).items()}  # fmt: skip
        np.savez(path, **arrays)

    def step(self) -> float:
        """One update; the loss."""
        with autograd.record():
            loss = self.criterion(self.head(self.net(self.images), self.labels), self.labels).mean()
        loss.backward()
        self.trainer.step(1)
        nd.waitall()
        return float(loss.asscalar())


def main() -> None:
    job = json.loads(sys.argv[1])
    enable(job["precision"], on_gpu=False, prelu="auto")
    side = Side(job)
    if "start" in job:
        side.save(Path(job["start"]) / WEIGHTS)
        print(json.dumps({"losses": trained(side, read_batches(Path(job["start"])), job["loss_steps"])}))
        return
    serve({"parameters": side.count, "version": mx.__version__}, side.step)


if __name__ == "__main__":
    main()
