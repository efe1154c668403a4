"""One side of train_step.py: training steps in PyTorch. Started by it, not by hand.

Argument: one JSON object with net, batch, classes, embedding, image_size, threads, and, where they are not the usual,
layout (nchw; else channels_last), precision (bf16), compile (true: by inductor). Speaks as benchmarks/serve.py does.
With start (a folder), loss_steps, dropout and lr it takes the weights and batches that lie there, trains and prints the
losses (benchmarks/same_learning.py).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from same_start import WEIGHTS, matched, read_batches, shapes
from serve import serve, trained
from torch_nets import ArcFace, build


class Side:
    """Net, head, optimizer and one batch."""

    def __init__(self, job: dict[str, Any]) -> None:
        torch.manual_seed(0)
        torch.set_num_threads(job["threads"])
        self.layout = torch.contiguous_format if job.get("layout") == "nchw" else torch.channels_last
        self.half = job.get("precision") == "bf16"
        self.net = build(job["net"], job["embedding"], job["image_size"], job.get("dropout", 0.4))
        self.net.to(memory_format=self.layout).train()
        self.head = ArcFace(job["embedding"], job["classes"])
        parameters = [p for part in (self.net, self.head) for p in part.parameters() if p.requires_grad]
        self.count = sum(p.numel() for p in parameters)
        self.optimizer = torch.optim.SGD(parameters, lr=job.get("lr", 0.01), momentum=0.9, weight_decay=5e-4)
        shape = (job["batch"], 3, job["image_size"], job["image_size"])
        if job.get("compile"):
            self.net.compile()
        self.images = torch.randint(0, 256, shape).float().to(memory_format=self.layout)
        self.labels = torch.randint(0, job["classes"], (job["batch"],))

    def take(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        """Train on this batch from now on: (B, H, W, 3) and (B,)."""
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2).float().contiguous(memory_format=self.layout)
        self.labels = torch.from_numpy(labels)

    def load(self, path: Path) -> None:
        """Take the weights and statistics that our side wrote."""
        with np.load(path) as file:
            ours = {name: file[name] for name in file.files}
        both = torch.nn.ModuleDict({"net": self.net, "head": self.head})
        state = {name: array for name, array in both.state_dict().items() if not name.endswith("num_batches_tracked")}
        names = matched(shapes(ours), [(name, tuple(array.shape)) for name, array in state.items()])
        both.load_state_dict({other: torch.from_numpy(ours[name]) for other, name in names.items()}, strict=False)

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
    job = json.loads(sys.argv[1])
    side = Side(job)
    if "start" in job:
        side.load(Path(job["start"]) / WEIGHTS)
        print(json.dumps({"losses": trained(side, read_batches(Path(job["start"])), job["loss_steps"])}))
        return
    serve({"parameters": side.count, "version": torch.__version__}, side.step)


if __name__ == "__main__":
    main()
