"""A model by its name: image sizes, outputs, and what does not give one embedding for an image."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.errors import CheckpointError
from fairface.interop.models import image_size_of, load_graph, load_model
from fairface.mx import mx, nd

CPU = [mx.cpu()]
DATA = mx.sym.var("data")


def save(folder: Path, symbol: Any, **arrays: Any) -> str:
    symbol.save(f"{folder}/m-symbol.json")
    mx.nd.save(f"{folder}/m-0000.params", {f"arg:{name}": nd.array(values) for name, values in arrays.items()})
    return f"{folder}/m,0"


def dense(name: str = "fc1", x: Any = DATA, hidden: int = 2) -> Any:
    return mx.sym.FullyConnected(x, num_hidden=hidden, no_bias=True, name=name)


@pytest.mark.parametrize("side", [16, 32, 96, 112, 128, 496, 512])
def test_the_size_of_the_images_is_the_one_that_fits(tmp_path: Path, side: int) -> None:
    name = save(tmp_path, dense(), fc1_weight=np.zeros((2, 3 * side * side)))
    model = load_model(name, CPU)
    assert (model.image_size, model.embedding, model.name) == (side, 2, name)
    assert model.files == resolve(name)
    files = replace(resolve(name), manifest={"image_size": 80})
    assert image_size_of(files, load_graph(files)) == 80


@pytest.mark.parametrize("values", [3 * 24 * 24, 3 * 528 * 528, 16 * 16])
def test_where_no_size_fits_112_is_tried_and_told(tmp_path: Path, values: int) -> None:
    name = save(tmp_path, dense(), fc1_weight=np.zeros((2, values)))
    assert image_size_of(resolve(name), load_graph(resolve(name))) == 112
    with pytest.raises(CheckpointError, match=r"m-symbol\.json: does not take 112x112 RGB images \(.*\)$") as caught:
        load_model(name, CPU)
    assert "\n" not in str(caught.value)


def test_a_net_for_any_size_takes_112(tmp_path: Path) -> None:
    pooled = mx.sym.Flatten(mx.sym.Pooling(DATA, global_pool=True, kernel=(1, 1), pool_type="avg"))
    assert load_model(save(tmp_path, dense(x=pooled), fc1_weight=np.zeros((2, 3))), CPU).image_size == 112


WEIGHT = np.random.default_rng(0).normal(0, 1, (2, 3 * 16 * 16))


@pytest.mark.parametrize(("symbol", "shape"), [
    (mx.sym.Reshape(dense(), shape=(1, 2, 1, 1)), r"\(1, 2, 1, 1\)"),
    (mx.sym.Reshape(dense(), shape=(-1,)), r"\(2,\)"),
    (mx.sym.Reshape(dense(), shape=(2, 1)), r"\(2, 1\)"),
])  # fmt: skip
def test_what_is_not_one_embedding_for_an_image(tmp_path: Path, symbol: Any, shape: str) -> None:
    with pytest.raises(CheckpointError, match=rf"m-symbol\.json: gives {shape} for one image, not one embedding"):
        load_model(save(tmp_path, symbol, fc1_weight=WEIGHT), CPU)


@pytest.mark.parametrize(("names", "chosen"), [
    (("fc1", "fusion_fc1"), "fusion_fc1"), (("2048_fc1", "fc1"), "fc1"), (("other", "2048_fc1"), "2048_fc1"),
])  # fmt: skip
def test_among_several_outputs_the_one_that_is_called_an_embedding(
    tmp_path: Path, names: tuple[str, str], chosen: str
) -> None:
    rng = np.random.default_rng(1)
    arrays = {f"{name}_weight": rng.normal(0, 1, (2, 3 * 16 * 16)) for name in names}
    name = save(tmp_path, mx.sym.Group([dense(name) for name in names]), **arrays)
    graph = load_graph(resolve(name))
    assert graph.symbol.list_outputs() == [f"{chosen}_output"]
    assert set(graph.arrays) == {f"{chosen}_weight"}
    images = rng.uniform(0, 255, (3, 3, 16, 16))
    found = load_model(name, CPU).net(nd.array(images)).asnumpy()
    np.testing.assert_allclose(found, images.reshape(3, -1) @ arrays[f"{chosen}_weight"].T, rtol=1e-3, atol=1e-2)


def test_several_outputs_of_which_none_is_an_embedding(tmp_path: Path) -> None:
    name = save(tmp_path, mx.sym.Group([dense("a"), dense("b")]), a_weight=WEIGHT, b_weight=WEIGHT)
    with pytest.raises(CheckpointError, match=r"m-symbol\.json: has 2 outputs and none is fc1_output"):
        load_graph(resolve(name))


def test_names_with_colons_and_missing_parameters(tmp_path: Path) -> None:
    symbol = mx.sym.FullyConnected(DATA, mx.sym.var("net:fc"), num_hidden=2, no_bias=True, name="fc1")
    name = save(tmp_path, symbol, **{"net:fc": WEIGHT, "left:over": WEIGHT})
    assert list(load_graph(resolve(name)).arrays) == ["net:fc"]
    name = save(tmp_path, symbol, fc=WEIGHT)
    with pytest.raises(CheckpointError, match=r"m-0000\.params: has no net:fc, which .*m-symbol\.json needs"):
        load_graph(resolve(name))


def test_one_name_for_two_parameters(tmp_path: Path) -> None:
    name = save(tmp_path, dense())
    arrays = {"arg:fc1_weight": nd.zeros((2, 27)), "aux:fc1_weight": nd.ones((2, 27))}
    mx.nd.save(f"{tmp_path}/m-0000.params", arrays)
    with pytest.raises(CheckpointError, match=r"m-0000\.params: holds 'fc1_weight' twice, as arg: and as aux:"):
        load_model(name, CPU)


def test_parameters_have_no_gradient_and_keep_their_type(tmp_path: Path) -> None:
    model = load_model(save(tmp_path, dense(), fc1_weight=WEIGHT), CPU)
    (parameter,) = model.net.collect_params().values()
    assert (parameter.grad_req, parameter.dtype, parameter.shape) == ("null", np.float32, WEIGHT.shape)
    assert json.loads((tmp_path / "m-symbol.json").read_text())["heads"]
