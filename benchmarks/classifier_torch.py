"""One side of classifier.py: steps of the same classifier in PyTorch. Started by it, not by hand.

Argument: one JSON object with batch, classes, embedding, threads. Speaks as benchmarks/serve.py does.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
from classifier_start import batch, centres
from serve import serve
from torch_nets import ArcFace


class Side:
    """Head, optimizer and one batch."""

    def __init__(self, job: dict[str, Any]) -> None:
        torch.set_num_threads(job["threads"])
        self.head = ArcFace(job["embedding"], job["classes"])
        with torch.no_grad():
            for start, rows in centres(job):
                self.head.weight[start : start + len(rows)] = torch.from_numpy(rows)
        self.optimizer = torch.optim.SGD(self.head.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
        x, labels = batch(job)
        self.x, self.labels = torch.from_numpy(x).requires_grad_(), torch.from_numpy(labels)

    def step(self) -> float:
        """One update; the loss before it."""
        self.optimizer.zero_grad(set_to_none=True)
        self.x.grad = None
        loss = torch.nn.functional.cross_entropy(self.head(self.x, self.labels), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main() -> None:
    job = json.loads(sys.argv[1])
    side = Side(job)
    first = side.step()
    size = job["classes"] * job["embedding"]
    serve({"parameters": size, "version": torch.__version__, "first_loss": first, "state_bytes": 12 * size}, side.step)


if __name__ == "__main__":
    main()
