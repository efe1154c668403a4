"""The one place that imports MXNet, after setting what it needs.

* numpy 1.24 removed ``numpy.bool``, which the MXNet 1.9.1 wheel still reads at import.
* MXNet takes half of the cores it sees, on the assumption that the other half are hyper-threads; it is told the number
  of physical cores instead, unless the user has set ``OMP_NUM_THREADS``.
* mxnet-cu112 finds CUDA 11's libraries when they are loaded first; they come from PyPI with the extra ``cu112``.
"""

from __future__ import annotations

import os
import warnings

import numpy as np

from fairface.hardware import load_cuda_libraries, physical_cores

if "bool" not in vars(np):
    np.bool = bool  # type: ignore[attr-defined, misc]
os.environ.setdefault("OMP_NUM_THREADS", str(physical_cores()))
# oneDNN chooses its own primitives on CPUs; cuDNN's autotune prints a line per shape and adds minutes to short runs.
os.environ.setdefault("MXNET_CUDNN_AUTOTUNE_DEFAULT", "1")
os.environ.setdefault("MXNET_SAFE_ACCUMULATION", "1")
load_cuda_libraries()

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import mxnet as mx
    from mxnet import autograd, gluon, nd
    from mxnet.contrib import amp
    from mxnet.gluon import nn

NDArray = nd.NDArray
Context = mx.context.Context

__all__ = ["Context", "NDArray", "amp", "autograd", "gluon", "mx", "nd", "nn"]
