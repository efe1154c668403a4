"""What is told and asked of PyTorch's nets by the shapes of their weights alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.interop.adaface import AdaFaceFamily
from fairface.interop.arcface_torch import ArcFaceTorchFamily
from fairface.interop.models import load_model
from fairface.interop.torch.family import image_side, shape_of, torch_kind
from fairface.interop.torch.file import read_torch
from fairface.interop.torch.models import read_weights, torch_net
from fairface.mx import mx, nd
from fairface.parameters import structural
from unittests.interop.torch.torch_writer import write_state

FIXTURES = Path(__file__).parents[2] / "fixtures"


def adaface(units: tuple[int, ...], width: float, bottleneck: bool = False, se: bool = False) -> dict[str, np.ndarray]:
    """The weights that tell an AdaFace net's form, all 0; images of 32 pixels, embeddings of 8 numbers."""
    state = {"input_layer.0.weight": np.zeros((int(64 * width), 3, 3, 3))}
    number = 0
    for stage, count in enumerate(units):
        channels = int(64 * width) << stage
        for _ in range(count):
            side, last = (1, 7) if bottleneck else (3, 4)
            outside = channels * (4 if bottleneck else 1)
            state[f"body.{number}.res_layer.1.weight"] = np.zeros((channels, 4, side, side))
            state[f"body.{number}.res_layer.{last}.weight"] = np.zeros((outside, channels, side, side))
            if se:
                state[f"body.{number}.res_layer.se_block.fc1.weight"] = np.zeros((2, 2, 1, 1))
            number += 1
    state["output_layer.3.weight"] = np.zeros((8, 4 * outside))
    return state


