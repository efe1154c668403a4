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

from fairface.errors import DeviceError, MissingPackageError
from fairface.extras import missing_package
from fairface.hardware import DRIVER, load_cuda_libraries, physical_cores

if "bool" not in vars(np):
    np.bool = bool  # type: ignore[attr-defined, misc]
os.environ.setdefault("OMP_NUM_THREADS", str(physical_cores()))
# oneDNN chooses its own primitives on CPUs; cuDNN's autotune prints a line per shape and adds minutes to short runs.
os.environ.setdefault("MXNET_CUDNN_AUTOTUNE_DEFAULT", "1")
os.environ.setdefault("MXNET_SAFE_ACCUMULATION", "1")
# MXNet's oneDNN pass joins a convolution with its activation even where others take the convolution's output, as PReLU
# made of a leaky relu and a sum does, and then hands on wrong values. Read once, when MXNet is imported.
os.environ.setdefault("MXNET_DISABLE_MKLDNN_FUSE_CONV_RELU", "1")
# Scratch space of operators is kept in this many copies (4 unless told), each as large as the largest need: 0.2 GB in
# a training step of fresnet50 with 32 images. Operators run one after the other here.
os.environ.setdefault("MXNET_CPU_TEMP_COPY", "1")
# Else it prints "Subgraph backend MKLDNN is activated" wherever a model is bound.
os.environ.setdefault("MXNET_SUBGRAPH_VERBOSE", "0")
load_cuda_libraries()

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    try:
        import mxnet as mx
    except ModuleNotFoundError as error:
        lacking = missing_package(error.name or "")
        if lacking is None:
            raise
        raise MissingPackageError(lacking, name=error.name) from error
    except OSError as error:
        if DRIVER not in str(error):
            raise
        raise DeviceError(
            f"the installed MXNet is for NVIDIA's GPUs and their driver ({DRIVER}) is not here; containers get it with "
            "'docker run --gpus all' from NVIDIA's container toolkit, and without a GPU install the extra cpu"
        ) from error
    from mxnet import autograd, gluon, nd
    from mxnet.contrib import amp
    from mxnet.gluon import nn

NDArray = nd.NDArray
Context = mx.context.Context

__all__ = ["Context", "NDArray", "amp", "autograd", "gluon", "mx", "nd", "nn"]
