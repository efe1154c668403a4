"""One side of classifier.py: steps of our classifier. Started by it, not by hand.

Argument: one JSON object with batch, classes, embedding, threads and kind: dense (a copy on every device, here one) or
sharded, with devices and rate; scratch: a folder for the centres. Speaks as benchmarks/serve.py does.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from classifier_start import batch, centres
from serve import serve

from fairface.config.schema import HeadConfig
from fairface.heads import build_head, build_sharded_head
from fairface.heads.loss import CrossEntropy
from fairface.heads.sharded import MomentumRule, ShardUpdater
from fairface.mx import NDArray, autograd, gluon, mx, nd
from fairface.parallel import World
from fairface.training.optimizer import FusedSGD

RULE = MomentumRule(0.9, 5e-4)
LR = 0.01


class Dense:
    """The classifier of one device, as in training."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.head = build_head(HeadConfig(name="arcface"), job["embedding"], job["classes"])
        self.criterion = CrossEntropy()
        self.head.initialize()
        self.head.hybridize(static_alloc=True, static_shape=True)
        self.criterion.hybridize()
        for start, rows in centres(job):
            self.head.weight.data()[start : start + len(rows)] = nd.array(rows)
        rule = FusedSGD(learning_rate=LR, momentum=RULE.momentum, wd=RULE.weight_decay)
        self.trainer = gluon.Trainer([self.head.weight], rule, kvstore=None, update_on_kvstore=False)
        self.state_bytes = 3 * 4 * job["classes"] * job["embedding"]
        x, labels = batch(job)
        self.x, self.labels = nd.array(x), nd.array(labels, dtype="int32")
        self.x.attach_grad()

    def step(self) -> float:
        """One update; the loss before it."""
        with autograd.record():
            logits = self.head(self.x, self.labels)
            loss = self.criterion(logits, self.labels).mean()
        correct = self.head.is_correct(self.x, logits, self.labels)  # of a split head it is part of the losses
        loss.backward()
        self.trainer.step(1)
        correct.wait_to_read()
        nd.waitall()
        return float(loss.asscalar())


class Sharded:
    """Classes split over devices, all of them in a step or a sample."""

    def __init__(self, job: dict[str, Any]) -> None:
        config = HeadConfig(sharded=True, sample_rate=job.get("rate", 1.0), scratch=job.get("scratch", ""))
        contexts = [mx.cpu(number) for number in range(job.get("devices", 1))]
        self.world = World(tuple(contexts))
        self.head = build_sharded_head(config, job["embedding"], job["classes"])
        self.head.initialize(ctx=contexts)
        for start, rows in centres(job):
            self.head.fill(start, nd.array(rows))
        self.updater = ShardUpdater(self.head, RULE)
        self.state_bytes = self.head.training_bytes
        x, labels = batch(job)
        self.rows = job["batch"]
        self.xs, self.labels = self._cut(x, "float32"), self._cut(labels, "int32")
        for part in self.xs:
            part.attach_grad()

    def _cut(self, array: Any, dtype: str) -> list[NDArray]:
        contexts = self.world.contexts
        parts = np.array_split(array, len(contexts))
        return [nd.array(part, ctx=context, dtype=dtype) for part, context in zip(parts, contexts, strict=True)]

    def step(self) -> float:
        """One update; the loss before it."""
        with autograd.record():
            batch = self.head.gathered(self.xs, self.labels, self.world)
            losses = [rows.sum() / self.rows for rows in self.head.losses(batch).losses]
        autograd.backward(losses)
        self.updater.gradients()
        self.updater.update(LR, 1.0)
        self.head.step += 1
        nd.waitall()
        return sum(float(loss.asscalar()) for loss in losses)


def main() -> None:
    job = json.loads(sys.argv[1])
    side = Dense(job) if job["kind"] == "dense" else Sharded(job)
    first = side.step()
    about = {"parameters": job["classes"] * job["embedding"], "version": mx.__version__, "first_loss": first,
             "state_bytes": side.state_bytes}  # fmt: skip
    serve(about, side.step)


if __name__ == "__main__":
    main()
