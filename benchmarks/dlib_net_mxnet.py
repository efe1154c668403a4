"""Our side of dlib_net.py: the network as a program loads it. Started by it.

Argument: one JSON object with weights, folder (chips.npy), output, and batch_size where it is not all chips. Speaks as
benchmarks/serve.py does.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from serve import serve

from fairface.embedding.model import load_model
from fairface.mx import mx


def main() -> None:
    job = json.loads(sys.argv[1])
    chips = np.load(f"{job['folder']}/chips.npy")
    model = load_model(job["weights"], "cpu0", job.get("batch_size", len(chips)))
    np.save(job["output"], model.embed(chips, flip=False))
    serve({"version": mx.__version__}, lambda: float(model.embed(chips, flip=False).sum()))


if __name__ == "__main__":
    main()
