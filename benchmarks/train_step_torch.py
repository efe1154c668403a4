"""One side of train_step.py: training steps in PyTorch. Started by it, not by hand.

Argument: one JSON object with net, batch, classes, embedding, image_size, threads, and, where they are not the usual,
layout (nchw; else channels_last), precision (bf16), compile (true: by inductor). Speaks as benchmarks/serve.py does.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
from serve import serve
from torch_nets import ArcFace, build


class Side:
    """Net, head, optimizer and one batch."""

    def __init__(self, job: dict[str, Any]) -> None:
        torch.manual_seed(0)
        torch.set_num_threads(job["threads"])
        layout = torch.contiguous_format if job.get("layout") == "nchw" else torch.channels_last
        self.half = job.get("precision") == "bf16"
        self.net = build(job["net"], job["embedding"], job["image_size"]).to(memory_format=layout).train()
        self.head = ArcFace(job["embedding"], job["classes"])
        parameters = [p for part in (self.net, self.head) for p in part.parameters() if p.requires_grad]
        self.count = sum(p.numel() for p in parameters)
        self.optimizer = torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=5e-4)
        shape = (job["batch"], 3, job["image_size"], job["image_size"])
        if job.get("compile"):
            self.net.compile()
        self.images = torch.randint(0, 256, shape).float().to(memory_format=layout)
        self.labels = torch.randint(0, job["classes"], (job["batch"],))

    def step(self) -> float:
        """One update; the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            embedding = self.net(self.images)
        loss = torch.nn.functional.cross_entropy(self.head(embedding.float(), self.labels), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main() -> None:
    side = Side(json.loads(sys.argv[1]))
    serve({"parameters": side.count, "version": torch.__version__}, side.step)


if __name__ == "__main__":
    main()