@pytest.mark.parametrize(("state", "said"), [
    (adaface((2, 2, 2, 2), 1), "AdaFace's ir_18, width 1, embedding 8"),
    (adaface((3, 4, 6, 3), 0.5, se=True), "AdaFace's ir_se_34, width 0.5, embedding 8"),
    (adaface((3, 4, 14, 3), 0.25), "AdaFace's ir_50, width 0.25, embedding 8"),
    (adaface((3, 13, 30, 3), 0.125), "AdaFace's ir_101, width 0.125, embedding 8"),
    (adaface((3, 8, 36, 3), 0.125, bottleneck=True), "AdaFace's ir_152, width 0.125, embedding 8"),
    (adaface((3, 24, 36, 3), 1, bottleneck=True, se=True), "AdaFace's ir_se_200, width 1, embedding 8"),
    (adaface((1, 2, 1, 3), 0.125), "AdaFace's IR net of 1+2+1+3 units, width 0.125, embedding 8"),
    (adaface((2, 2, 2, 2), 1, bottleneck=True), "AdaFace's IR net of 2+2+2+2 units, width 1, embedding 8"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_adafaces_nets_in_words(state: dict[str, np.ndarray], said: str) -> None:
    assert AdaFaceFamily().describe(state) == said


@pytest.mark.parametrize(("units", "said"), [
    ((1, 1, 1), r"its units have \[8, 16, 32\] channels; AdaFace's nets have four stages"),
    ((1, 1, 1, 1, 1), r"its units have \[8, 16, 32, 64, 128\] channels"),
])  # fmt: skip
def test_adafaces_nets_have_four_stages(units: tuple[int, ...], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        AdaFaceFamily().describe(adaface(units, 0.125))


@pytest.mark.parametrize("missing", [(0,), (2,), (3, 4), tuple(range(6))])
def test_a_unit_of_an_adaface_net_that_is_missing(missing: tuple[int, ...]) -> None:
    state = adaface((1, 2, 1, 2), 0.125)
    kept = {key: value for key, value in state.items() if not any(key.startswith(f"body.{unit}.") for unit in missing)}
    if missing == (3, 4):
        kept["body.4.x"] = state["body.4.res_layer.1.weight"]
    with pytest.raises(CheckpointError, match=r"some of the units body\.0, body\.1 … are missing|has no body\.0"):
        AdaFaceFamily().build(kept)


def arcface(units: tuple[int, ...], width: float) -> dict[str, np.ndarray]:
    state = {"conv1.weight": np.zeros((int(64 * width), 3, 3, 3))}
    for stage, count in enumerate(units):
        channels = int(64 * width) << stage
        for unit in range(count):
            state[f"layer{stage + 1}.{unit}.conv2.weight"] = np.zeros((channels, 3, 3, 3))
    state["fc.weight"] = np.zeros((8, 4 * channels))
    return state


@pytest.mark.parametrize(("state", "said"), [
    (arcface((2, 2, 2, 2), 1), "arcface_torch's iresnet, fresnet18 here, width 1, embedding 8"),
    (arcface((3, 4, 14, 3), 0.5), "arcface_torch's iresnet, fresnet50 here, width 0.5, embedding 8"),
    (arcface((1, 2, 1, 3), 0.125), "arcface_torch's iresnet of 1+2+1+3 units, width 0.125, embedding 8"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_arcface_torchs_nets_in_words(state: dict[str, np.ndarray], said: str) -> None:
    assert ArcFaceTorchFamily().describe(state) == said


@pytest.mark.parametrize(
    ("missing", "layer"), [("layer3.", "layer3"), ("layer2.0.", "layer2"), ("layer4.1.", "layer4")]
)
def test_a_unit_of_an_iresnet_that_is_missing(missing: str, layer: str) -> None:
    state = arcface((2, 3, 2, 3), 0.125)
    kept = {key: value for key, value in state.items() if not key.startswith(missing)}
    with pytest.raises(CheckpointError, match=rf"^some of the units {layer}\.0, {layer}\.1 … are missing$"):
        ArcFaceTorchFamily().build(kept)


def test_names_there() -> None:
    family = ArcFaceTorchFamily()
    for ours, theirs in {
        "conv0.weight": "conv1.weight", "bn0.gamma": "bn1.weight", "relu0.gamma": "prelu.weight",
        "output.bn1.beta": "bn2.bias", "output.pre_fc1.bias": "fc.bias",
        "output.fc1.running_var": "features.running_var",
        "stages.0.0.bn1.gamma": "layer1.0.bn1.weight", "stages.3.12.conv2.weight": "layer4.12.conv2.weight",
        "stages.1.0.sc.running_mean": "layer2.0.downsample.1.running_mean",
        "stages.1.0.conv1sc.weight": "layer2.0.downsample.0.weight", "stages.2.5.relu1.gamma": "layer3.5.prelu.weight",
    }.items():  # fmt: skip
        assert family.key(ours) == theirs
    assert torch_kind("a.b.running_mean") == "a.b.running_mean"


@pytest.mark.parametrize(("shape", "channels", "side"), [((8, 64), 4, 64), ((8, 49 * 3), 3, 112), ((8, 5), 5, 16)])
def test_the_size_of_the_images_from_the_map(shape: tuple[int, ...], channels: int, side: int) -> None:
    assert image_side({"fc": np.zeros(shape)}, "fc", channels) == side
    with pytest.raises(CheckpointError, match=rf"fc takes {shape[1] + 1} values, which are not a square map"):
        image_side({"fc": np.zeros((8, shape[1] + 1))}, "fc", channels)


def test_shapes_that_must_be_there() -> None:
    state = {"a": np.zeros((2, 3)), "b": np.zeros((0, 3))}
    assert shape_of(state, "a", 2) == (2, 3)
    for key, sides, said in (("c", 2, "has no c"), ("a", 3, r"a is \(2, 3\)"), ("b", 2, r"b is \(0, 3\)")):
        with pytest.raises(CheckpointError, match=rf"{said}; it belongs to another architecture"):
            shape_of(state, key, sides)


def test_a_last_gamma_of_pytorch_is_taken_into_the_embedding_layer(tmp_path: Path) -> None:
    """The last BatchNorm is ``gamma (x - mean) / deviation + beta``; here its gamma is held at 1."""
    arrays = dict(read_torch(FIXTURES / "arcface_torch.pth"))
    expected = np.load(FIXTURES / "arcface_torch.npz")
    images, plain = nd.array(expected["images"]), expected["embeddings"]
    gamma = np.random.default_rng(0).uniform(0.5, 2, plain.shape[1]).astype(np.float32)
    old, beta = arrays["features.weight"], arrays["features.bias"]
    arrays["features.weight"] = gamma
    path = write_state(tmp_path / "x.pth", arrays)
    net = torch_net(path)
    np.testing.assert_allclose(net(images).asnumpy(), (plain - beta) / old * gamma + beta, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(structural(net)["output.fc1.gamma"].data().asnumpy(), np.ones_like(gamma))
    loaded = load_model(str(path), [mx.cpu()]).net
    np.testing.assert_allclose(loaded(images).asnumpy(), net(images).asnumpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("key", "values"), [
    ("bn2.running_var", [-1.0, 1.0]), ("bn2.bias", [np.inf, 1.0]),
    ("layer1.0.conv1.weight", [np.nan, 1.0]),
])  # fmt: skip
def test_one_value_that_is_none_is_enough(tmp_path: Path, key: str, values: list[float]) -> None:
    arrays = dict(read_torch(FIXTURES / "arcface_torch.pth"))
    changed = np.full(arrays[key].size, values[1], np.float32)
    changed[-1] = values[0]
    path = write_state(tmp_path / "x.pth", {**arrays, key: changed.reshape(arrays[key].shape)})
    with pytest.raises(CheckpointError, match=rf"x\.pth: {key} holds invalid values"):
        torch_net(path)


def test_a_variance_of_0_is_a_value(tmp_path: Path) -> None:
    arrays = dict(read_torch(FIXTURES / "arcface_torch.pth"))
    variance = arrays["bn2.running_var"].copy()
    variance[0] = 0.0
    net = torch_net(write_state(tmp_path / "x.pth", {**arrays, "bn2.running_var": variance}))
    assert structural(net)["output.bn1.running_var"].data().asnumpy()[0] == 0.0


def test_counters_of_batches_are_no_layers(tmp_path: Path) -> None:
    arrays = dict(read_torch(FIXTURES / "arcface_torch.pth"))
    path = write_state(tmp_path / "x.pth", {**arrays, "bn1.num_batches_tracked": np.array([3])})
    assert set(structural(torch_net(path))) == set(structural(torch_net(FIXTURES / "arcface_torch.pth")))
    weights = read_weights(path)
    assert str(weights) == f"{path}: arcface_torch's iresnet of 1+2+1+1 units, width 0.0625, embedding 10"
