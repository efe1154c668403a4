"""Output 'ECCV' against numbers that the reference's own symbol gave (float32, MXNet)."""

from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.backbones.fusion_output import OutputECCV
from fairface.config.schema import BackboneConfig
from fairface.mx import autograd, nd, nn

VECTORS = np.load(Path(__file__).parent.parent / "vectors" / "block_paranoidai_fresnet.npz")
CASE = "fc1_ECCV"


class Bare(nn.HybridBlock):
    """A backbone whose features are its input."""

    def __init__(self, output):
        super().__init__()
        self.output = output

    def features(self, x):
        return x

    def hybrid_forward(self, F, x):
        return self.output(x)


class Both(nn.HybridBlock):
    """Embeddings and group probabilities of a backbone, as a method would train with them."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def hybrid_forward(self, F, x):
        return self.backbone.output.outputs(F, self.backbone.features(x))


def reference_name(name):
    return name.replace(".", "_").replace("running_", "moving_")


def close(actual, expected, atol=0.0):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-4 * np.abs(expected).max() + atol + 1e-12)


@pytest.mark.parametrize("hybridize", [False, True])
def test_output_equals_the_reference(hybridize):
    backbone = Bare(OutputECCV(8, 3, 16, 0.0))
    both = Both(backbone)
    both.initialize()
    parameters = backbone.output._collect_params_with_prefix()
    for name, parameter in parameters.items():
        parameter.set_data(nd.array(VECTORS[f"{CASE}.w.{reference_name(name)}"]))
    stored = {key.split(".w.")[1] for key in VECTORS.files if key.startswith(f"{CASE}.w.")}
    assert {reference_name(name) for name in parameters} == stored
    if hybridize:
        both.hybridize(static_alloc=True, static_shape=True)
        backbone.hybridize(static_alloc=True, static_shape=True)

    x = nd.array(VECTORS[f"{CASE}.x"])
    embedding, probabilities = both(x)
    close(embedding.asnumpy(), VECTORS[f"{CASE}.y0_eval"])
    close(probabilities.asnumpy(), VECTORS[f"{CASE}.y1_eval"])
    close(backbone(x).asnumpy(), VECTORS[f"{CASE}.y0_eval"])

    x.attach_grad()
    with autograd.record():
        embedding, probabilities = both(x)
    autograd.backward([embedding, probabilities], [nd.array(VECTORS[f"{CASE}.gy{i}"]) for i in (0, 1)])
    close(embedding.asnumpy(), VECTORS[f"{CASE}.y0_train"])
    close(probabilities.asnumpy(), VECTORS[f"{CASE}.y1_train"])
    close(x.grad.asnumpy(), VECTORS[f"{CASE}.grad_train.data"])
    for name, parameter in parameters.items():
        key = reference_name(name)
        if "running" in name:
            close(parameter.data().asnumpy(), VECTORS[f"{CASE}.after_train.{key}"])
        elif parameter.grad_req != "null":
            # Some shifts have no effect before BatchNorm; their gradient is what float32 rounds.
            close(parameter.grad().asnumpy(), VECTORS[f"{CASE}.grad_train.{key}"], 1e-5)


def test_embedding_alone_gives_the_classifier_no_gradient():
    net = build_backbone(BackboneConfig(name="fresnet_tiny", embedding=8, width=0.25, output="ECCV"), 32)
    net.initialize()
    with autograd.record():
        (net(nd.random.uniform(0, 255, shape=(4, 3, 32, 32))) ** 2).sum().backward()
    assert not net.output.class_branch_fc.weight.grad().asnumpy().any()
    assert net.output.pre_fc1.weight.grad().asnumpy().any()


@pytest.mark.parametrize("name", ["fresnet_tiny", "r50sa"])
def test_method_gets_both_from_a_whole_backbone(name):
    net = build_backbone(BackboneConfig(name=name, embedding=8, width=0.125, output="ECCV"), 32)
    both = Both(net)
    both.initialize()
    x = nd.random.uniform(0, 255, shape=(3, 3, 32, 32))
    embedding, probabilities = both(x)
    np.testing.assert_array_equal(embedding.asnumpy(), net(x).asnumpy())
    np.testing.assert_allclose(probabilities.asnumpy().sum(1), 1, rtol=1e-5)
    assert probabilities.shape == (3, 4)
    assert set(net.collect_params()) == set(both.collect_params())
