"""What methods share: which parameters weight decay acts on."""

import pytest

from fairface.backbones import build_backbone
from fairface.config.schema import BackboneConfig
from fairface.methods.common import backbone_groups
from fairface.parameters import structural


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
