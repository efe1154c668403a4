"""The other sides of embed.py: PyTorch, or ONNX Runtime with the net exported by torch.onnx. Started by it.

Argument: one JSON object with net, batch, embedding, image_size, threads, and, where they are not the usual, precision
(bf16), compile (true: by inductor), onnx (true). Speaks as benchmarks/serve.py does.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from serve import serve
from torch_nets import build

Embed = Callable[[torch.Tensor], Any]


def by_torch(net: torch.nn.Module, job: dict[str, Any]) -> Embed:
    """channels_last, eager or compiled, in fp32 or by autocast to bf16."""
    net = net.to(memory_format=torch.channels_last)
    if job.get("compile"):
        net.compile()
    half = job.get("precision") == "bf16"

    def embed(images: torch.Tensor) -> Any:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            return net(images.to(memory_format=torch.channels_last)).float().numpy()

    return embed


def by_onnxruntime(net: torch.nn.Module, job: dict[str, Any]) -> Embed:
    """Exported with a dynamic batch; all of ONNX Runtime's graph optimisations, as it comes."""
    import onnxruntime

    example = torch.zeros(1, 3, job["image_size"], job["image_size"])
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        with contextlib.redirect_stdout(sys.stderr):
            torch.onnx.export(
                net, (example,), file.name, input_names=["data"], dynamic_axes={"data": {0: "batch"}}, dynamo=False
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = job["threads"]
        session = onnxruntime.InferenceSession(file.name, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"data": images.numpy()})[0]


def main() -> None:
    job = json.loads(sys.argv[1])
    torch.manual_seed(0)
    torch.set_num_threads(job["threads"])
    net = build(job["net"], job["embedding"], job["image_size"]).eval()
    parameters = sum(p.numel() for p in net.parameters() if p.requires_grad)
    embed = by_onnxruntime(net, job) if job.get("onnx") else by_torch(net, job)
    shape = (job["batch"], job["image_size"], job["image_size"], 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)

    def step() -> float:
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous()
        return float((embed(images) + embed(images.flip(3))).sum())

    version = torch.__version__
    if job.get("onnx"):
        import onnxruntime

        version = f"onnxruntime {onnxruntime.__version__}"
    serve({"parameters": parameters, "version": version}, step)


if __name__ == "__main__":
    main()
