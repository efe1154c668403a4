"""MTCNN's and CenterFace's engines: ONNX Runtime against OpenCV, and what is no net."""

import cv2
import numpy as np
import pytest

from fairface.errors import DeviceError
from fairface.faces import cascade, onnx_net

NETS = {
    "pnet.onnx": (("conv2d_4", "softmax"), (1, 40, 33)), "rnet.onnx": (("dense_2", "softmax_1"), (5, 24, 24)),
    "onet.onnx": (("dense_5", "dense_6", "softmax_2"), (3, 48, 48)),
}  # fmt: skip


def values(shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (*shape, 3)).astype(np.float32)


@pytest.mark.parametrize("file", NETS)
def test_onnxruntime_gives_what_opencv_gives(file):
    pytest.importorskip("onnxruntime")
    outputs, shape = NETS[file]
    content = (cascade._nets_folder() / file).read_bytes()
    given = values(shape)
    net = cv2.dnn.readNetFromONNX(str(cascade._nets_folder() / file))
    net.setInput(given)
    expected = net.forward(outputs)
    for run in (onnx_net.run_by_onnxruntime, onnx_net.run_by_opencv):
        for found, wanted in zip(run(content, outputs, file)(given), expected, strict=True):
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_what_opencv_gives_outlives_the_next_input():
    outputs, shape = NETS["rnet.onnx"]
    run = onnx_net.run_by_opencv((cascade._nets_folder() / "rnet.onnx").read_bytes(), outputs, "rnet.onnx")
    first = run(values(shape))
    kept = [array.copy() for array in first]
    run(values(shape, seed=1))
    assert all(np.array_equal(a, b) for a, b in zip(first, kept, strict=True))


@pytest.mark.parametrize("there", [True, False])
def test_onnxruntime_runs_the_nets_where_it_is_installed(monkeypatch, there):
    ran = []
    monkeypatch.setattr(onnx_net, "find_spec", lambda name: object() if there and name == "onnxruntime" else None)
    monkeypatch.setattr(onnx_net, "run_by_onnxruntime", lambda content, outputs, name: ran.append("onnxruntime"))
    monkeypatch.setattr(onnx_net, "run_by_opencv", lambda content, outputs, name: ran.append("opencv"))
    onnx_net.load_net(cascade._nets_folder() / "pnet.onnx", NETS["pnet.onnx"][0], "no remedy")
    assert ran == ["onnxruntime" if there else "opencv"]


@pytest.mark.parametrize("run", [onnx_net.run_by_onnxruntime, onnx_net.run_by_opencv])
def test_no_net_and_another_net_are_told(run):
    content = (cascade._nets_folder() / "pnet.onnx").read_bytes()
    for bad in (b"", b"no net", content[: len(content) // 2]):
        with pytest.raises(DeviceError, match=r"p: no readable net|p: a net without softmax$"):
            run(bad, ("softmax",), "p")
    with pytest.raises(DeviceError, match="p: a net without dense_2, softmax_1"):
        run(content, NETS["rnet.onnx"][0], "p")


def test_a_missing_file_is_told_with_the_remedy(tmp_path):
    with pytest.raises(DeviceError, match=r"none\.onnx: cannot be read \(No such file or directory\); do that"):
        onnx_net.load_net(tmp_path / "none.onnx", ("a",), "do that")
    (tmp_path / "bad.onnx").write_bytes(b"no net")
    with pytest.raises(DeviceError, match=r"bad\.onnx: no readable net; do that"):
        onnx_net.load_net(tmp_path / "bad.onnx", ("a",), "do that")
