"""What a method has where it says nothing itself; frozen backbones; which parameters decay."""

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.config.schema import BackboneConfig
from fairface.errors import ConfigError, FairfaceError
from fairface.methods.base import Method, ParameterGroup, Stage, StepReport
from fairface.methods.build import METHODS, build_method
from fairface.methods.common import backbone_groups, embed
from fairface.mx import autograd, mx, nd, nn
from fairface.parallel import World, shard
from fairface.parameters import structural
from unittests.methods.helpers import Flat, batch, source
from unittests.training.helpers import tiny_config


class Plain(Method):
    """A method that leaves everything at what it is by default."""


def test_a_method_has_no_state_and_no_updaters_unless_it_says_so():
    plain = Plain()
    assert plain.state() == {}
    assert plain.load_state({}) is None
    assert list(plain.updaters("all")) == []
    group, stage, report = ParameterGroup("all", {}), Stage(("backbone",)), StepReport({})
    assert (group.lr_mult, group.wd_mult, stage.needs, report.metrics) == (1.0, 1.0, (), {})


class Normed(Flat):
    """With BatchNorm, which tells training from inference."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm(in_channels=8)

    def hybrid_forward(self, F, x):
        return self.norm(super().hybrid_forward(F, x))


def shards_of(contexts):
    world = World(tuple(contexts))
    return shard(batch(source(), 0), world)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_frozen_backbone_keeps_its_statistics_and_gives_no_gradient(frozen):
    contexts = [mx.cpu(0), mx.cpu(1)]
    net = Normed()
    net.initialize(mx.init.Normal(0.3), ctx=contexts)
    net.norm.running_mean.set_data(nd.ones(8))
    weights = [net.dense.weight.grad(context) for context in contexts]
    shards = shards_of(contexts)
    expected = [net(part.images).asnumpy() for part in shards]  # of inference
    with autograd.record():
        embeddings = embed(net, shards, World(tuple(contexts)), frozen)
        loss = [embedding.square().sum() + net.dense.bias.data(embedding.context).sum() for embedding in embeddings]
    autograd.backward(loss)
    assert [embedding.context for embedding in embeddings] == contexts
    same = [np.allclose(a.asnumpy(), b, atol=1e-6) for a, b in zip(embeddings, expected, strict=True)]
    assert same == [frozen] * 2
    assert [bool((weight != 0).sum().asscalar()) for weight in weights] == [not frozen] * 2
    assert np.allclose(net.norm.running_mean.data(contexts[0]).asnumpy(), 1) == frozen


def test_a_backbone_is_trained_unless_it_is_frozen():
    net = Normed()
    net.initialize()
    shards = shards_of([mx.cpu()])
    with autograd.record():
        (embedding,) = embed(net, shards, World((mx.cpu(),)))
    assert abs(embedding.asnumpy().mean(axis=0)).max() < 1e-5  # the batch's own mean is taken off


def test_without_decay_norm_weights_alone_decay():
    net = Normed()
    (whole,) = backbone_groups(net, True)
    names = ["dense.weight", "dense.bias", "norm.gamma", "norm.beta", "norm.running_mean", "norm.running_var"]
    assert list(whole.parameters) == [f"backbone.{name}" for name in names]
    assert (whole.name, whole.lr_mult, whole.wd_mult) == ("backbone", 1.0, 1.0)
    weights, others = backbone_groups(net, False)
    assert list(weights.parameters) == ["backbone.dense.weight"]
    assert list(others.parameters) == [f"backbone.{name}" for name in names[1:]]
    assert (weights.lr_mult, weights.wd_mult, others.lr_mult, others.wd_mult) == (1.0, 1.0, 1.0, 0.0)


def test_a_method_that_is_not_known_is_named_with_those_that_are(tmp_path):
    with pytest.raises(ConfigError) as caught:
        build_method(tiny_config(tmp_path, tmp_path, "method=clasify"), on_gpu=False)
    assert str(caught.value) == f"method is 'clasify'; it can be: {', '.join(METHODS)}"


@pytest.mark.parametrize(
    ("batch_size", "images", "fits"),
    [(8, 4, True), (4, 2, True), (8, 2, True), (4, 4, False), (3, 2, False), (8, 1, False), (8, 3, False)],
)
@pytest.mark.parametrize("method", ["triplet", "fused"])
def test_triplets_need_two_images_of_two_people_and_whole_groups(tmp_path, method, batch_size, images, fits):
    words = (f"method={method}", f"batch_size={batch_size}", f"sampler.images_per_class={images}")
    config = tiny_config(tmp_path, tmp_path, *words, "sampler.kind=pk")
    with pytest.raises(FairfaceError) as caught:
        build_method(config, on_gpu=False)
    refused = f"(now {images}) to 2 or more and batch_size (now {batch_size}) to a multiple of it" in str(caught.value)
    assert refused != fits  # what fits is stopped later, by the folder without data
    with pytest.raises(ConfigError, match=r"set sampler\.kind=pk"):
        build_method(tiny_config(tmp_path, tmp_path, *words, "sampler.kind=random"), on_gpu=False)


@pytest.mark.parametrize("name", ["ir_18", "ir_se_50", "fresnet_tiny", "mobilefacenet"])
def test_decay_spares_batchnorm_and_biases_and_nothing_else(name: str) -> None:
    net = build_backbone(BackboneConfig(name=name, embedding=8, width=0.125))
    decayed, spared = backbone_groups(net, decay_norm=False)
    assert (decayed.wd_mult, spared.wd_mult) == (1.0, 0.0)
    assert sorted([*decayed.parameters, *spared.parameters]) == sorted(f"backbone.{key}" for key in structural(net))
    names = {key: key.removeprefix("backbone.") for key in spared.parameters}
    # Independent of the nets' classes: a BatchNorm is what has running statistics beside its gamma and beta.
    normal = {key.rsplit(".", 1)[0] for key in structural(net) if key.endswith("running_mean")}
    assert normal
    for key in names.values():
        assert key.rsplit(".", 1)[0] in normal or key.endswith("bias"), key
    slopes = [key for key in decayed.parameters if key.endswith("gamma")]
    assert slopes, "PReLU's slopes are weights"
    assert all(key.removeprefix("backbone.").rsplit(".", 1)[0] not in normal for key in decayed.parameters)
    (everything,) = backbone_groups(net, decay_norm=True)
    assert (len(everything.parameters), everything.wd_mult) == (len(names) + len(decayed.parameters), 1.0)
