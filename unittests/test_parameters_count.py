"""How many values a net learns, against the sizes of its layers."""

from fairface.mx import nd, nn
from fairface.parameters import count, structural


def test_a_known_net() -> None:
    net = nn.HybridSequential()
    net.add(nn.Conv2D(5, 3, in_channels=2), nn.BatchNorm(), nn.Flatten(), nn.Dense(7, use_bias=False))
    net.initialize()
    net(nd.zeros((1, 2, 6, 6)))
    convolution, norm, dense = 5 * 2 * 3 * 3 + 5, 2 * 5, 7 * 5 * 4 * 4  # running statistics are not learnt
    assert count(net) == convolution + norm + dense
    structural(net)["3.weight"].grad_req = "null"
    assert count(net) == convolution + norm
