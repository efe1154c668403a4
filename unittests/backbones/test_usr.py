import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.config.schema import BackboneConfig
from fairface.errors import ConfigError
from fairface.mx import autograd, nd

SOURCE = """
from fairface.mx import gluon, nn

class Small(nn.HybridBlock):
    def __init__(self, embedding, image_size):
        super().__init__()
        assert image_size == 32
        self.conv = nn.Conv2D(4, 3, 2)  # channels of the input left open
        self.norm = nn.BatchNorm()
        self.dense = nn.Dense(embedding)

    def hybrid_forward(self, F, x):
        return self.dense(self.norm(self.conv((x - 127.5) / 128)))

class Plain(gluon.Block):
    def __init__(self, **kwargs):
        super().__init__()

class Twins(Small):
    def hybrid_forward(self, F, x):
        y = super().hybrid_forward(F, x)
        return y, y

class Grey(Small):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv = nn.Conv2D(4, 3, 2, in_channels=1)

def wrong(embedding, image_size):
    return Small(embedding + 1, image_size)

def swapped(embedding, image_size):
    return nn.HybridLambda(lambda F, x: F.transpose(F.reshape(x, shape=(0, -1))))

def other_keywords(size):
    return Small(8, size)

number = 3
"""


@pytest.fixture
def nets(tmp_path, monkeypatch, request):
    """A module of the user's, under a name of its own for every test."""
    name = f"nets_of_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    (tmp_path / f"{name}_broken.py").write_text("import os\nraise ValueError('broken on purpose')\n")
    (tmp_path / f"{name}_needs.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_own_network_is_built_and_trains(nets):
    net = build_backbone(BackboneConfig(name=f"usr:{nets}:Small", embedding=8), 32)
    assert net.conv.weight.shape == (4, 3, 3, 3)  # known without a forward pass
    assert net.dense.weight.shape == (8, 4 * 15 * 15)
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    with autograd.record():
        y = net(nd.random.uniform(0, 255, shape=(3, 3, 32, 32)))
    y.backward()
    assert y.shape == (3, 8)
    assert np.isfinite(net.conv.weight.grad().asnumpy()).all()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("{}:missing", "has no missing"),
        ("{}:number", "number is of type int, not a function"),
        ("{}:Plain", "gives Plain; it must give a gluon.HybridBlock"),
        ("{}:wrong", r"gives \(2, 9\) for 2 images of 32x32; one output \(2, 8\) is needed"),
        ("{}:swapped", r"gives \(3072, 2\)"),
        ("{}:Twins", r"gives \(2, 8\) and \(2, 8\)"),
        ("{}:Grey", r"does not take images \(B, 3, 32, 32\)"),
        ("{}:other_keywords", "the factory fails when called with embedding=8, image_size=32 .TypeError"),
        ("{}_nowhere:Small", "no module nets_of_.*_nowhere; install it or put its folder on PYTHONPATH"),
        ("{}_needs:Small", "no module a_package_that_is_not_there"),
        ("{}_broken:Small", "importing .*_broken fails .ValueError: broken on purpose"),
        ("{}", "write usr:package.module:factory"),
        (":Small", "write usr:package.module:factory"),
        ("..:Small", "importing .. fails"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(nets, target, message):
    with pytest.raises(ConfigError, match=message) as caught:
        build_backbone(BackboneConfig(name=f"usr:{target.format(nets)}", embedding=8), 32)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", [{"se": True}, {"width": 0.5}, {"dropout": 0.4}, {"output": "E"}])
def test_keys_that_cannot_act_are_refused(nets, key):
    with pytest.raises(ConfigError, match=next(iter(key))):
        build_backbone(BackboneConfig(name=f"usr:{nets}:Small", embedding=8, **key), 32)
