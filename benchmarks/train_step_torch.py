"""One side of train_step.py: training steps in PyTorch. Started by it, not by hand.

Arguments: one JSON object with net, batch, classes, embedding, image_size, threads, mode (nchw | channels_last |
channels_last_bf16). Prints a JSON line when ready; then, for every line {"steps": n} on standard input, what the steps
took.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import torch
from torch_nets import ArcFace, FResNet  # type: ignore[import-not-found]  # its neighbour, found when it runs


class Side:
    """Net, head, optimizer and one batch."""

    def __init__(self, job: dict[str, Any]) -> None:
        torch.manual_seed(0)
        torch.set_num_threads(job["threads"])
        layout = torch.contiguous_format if job["mode"] == "nchw" else torch.channels_last
        self.half = job["mode"].endswith("bf16")
        self.net = FResNet(job["net"], job["embedding"], 0.4, job["image_size"]).to(memory_format=layout).train()
        self.head = ArcFace(job["embedding"], job["classes"])
        parameters = [p for part in (self.net, self.head) for p in part.parameters() if p.requires_grad]
        self.count = sum(p.numel() for p in parameters)
        self.optimizer = torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=5e-4)
        shape = (job["batch"], 3, job["image_size"], job["image_size"])
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
    loss = [side.step() for _ in range(2)][-1]
    print(json.dumps({"parameters": side.count, "loss": loss, "version": torch.__version__}), flush=True)
    for line in sys.stdin:
        seconds, begun = [], time.process_time()
        for _ in range(json.loads(line)["steps"]):
            start = time.perf_counter()
            loss = side.step()
            seconds.append(time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        cpu = (time.process_time() - begun) / len(seconds)
        print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_bytes": peak, "loss": loss}), flush=True)


if __name__ == "__main__":
    main()
