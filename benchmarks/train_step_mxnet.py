"""One side of train_step.py: training steps of our net and head. Started by it, not by hand.

Argument: one JSON object with net, batch, classes, embedding, image_size, threads, precision (fp32 | bf16). Speaks as
benchmarks/serve.py does.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from serve import serve

from fairface.backbones import build_backbone
from fairface.config.schema import BackboneConfig, HeadConfig
from fairface.heads import build_head
from fairface.heads.loss import CrossEntropy
from fairface.mx import autograd, gluon, mx, nd
from fairface.parallel import to_input
from fairface.parameters import count, structural
from fairface.precision import enable
from fairface.training.optimizer import FusedSGD


class Side:
    """Net, head, optimizer and one batch."""

    def __init__(self, job: dict[str, Any]) -> None:
        mx.random.seed(0)
        rng = np.random.default_rng(0)
        self.net = build_backbone(BackboneConfig(name=job["net"], embedding=job["embedding"]), job["image_size"])
        self.head = build_head(HeadConfig(name="arcface"), job["embedding"], job["classes"])
        self.criterion = CrossEntropy()
        for part in (self.net, self.head, self.criterion):
            part.initialize()
            part.hybridize(static_alloc=True, static_shape=True)
        parameters = [*structural(self.net).values(), *structural(self.head).values()]
        self.count = count(self.net) + count(self.head)
        rule = FusedSGD(learning_rate=0.01, momentum=0.9, wd=5e-4)  # as in training
        self.trainer = gluon.Trainer(parameters, rule, kvstore=None, update_on_kvstore=False)
        shape = (job["batch"], job["image_size"], job["image_size"], 3)
        self.images = to_input(rng.integers(0, 256, shape, dtype=np.uint8), mx.cpu())
        self.labels = nd.array(rng.integers(0, job["classes"], job["batch"]), dtype="int32")

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
    serve({"parameters": side.count, "version": mx.__version__}, side.step)


if __name__ == "__main__":
    main()
