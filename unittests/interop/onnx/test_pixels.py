"""How an ONNX file wants its pixels: found in its graph where that shows it, else asked for; never guessed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fairface.errors import ConfigError
from fairface.interop.onnx.metadata import Metadata
from fairface.interop.onnx.normalisation import normalises
from fairface.interop.onnx.pixels import Pixels, choose_pixels
from unittests.interop.onnx.files import network, norm

SHOWN = {
    "minus, times": [("Sub", 127.5), ("Mul", 0.0078125)],  # SFace, insightface's MXNet models
    "minus, over": [("Sub", np.full((3, 1, 1), 127.5)), ("Div", 128.0)],
    "over, minus": [("Div", 255.0), ("Sub", 0.5)],
    "per channel": [("Mul", 1 / 255), ("Sub", np.reshape([0.485, 0.456, 0.406], (3, 1, 1))), ("Div", 0.226)],
    "plus a negative": [("Add", -127.5), ("Mul", 0.01)],
    "passed on first": [("Identity", None), ("Sub", 127.5), ("Div", 128.0)],
    "BatchNorm of pixels": [("BatchNormalization", norm(4000.0))],
}
NOT_SHOWN = {
    "none": [],
    "of values up to 1": [("Sub", 0.5), ("Mul", 2.0)],
    "a scale alone": [("Div", 255.0)],
    "a shift alone": [("Sub", 127.5)],
    "nothing done": [("Sub", 0.0), ("Mul", 1.0)],
    "BatchNorm of normalised pixels": [("BatchNormalization", norm(0.3))],
    "behind another operator": [("Relu", None), ("Sub", 127.5), ("Mul", 0.0078125)],
}


@pytest.mark.parametrize("constant_nodes", [False, True])
@pytest.mark.parametrize("name", SHOWN)
def test_a_front_for_pixels_is_seen(name: str, constant_nodes: bool) -> None:
    assert normalises(network(*SHOWN[name], constant_nodes=constant_nodes))


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_another_front_is_not_taken_for_one(name: str) -> None:
    front: list[Any] = NOT_SHOWN[name]
    assert not normalises(network(*front))


def test_what_is_shown_needs_no_option_but_the_colour() -> None:
    content = network(*SHOWN["minus, times"])
    assert choose_pixels("n.onnx", content, None, colour="rgb") == Pixels()
    with pytest.raises(ConfigError, match=r"n.onnx: does not say whether it takes RGB or BGR; add --colour rgb"):
        choose_pixels("n.onnx", content, None)


def test_what_is_not_shown_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"does not show that it normalises pixels itself; add --pixels minus"):
        choose_pixels("n.onnx", network(), None, colour="rgb")
    assert choose_pixels("n.onnx", network(), None, "minus127.5/128", "bgr") == Pixels(127.5, 128.0, True)
    assert choose_pixels("n.onnx", network(), None, "raw", "bgr") == Pixels(0.0, 1.0, True)
    for wrong in ("minus127.5", "minus127.5/0", "plus1/2", "RAW"):
        with pytest.raises(ConfigError, match=r"write raw, or minusM/D"):
            choose_pixels("n.onnx", network(), None, wrong, "rgb")


def test_an_export_says_it_itself_and_is_not_contradicted() -> None:
    own = Metadata("run", 1, 16, 4, "0.1")
    assert choose_pixels("n.onnx", b"not looked at", own) == Pixels()
    assert choose_pixels("n.onnx", b"not looked at", own, "raw", "rgb") == Pixels()
    with pytest.raises(ConfigError, match="says of itself that it takes rgb; leave --colour bgr out"):
        choose_pixels("n.onnx", b"", own, colour="bgr")


def test_pixels_are_prepared_as_named() -> None:
    x = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 4)).astype(np.float32)
    found = Pixels(127.5, 128.0, is_bgr=True).prepare(x)
    for image in range(2):
        for channel in range(3):
            np.testing.assert_allclose(found[image, channel], (x[image, 2 - channel] - 127.5) / 128, rtol=1e-6)
    assert Pixels().prepare(x) is x


def test_each_channel_may_have_its_own_numbers() -> None:
    form = "minus123.675,116.28,103.53/58.395,57.12,57.375"
    x = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 4)).astype(np.float32)
    for colour in ("rgb", "bgr"):
        found = choose_pixels("n.onnx", network(), None, form, colour).prepare(x)
        for channel, (mean, deviation) in enumerate(((123.675, 58.395), (116.28, 57.12), (103.53, 57.375))):
            own = x[:, channel] if colour == "rgb" else x[:, 2 - channel]
            np.testing.assert_allclose(found[:, channel], (own - mean) / deviation, rtol=1e-5, atol=1e-5)
    one_mean = choose_pixels("n.onnx", network(), None, "minus127.5/58.395,57.12,57.375", "rgb").prepare(x)
    np.testing.assert_allclose(one_mean[1, 2], (x[1, 2] - 127.5) / 57.375, rtol=1e-5, atol=1e-5)
    for wrong in ("minus1,2/3", "minus1,2,3/1,0,1", "minus1,2,3,4/1"):
        with pytest.raises(ConfigError, match=r"write raw, or minusM/D .* \(three numbers each where channels differ"):
            choose_pixels("n.onnx", network(), None, wrong, "rgb")


@pytest.mark.parametrize("name", SHOWN)
def test_pixels_are_not_normalised_twice(name: str) -> None:
    content = network(*SHOWN[name])
    with pytest.raises(ConfigError, match=r"n.onnx: its graph already normalises .* minus127\.5/128 would do it twice"):
        choose_pixels("n.onnx", content, None, "minus127.5/128", "rgb")
    assert choose_pixels("n.onnx", content, None, "raw", "rgb") == Pixels()
