"""NetEmbedder against the same net applied to one image at a time."""

import numpy as np
import pytest

from fairface.data.array import ArrayDataset
from fairface.data.encoded import EncodedDataset
from fairface.data.images import encode_png
from fairface.embedding.mxnet import NetEmbedder
from fairface.errors import ConfigError, DataError
from fairface.mx import mx, nn

SIZE = 12


@pytest.fixture(scope="module")
def net():
    mx.random.seed(0)
    block = nn.HybridSequential()
    block.add(nn.Conv2D(4, 3, in_channels=3), nn.Flatten(), nn.Dense(5, in_units=4 * (SIZE - 2) ** 2))
    block.initialize(mx.init.Xavier(), ctx=[mx.cpu(0), mx.cpu(1)])
    block.hybridize(static_alloc=True, static_shape=True)
    return block


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (7, SIZE, SIZE, 3), np.uint8)


def one_by_one(net, images, flip):
    rows = []
    for image in images:
        views = [image, image[:, ::-1]] if flip else [image]
        inputs = [mx.nd.array(view.transpose(2, 0, 1)[None].astype(np.float32)) for view in views]
        rows.append(sum(net(x).asnumpy()[0].astype(np.float64) for x in inputs))
    return np.array(rows)


def test_views_are_joined_as_told(net, images):
    both = NetEmbedder(net, [mx.cpu()], 4, fuse=lambda original, flipped: np.concatenate([original, flipped], axis=1))
    size = NetEmbedder(net, [mx.cpu()], 4, flip=False).embed(images).shape[1]
    found = both.embed(images)
    np.testing.assert_allclose(found[:, :size] + found[:, size:], one_by_one(net, images, True), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[:, :size], one_by_one(net, images, False), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize(("batch_size", "devices"), [(3, 1), (7, 1), (64, 1), (4, 2), (3, 2), (1, 1)])
def test_embeddings_are_the_nets_in_order(net, images, flip, batch_size, devices):
    contexts = [mx.cpu(index) for index in range(devices)]
    embeddings = NetEmbedder(net, contexts, batch_size, flip).embed(images)
    expected = one_by_one(net, images, flip)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(embeddings, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_arrays_encoded_images_and_data_sets_give_the_same(net, images):
    embedder = NetEmbedder(net, [mx.cpu()], 4, show_progress=False)
    expected = embedder.embed(images)
    np.testing.assert_array_equal(embedder.embed([encode_png(image) for image in images]), expected)
    dataset = ArrayDataset(images, np.zeros(len(images), np.int32))
    np.testing.assert_array_equal(embedder.embed(dataset), expected)
    np.testing.assert_array_equal(embedder.embed(dataset.subset([5, 2])), embedder.embed(images[[5, 2]]))


def test_many_more_images_than_are_decoded_ahead_keep_their_order(net, images):
    chosen = np.random.default_rng(1).integers(0, len(images), 50)
    embedder = NetEmbedder(net, [mx.cpu()], 3, threads=4)
    expected = embedder.embed(images)[chosen]
    np.testing.assert_allclose(embedder.embed(images[chosen]), expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_every_batch_has_the_same_shape(images):
    class Spy(nn.Block):
        shapes: set[tuple[int, ...]]

        def forward(self, inputs):
            self.shapes.add(inputs.shape)
            return inputs.mean(axis=(2, 3))

    spy = Spy()
    spy.shapes = set()
    embeddings = NetEmbedder(spy, [mx.cpu(0), mx.cpu(1)], 4, flip=False).embed(images)
    assert spy.shapes == {(2, 3, SIZE, SIZE)}
    np.testing.assert_allclose(embeddings, images.mean(axis=(1, 2)), rtol=1e-5)


def test_images_that_cannot_be_embedded_are_named(net, images):
    embedder = NetEmbedder(net, [mx.cpu()], 2, image_size=SIZE)
    good = encode_png(images[0])
    with pytest.raises(DataError, match="image 2: not an image"):
        embedder.embed([good, good, b"no image", good])
    with pytest.raises(DataError, match=r"image 1: .* 10x12 pixels, not 12x12"):
        embedder.embed([good, encode_png(images[0][:, :10])])
    with pytest.raises(DataError, match=r"images are 10x12 pixels, but the net takes 12x12"):
        embedder.embed(images[:, :, :10])
    with pytest.raises(DataError, match="must be uint8"):
        embedder.embed(images.astype(np.float32))
    with pytest.raises(DataError, match="there are no images"):
        embedder.embed([])
    with pytest.raises(DataError, match="image 0: is 10x12 pixels, not square"):
        NetEmbedder(net, [mx.cpu()]).embed([encode_png(images[0][:, :10])])


@pytest.mark.parametrize(
    ("devices", "batch_size", "told"), [(0, 4, "needs a device; name one"), (1, 0, "a batch size of 1 or more, not 0")]
)
def test_devices_and_batch_size_must_make_sense(net, devices, batch_size, told):
    with pytest.raises(ConfigError, match=told):
        NetEmbedder(net, [mx.cpu()] * devices, batch_size)


def test_bad_records_are_named_and_the_rest_keeps_its_order(net, images):
    """Across the bounds of batches: the first, two in a row, the last."""
    files = [encode_png(image) for image in images]
    bad = (0, 3, 4, 6)
    broken = EncodedDataset([b"no image" if i in bad else file for i, file in enumerate(files)], "files")
    embedder = NetEmbedder(net, [mx.cpu()], 3, image_size=SIZE, show_progress=False)
    rows, kept, skipped = embedder.embed_readable(broken)
    assert kept.tolist() == [1, 2, 5]
    np.testing.assert_allclose(rows, one_by_one(net, images[[1, 2, 5]], True), rtol=1e-4, atol=1e-4)
    assert list(skipped) == [broken.name(i) for i in bad]
    assert all("not an image" in reason for reason in skipped.values())
    rows, kept, skipped = embedder.embed_readable(EncodedDataset(files, "files"))
    assert (len(rows), kept.tolist(), skipped) == (7, list(range(7)), {})
    with pytest.raises(DataError, match=r"none of its images can be read; one of them: .*not an image"):
        embedder.embed_readable(EncodedDataset([b"no", b"none"], "files"))
    with pytest.raises(DataError, match="there are no images to embed"):
        embedder.embed_readable(EncodedDataset([], "files"))
