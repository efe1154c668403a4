"""The net of a written file against dlib's layers in float64 loops, and layers that make another network."""

import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.errors import CheckpointError
from fairface.interop.dlib.layers import chip_size
from fairface.interop.dlib.net import dlib_net
from fairface.interop.models import load_model
from fairface.interop.weights import blocks_in, weights_for
from fairface.mx import mx, nd
from unittests.interop.dlib.dlib_writer import TinyNet, pool, text, written


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "net.dat"
    path.write_bytes(TinyNet().content())
    return path


@pytest.fixture
def images():
    return np.random.default_rng(2).integers(0, 256, (2, 46, 46, 3), np.uint8)


@pytest.mark.parametrize(
    "units", [((2, False), (4, True), (4, True)), ((4, True), (4, False), (8, True)), ((2, True),)]
)
def test_embeddings_are_those_of_the_loops(tmp_path, images, units):
    tiny = TinyNet(units=units)
    (tmp_path / "net.dat").write_bytes(tiny.content())
    net = dlib_net(tmp_path / "net.dat")
    wanted = np.array([tiny.embedding(image) for image in images])
    assert np.abs(wanted[0] - wanted[1]).max() > 0.01
    inputs = nd.array(images.transpose(0, 3, 1, 2).astype(np.float32))
    np.testing.assert_allclose(net(inputs).asnumpy(), wanted, rtol=1e-4, atol=1e-5)
    net.hybridize()
    np.testing.assert_allclose(net(inputs).asnumpy(), wanted, rtol=1e-4, atol=1e-5)


def test_as_a_model_it_takes_its_own_size_and_layout(path, images):
    model = load_model(str(path), [mx.cpu()])
    assert (model.image_size, model.embedding, model.layout, chip_size(path)) == (46, 3, "dlib", 46)
    wanted = [TinyNet().embedding(image) for image in images]
    found = model.net(nd.array(images.transpose(0, 3, 1, 2).astype(np.float32))).asnumpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def changed(index, layer):
    layers = TinyNet().layers()
    layers[index] = layer
    return written(layers)


TINY = TinyNet().layers()


@pytest.mark.parametrize(("content", "message"), [
    (changed(2, text("add_prev_")), "has add_prev as its layer 3, not relu"),
    (changed(3, pool("max_pool", 2, 2)), r"has a max_pool with window, stride and padding \(\(2, 2\)"),
    (changed(-2, pool("avg_pool", 2, 2)), "has a avg_pool with window"),
    (changed(5, TINY[13]), r"has a convolution \(4, 2, 3, 3\) behind 2 channels"),
    (TinyNet(units=((4, False),)).content(), "has a shortcut from 2 to 4 channels"),
    (TinyNet(units=((6, True),)).content(), "has a shortcut from 2 to 6 channels"),
    (written(TINY[:6]), "ends in the middle of a unit"),
    (written([*TINY, text("relu_")]), "does not end with one embedding layer"),
    (written(TINY, 30), "halves images of 30 pixels more often than they last"),
])  # fmt: skip
def test_another_network_is_refused(path, content, message):
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"net\.dat: {message}.*it is not dlib's face recognition network"):
        dlib_net(path)


def test_nothing_is_trained_from_it(path):
    files = resolve(str(path))
    assert blocks_in(files) == {}
    with pytest.raises(CheckpointError, match=r"net\.dat: dlib's network is for scoring only; start from another"):
        weights_for(dlib_net(path), files)
