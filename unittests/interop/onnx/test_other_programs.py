"""An export in other people's programs, unchanged: OpenCV's FaceRecognizerSF and insightface."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from unittests.interop.dlib.dlib_writer import TinyNet
from unittests.interop.onnx.nets import random_net, run, unit

SIZE = 112
NET = "fresnet18"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an export with PReLUs and folded BatchNorms."""
    from fairface.graph.export import write_deploy
    from fairface.programs.export_onnx import main

    folder = tmp_path_factory.mktemp("exported")
    write_deploy(random_net(NET, SIZE)[1], str(folder / "net"))
    main([f"{folder / 'net'},0", str(folder / "my_pack"), "--quiet"])
    return folder / "my_pack"


@pytest.fixture(scope="module")
def picture(exported: Path) -> Any:
    """The self-check's image as OpenCV reads it (BGR), and the direction of its embedding."""
    embedding = np.load(exported / "self_check.npy").astype(np.float64)
    return cv2.imread(str(exported / "self_check.png")), embedding / np.linalg.norm(embedding)


def test_opencv_face_recognizer_gives_the_self_checks_embedding(exported: Path, picture: Any) -> None:
    bgr, expected = picture
    recognizer = cv2.FaceRecognizerSF.create(str(exported / "model.onnx"), "")
    found = recognizer.feature(bgr)
    np.testing.assert_allclose(unit(found)[0], expected, atol=1e-4)
    wrong = unit(recognizer.feature(np.ascontiguousarray(bgr[..., ::-1])))[0]
    assert np.abs(wrong - expected).max() > 1e-3  # channels are told apart
    assert recognizer.match(found, found, cv2.FaceRecognizerSF_FR_COSINE) == pytest.approx(1.0, abs=1e-6)


def test_insightface_loads_it_by_file_and_by_package(exported: Path, picture: Any) -> None:
    pytest.importorskip("insightface", reason="insightface is not installed: pip install '.[interop-tests]'")
    from insightface.model_zoo import get_model
    from insightface.model_zoo.arcface_onnx import ArcFaceONNX

    bgr, expected = picture
    providers = ["CPUExecutionProvider"]
    models = [
        get_model(str(exported / "model.onnx"), providers=providers),
        get_model(str(exported), model_task="recognition", providers=providers),
        ArcFaceONNX(str(exported / "model.onnx")),
    ]
    for model in models:
        assert isinstance(model, ArcFaceONNX)
        assert (model.input_mean, model.input_std, model.input_size) == (0.0, 1.0, (SIZE, SIZE))
        np.testing.assert_allclose(unit(model.get_feat(bgr))[0], expected, atol=1e-5)
        two = model.get_feat([bgr, bgr[:, ::-1].copy()])
        np.testing.assert_allclose(unit(two)[0], expected, atol=1e-5)


def test_insightface_rule_of_names_is_met_by_the_rule_itself(exported: Path) -> None:
    """As insightface reads it: ``Sub…`` or ``_minus…`` and ``Mul…`` or ``_mul…`` at first: not once more."""
    import onnx

    names = [node.name for node in onnx.load(exported / "model.onnx").graph.node[:8]]
    assert any(name.startswith(("Sub", "_minus")) for name in names)
    assert any(name.startswith(("Mul", "_mul")) for name in names)
    manifest = json.loads((exported / "manifest.json").read_text())
    assert manifest["tasks"]["recognition"]["preprocessing"] == "embedded"


def test_pixels_that_are_normalised_twice_would_be_noticed(exported: Path, picture: Any) -> None:
    """What insightface would do to a file with other names gives another embedding: the test above is no formality."""
    import onnx

    bgr, expected = picture
    blob = cv2.dnn.blobFromImage(bgr, 1 / 127.5, (SIZE, SIZE), (127.5, 127.5, 127.5), swapRB=True)
    found = unit(run(onnx.load(exported / "model.onnx"), blob))[0]
    assert found @ expected < 0.9


@pytest.fixture(scope="module")
def dlibs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an export of a net that takes dlib's chips."""
    from fairface.programs.export_onnx import main

    folder = tmp_path_factory.mktemp("dlib")
    (folder / "net.dat").write_bytes(TinyNet(size=150).content())
    main([str(folder / "net.dat"), str(folder / "pack"), "--quiet"])
    return folder / "pack"


def test_programs_that_align_otherwise_do_not_take_dlibs_network(dlibs: Path) -> None:
    import onnx

    assert not list(dlibs.glob("*.json"))  # insightface's manifest would make it a recogniser
    side = onnx.load(dlibs / "model.onnx").graph.input[0].type.tensor_type.shape.dim[2].dim_value
    assert (side, side % 16) == (150, 6)  # without one insightface takes multiples of 16
    with pytest.raises(cv2.error):  # OpenCV gives its crops of 112 pixels to any network
        cv2.FaceRecognizerSF.create(str(dlibs / "model.onnx"), "").feature(np.zeros((112, 112, 3), np.uint8))


def test_insightface_does_not_take_dlibs_network(dlibs: Path) -> None:
    pytest.importorskip("insightface", reason="insightface is not installed: pip install '.[interop-tests]'")
    from insightface.model_zoo import get_model

    assert get_model(str(dlibs / "model.onnx"), providers=["CPUExecutionProvider"]) is None
