"""fairface.inference: AdaFace's names, and the features that AdaFace's own network gives."""

import doctest
import inspect
from pathlib import Path

import cv2
import numpy as np
import pytest

import fairface.inference
from fairface import align, decide, embed, similarity
from fairface.embedding.thresholds import Thresholds, save_thresholds, weights_sum
from fairface.errors import CheckpointError, DataError
from fairface.inference import get_aligned_face, load_pretrained_model, to_input
from unittests.scoring.test_decision import POINTS
from unittests.small_models import FixedDetector, draw_people, export_linear

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def ada():
    return load_pretrained_model(str(FIXTURES / "adaface_ir.ckpt"), "cpu0")


@pytest.fixture
def expected():
    """Images, and the embeddings that PyTorch gave for them with AdaFace's network, on BGR from -1 to 1."""
    return np.load(FIXTURES / "adaface_ir.npz")


def test_features_and_norms_are_those_of_adafaces_network(ada, expected):
    x = np.concatenate([to_input(image.transpose(1, 2, 0)) for image in expected["images"]])
    feature, norm = ada(x)
    norms = np.sqrt((expected["embeddings"] ** 2).sum(1, keepdims=True))
    np.testing.assert_allclose(norm, norms, rtol=0, atol=1e-5)
    np.testing.assert_allclose(feature, expected["embeddings"] / norms, rtol=0, atol=1e-5)
    assert (feature.dtype, norm.dtype, feature.shape, norm.shape) == (np.float32, np.float32, (2, 8), (2, 1))
    np.testing.assert_allclose(ada(x[1:])[0], feature[1:], rtol=0, atol=1e-6)


def test_features_are_embeddings_without_flip_at_unit_length(ada, expected):
    images = expected["images"].transpose(0, 2, 3, 1)
    x = np.concatenate([to_input(image) for image in images])
    raw = embed(ada, images, flip=False)
    feature, norm = ada(x)
    np.testing.assert_allclose(feature * norm, raw, rtol=0, atol=1e-5)
    assert float(feature[0] @ feature[1]) == pytest.approx(similarity(*raw), abs=1e-6)


def test_many_inputs_go_in_steps(ada, expected):
    x = np.concatenate([to_input(image.transpose(1, 2, 0)) for image in expected["images"]])
    small = fairface.inference.PretrainedModel(ada.loaded, ada.contexts, batch_size=2)
    many, norms = small(np.tile(x, (3, 1, 1, 1))[:5])
    np.testing.assert_allclose(many, np.tile(ada(x)[0], (3, 1))[:5], rtol=0, atol=1e-6)
    assert norms.shape == (5, 1)


@pytest.mark.parametrize(("x", "message"), [
    (np.zeros((3, 32, 32)), r"shape \(3, 32, 32\); this model takes \(B, 3, 32, 32\)"),
    (np.zeros((1, 3, 112, 112)), r"shape \(1, 3, 112, 112\)"), (np.zeros((1, 32, 32, 3)), r"takes \(B, 3, 32, 32\)"),
    (np.zeros((0, 3, 32, 32)), r"shape \(0, 3, 32, 32\)"),
    (np.full((1, 3, 32, 32), -0.5), "from -0.5 to -0.5; this model"),
    (np.full((1, 3, 32, 32), 256.0), "takes RGB 0..255 and normalises it itself: use fairface.inference.to_input"),
    (np.full((1, 3, 32, 32), np.nan), "from nan to nan"),
])  # fmt: skip
def test_other_inputs_are_refused(ada, x, message):
    with pytest.raises(DataError, match=message):
        ada(x)


def test_to_input_keeps_colours_and_values():
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
    x = to_input(image)
    assert (x.shape, x.dtype) == ((1, 3, 4, 5), np.float32)
    assert all(x[0, c, i, j] == image[i, j, c] for c in range(3) for i in range(4) for j in range(5))
    from_pil = pytest.importorskip("PIL.Image").fromarray(image)
    np.testing.assert_array_equal(to_input(from_pil), x)
    for bad in (image[:, :, 0], image.astype(np.float32), image[None]):
        with pytest.raises(DataError, match="it must be uint8"):
            to_input(bad)


def test_aligned_faces_are_those_of_align(tmp_path):
    draw_people(tmp_path, people=1, images=1, size=150)
    path = tmp_path / "p0" / "0.png"
    wanted = align(path, detector=FixedDetector())
    np.testing.assert_array_equal(get_aligned_face(str(path), FixedDetector()), wanted)
    rgb = cv2.imread(str(path))[:, :, ::-1]
    np.testing.assert_array_equal(get_aligned_face(rgb, FixedDetector()), wanted)
    from_pil = pytest.importorskip("PIL.Image").fromarray(np.ascontiguousarray(rgb))
    np.testing.assert_array_equal(get_aligned_face(from_pil, FixedDetector()), wanted)
    assert get_aligned_face(rgb, FixedDetector(), size=96).shape == (96, 96, 3)
    with pytest.raises(DataError, match="no face found in 60x50 pixels"):
        get_aligned_face(np.zeros((50, 60, 3), np.uint8))


def test_a_kind_of_net_is_looked_for_in_pretrained(tmp_path, monkeypatch, expected, ada):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"^ir_50: is looked for in the folder pretrained"):
        load_pretrained_model()
    Path("pretrained").mkdir()
    Path("pretrained/adaface_ir50_ms1mv2.ckpt").write_bytes((FIXTURES / "adaface_ir.ckpt").read_bytes())
    model = load_pretrained_model(devices="cpu0")
    x = to_input(expected["images"][0].transpose(1, 2, 0))
    np.testing.assert_array_equal(model(x)[0], ada(x)[0])
    assert model.name == "pretrained/adaface_ir50_ms1mv2.ckpt"


def test_its_similarities_are_decided_without_flip(tmp_path):
    copy = tmp_path / "net.ckpt"
    copy.write_bytes((FIXTURES / "adaface_ir.ckpt").read_bytes())
    model = load_pretrained_model(str(copy), "cpu0")
    with pytest.raises(CheckpointError, match="no thresholds were saved with this model"):
        decide(0.6, model, flip=False)
    files = model.loaded.files
    save_thresholds(files, Thresholds(0, weights_sum(files), False, "lfw", "2026-01-31", POINTS))
    assert decide(0.6, model, flip=False) == "same"


def test_the_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fairface.faces.main_crop.MtcnnDetector", FixedDetector)
    export_linear("models/r50")
    draw_people(".", people=1, images=1, size=150)
    Path("p0/0.png").rename("ada.jpg")
    text = inspect.getdoc(fairface.inference).replace("((1, 512), (1, 1))", "((1, 64), (1, 1))")
    test = doctest.DocTestParser().get_doctest(text, {}, "fairface.inference", None, 0)
    told = []
    doctest.DocTestRunner().run(test, out=told.append)
    assert told == []
    assert len(test.examples) == 4
