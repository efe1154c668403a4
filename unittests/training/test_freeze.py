"""A frozen part changes by no bit; a trained one does."""

import numpy as np

from fairface.mx import autograd, gluon, mx, nd, nn
from fairface.parameters import structural
from fairface.training.freeze import freeze_all_but


def net() -> nn.HybridSequential:
    block = nn.HybridSequential()
    block.add(nn.Conv2D(4, 3), nn.BatchNorm(), nn.Dropout(0.5), nn.Flatten(), nn.Dense(3), nn.BatchNorm())
    block.initialize(mx.init.Xavier())
    block.hybridize()
    block(nd.random.uniform(shape=(2, 3, 6, 6)))
    return block


def bytes_of(block: gluon.Block) -> dict[str, bytes]:
    return {name: parameter.data().asnumpy().tobytes() for name, parameter in structural(block).items()}


def train_steps(block: gluon.Block, parameters: list[gluon.Parameter]) -> None:
    trainer = gluon.Trainer(parameters, "sgd", {"learning_rate": 0.5, "momentum": 0.9, "wd": 0.1})
    for _ in range(3):
        with autograd.record():
            loss = (block(nd.random.uniform(shape=(5, 3, 6, 6))) ** 2).sum()
        loss.backward()
        trainer.step(1)


def test_frozen_layers_keep_every_bit() -> None:
    block = net()
    trained = [p for name, p in structural(block).items() if name.startswith(("4.", "5.")) and "running" not in name]
    frozen = freeze_all_but({"net": block}, trained)
    assert set(frozen) == {"net.0.weight", "net.0.bias", "net.1.gamma", "net.1.beta"}
    before = bytes_of(block)
    train_steps(block, [p for p in trained if p.grad_req != "null"])
    after = bytes_of(block)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"4.weight", "4.bias", "5.gamma", "5.beta", "5.running_mean", "5.running_var"}


def test_frozen_batchnorm_uses_running_statistics() -> None:
    block = net()
    freeze_all_but({"net": block}, [])
    x = nd.random.uniform(shape=(5, 3, 6, 6))
    with autograd.record(train_mode=True):
        in_training = block(x).asnumpy()
    np.testing.assert_array_equal(in_training, block(x).asnumpy())


def test_nothing_is_frozen_when_all_is_trained() -> None:
    block = net()
    learned = [p for name, p in structural(block).items() if "running" not in name]
    assert freeze_all_but({"net": block}, learned) == []
    assert all(not child._kwargs["use_global_stats"] for child in block if isinstance(child, nn.BatchNorm))
