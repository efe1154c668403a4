"""The other side of dlib_net.py: dlib itself. Started by it.

Argument: one JSON object with weights, folder (chips.npy) and output. Speaks as benchmarks/serve.py does.
"""

from __future__ import annotations

import json
import sys

import dlib
import numpy as np
from serve import serve


def main() -> None:
    job = json.loads(sys.argv[1])
    net = dlib.face_recognition_model_v1(job["weights"])
    chips = list(np.load(f"{job['folder']}/chips.npy"))
    np.save(job["output"], np.array([np.array(found) for found in net.compute_face_descriptor(chips)]))
    serve({"version": dlib.__version__}, lambda: float(sum(found[0] for found in net.compute_face_descriptor(chips))))


if __name__ == "__main__":
    main()
