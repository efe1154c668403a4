"""The layers of a written network, and files that are cut off, damaged or of something else."""

import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.interop.dlib import layers
from fairface.interop.dlib.layers import read_layers
from unittests.interop.dlib.dlib_writer import MEAN, TinyNet, affine, convolution, dense, real, text, whole, written

UNIT = ["tag", "con", "affine", "relu", "con", "affine"]
END = ["add_prev", "relu"]
DOWN = [*UNIT, "tag", "tag", "avg_pool", *END]


@pytest.mark.parametrize("newer", [False, True])
def test_the_layers_of_a_written_network(tmp_path, newer):
    net = TinyNet(newer=newer)
    (tmp_path / "net.dat").write_bytes(net.content())
    found = read_layers(tmp_path / "net.dat")
    assert [layer.kind for layer in found] == [
        "input_rgb_image_sized", "con", "affine", "relu", "max_pool", *UNIT, *END, *DOWN, *DOWN, "avg_pool", "fc"
    ]  # fmt: skip
    assert (found[0].mean, found[0].size) == (MEAN, (46, 46))
    np.testing.assert_array_equal(found[1].weights, net.arrays["stem.w"])
    np.testing.assert_array_equal(found[1].bias, net.arrays["stem.bias"])
    np.testing.assert_array_equal(found[2].weights, net.arrays["stem.gamma"])
    np.testing.assert_array_equal(found[2].bias, net.arrays["stem.beta"])
    np.testing.assert_array_equal(found[-1].weights, net.arrays["fc"])
    assert [(found[i].window, found[i].stride, found[i].padding) for i in (1, 6, 14, 4)] == [
        ((7, 7), (2, 2), (0, 0)), ((3, 3), (1, 1), (1, 1)), ((3, 3), (2, 2), (0, 0)), ((3, 3), (2, 2), (0, 0))
    ]  # fmt: skip


def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path):
    content, path = TinyNet().content(), tmp_path / "net.dat"
    for end in [*range(0, 400, 3), *range(400, len(content), 97), len(content) - 1]:
        path.write_bytes(content[:end])
        with pytest.raises(CheckpointError, match=r"net\.dat: the file ends too early \(at byte"):
            read_layers(path)


def test_a_changed_byte_is_refused_or_another_weight(tmp_path):
    content, path, rng = TinyNet().content(), tmp_path / "net.dat", np.random.default_rng(1)
    told = []
    for at in rng.integers(0, len(content), 100):
        path.write_bytes(content[:at] + bytes([content[at] ^ int(rng.integers(1, 256))]) + content[at + 1 :])
        try:
            read_layers(path)
        except CheckpointError as error:
            told.append(str(error))
    assert len(told) > 5
    assert all(message.startswith(f"{path}: ") for message in told)


ONE, TWO = np.ones((2, 3, 7, 7)), np.ones(2)


@pytest.mark.parametrize(("content", "message"), [
    (b"", "the file ends too early"),
    (b"\x89PNG\r\n\x1a\n", "no number stands"),
    (b"PK\x03\x04" + bytes(100), "no number stands"),
    (TinyNet().content() + b"0", "the file goes on after its last layer"),
    (written(TinyNet().layers(), loss=text("loss_mmod_")), "the loss is 'loss_mmod_', not loss_metric"),
    (written([text("prelu_")]), "the layer 'prelu_' is unknown here"),
    (written([text("relu_2") + b"1"]), "a ReLU is disabled"),
    (written([convolution(ONE, np.ones(3), 2, 0)]), "a convolution of 2 filters"),
    (written([convolution(ONE, TWO, 2, 0, "con_5")[:-1] + b"0"]), "a convolution has no bias"),
    (written([affine(TWO, TWO, "affine_2")[:-1] + b"1"]), "an affine layer is disabled"),
    (written([affine(TWO, np.ones(3))]), "an affine layer of"),
    (written([dense(np.ones((2, 3))).replace(whole(1) + 4 * real(1.0), whole(0) + 4 * real(1.0))]),
     "the embedding layer of 2 x 3 has 6 weights, or a bias"),
    (whole(1) + text("loss_metric_") + 2001 * whole(2), "more than 2000 layers"),
])  # fmt: skip
def test_other_files_are_refused_in_one_line(tmp_path, content, message):
    (tmp_path / "net.dat").write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"net\.dat: ({message})") as told:
        read_layers(tmp_path / "net.dat")
    assert "\n" not in str(told.value)


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(CheckpointError, match=r"none\.dat: cannot be read \(No such file"):
        read_layers(tmp_path / "none.dat")
    monkeypatch.setattr(layers, "_LARGEST_FILE", 10)
    (tmp_path / "net.dat").write_bytes(bytes(11))
    with pytest.raises(CheckpointError, match="is larger than"):
        read_layers(tmp_path / "net.dat")
