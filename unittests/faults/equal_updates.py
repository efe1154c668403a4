"""A program that takes the same two steps of training again and again, and prints a checksum of each end.

Arguments: optimizer, how often, channels as a multiple of the net's own.
"""

import hashlib
import sys

import numpy as np

from fairface.backbones import build_backbone
from fairface.config.schema import BackboneConfig, OptimizerConfig
from fairface.methods.base import ParameterGroup
from fairface.mx import autograd, mx, nd
from fairface.parameters import structural
from fairface.training.optimizer import Optimizer

LR, SIZE = 0.01, 32


def ending(name: str, width: float) -> str:
    """Checksum of all weights and the optimizer's state. The net is new, and has inferred once, as in a run."""
    net = build_backbone(BackboneConfig(name="fresnet_tiny", embedding=8, width=width, dropout=0.0), SIZE)
    mx.random.seed(1)
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    net(nd.zeros((1, 3, SIZE, SIZE))).wait_to_read()
    group = ParameterGroup("all", structural(net))
    optimizer = Optimizer([group], OptimizerConfig(name=name), [mx.cpu()], "device")
    images = nd.array(np.random.default_rng(0).normal(size=(8, 3, SIZE, SIZE)).astype(np.float32))
    for _ in range(2):
        with autograd.record():
            loss = net(images).square().sum()
        loss.backward()
        optimizer.gradients()
        optimizer.update(LR)
    digest = hashlib.sha256()
    for array in (*(parameter.data() for parameter in optimizer.parameters), *optimizer.state().values()):
        digest.update(array.asnumpy().tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    for _ in range(int(sys.argv[2])):
        print(ending(sys.argv[1], float(sys.argv[3])), flush=True)
