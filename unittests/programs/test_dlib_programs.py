"""A file of dlib's as the model of the programs: its own layout for photographs, ArcFace's crops adapted."""

import json

import cv2
import numpy as np
import pytest

from fairface import align, embed, load_model
from fairface.__main__ import main
from fairface.embedding.store import load_embeddings
from fairface.faces.align import TEMPLATE_112, adapted
from fairface.faces.align import align as align_pixels
from fairface.faces.aligned_files import AlignedFiles
from fairface.faces.landmarks import Landmarks, write_landmarks
from unittests.interop.dlib.dlib_writer import TinyNet
from unittests.small_models import FixedDetector, draw_people, export_linear

NAMES = [f"p{person}/{image}.png" for person in range(2) for image in range(2)]


def call(capsys, *words):
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    done = capsys.readouterr()
    return left.value.code, done.out, done.err


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "net.dat").write_bytes(TinyNet(size=150, units=((2, False), (4, True), (4, True))).content())
    draw_people(tmp_path / "photos", people=2, images=2, size=180)
    draw_people(tmp_path / "crops", people=2, images=2)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(params=["net.dat", "pack/model.onnx"])
def model_name(request, here, capsys):
    """dlib's own file, and the same network as ONNX."""
    if request.param != "net.dat":
        assert call(capsys, "export-onnx", "net.dat", "pack", "--quiet")[0] == 0
    return request.param


def pixels(name):
    return cv2.imread(name)[:, :, ::-1]


def test_photographs_are_aligned_in_the_models_own_layout(model_name, capsys, monkeypatch):
    monkeypatch.setattr("fairface.programs.inference.make_detector", lambda *_: FixedDetector())
    code, out, err = call(capsys, "inference", "--model", model_name, "photos", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["note"].endswith("cosines of two different people are about 0.8, so one that looks high may "
                                            "mean nothing")  # fmt: skip
    model = load_model(model_name)
    assert (model.image_size, model.layout, model.dimensions) == (150, "dlib", 3)
    chips = [align_pixels(pixels(f"photos/{name}"), TEMPLATE_112, 150, layout="dlib") for name in NAMES]
    faces = [align(f"photos/{name}", TEMPLATE_112, model=model) for name in NAMES]
    np.testing.assert_array_equal(faces, chips)
    rows = embed(model, faces).astype(float)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(json.loads(out)["similarity"], unit @ unit.T, atol=1e-6)
    points = np.tile(TEMPLATE_112, (4, 1, 1))
    files = AlignedFiles("photos", NAMES, points, model.image_size, model.layout)  # as of IJB
    np.testing.assert_array_equal(files.decoded(1), chips[1])


def test_crops_of_arcfaces_layout_are_adapted_however_they_come(here, model_name, capsys):
    model = load_model(model_name)
    crops = [pixels(f"crops/{name}") for name in NAMES]
    wanted = embed(model, [adapted(crop, 150, "dlib") for crop in crops])
    np.testing.assert_allclose(wanted, embed(load_model("net.dat"), crops), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(embed(model, crops), wanted)
    np.testing.assert_array_equal(embed(model, [(here / "crops" / name).read_bytes() for name in NAMES]), wanted)
    code, _, err = call(capsys, "embed", model_name, "--data", "crops", "--output", "crops.npz", "--quiet")
    assert (code, err) == (0, "")
    np.testing.assert_allclose(load_embeddings("crops.npz").embeddings, wanted, atol=1e-6)
    code, out, _ = call(capsys, "inference", "--model", model_name, "crops", "--aligned", "--json", "--quiet")
    unit = wanted / np.linalg.norm(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(json.loads(out)["similarity"], unit @ unit.T, atol=1e-5)
    cv2.imwrite("crops/p0/0.png", np.zeros((150, 112, 3), np.uint8))
    code, _, err = call(capsys, "embed", model_name, "--data", "crops", "--output", "crops.npz", "--quiet")
    assert code == 2
    assert "p0/0.png: the image is 112x150 pixels, not 150x150; align it" in err


def test_a_folder_is_aligned_for_it(here, capsys):
    points = np.rint(TEMPLATE_112) + 20
    write_landmarks("points.csv", [Landmarks(name, 1, 1.0, points) for name in NAMES])
    words = ["align", "photos", "chips", "--landmarks", "points.csv", "--format", "png", "--jobs", 1, "--quiet"]
    assert call(capsys, *words, "--layout", "dlib")[0] == 0
    for name in NAMES:
        wanted = align_pixels(pixels(f"photos/{name}"), points, 150, layout="dlib")
        np.testing.assert_array_equal(pixels(f"chips/{name}"), wanted)
    code, out, _ = call(capsys, "verification", "--model", "net.dat", "--set", "chips", "--json", "--quiet")
    assert code == 0
    assert [json.loads(out)["results"]["chips"][key] for key in ("genuine", "impostor")] == [2, 4]
    code, _, err = call(capsys, *words, "--layout", "dlib", "--size", 112)
    assert (code, err) == (2, "error: size is 112; crops for dlib's net have 150 pixels\n")
    code, _, err = call(capsys, *words, "--resume")  # of the other layout
    assert code == 2
    assert "the run to be resumed had other settings" in err


@pytest.mark.parametrize(("hard", "size"), [("", 150), ("linear,0", 112)])
def test_the_evaluation_takes_its_layout_unless_another_model_needs_arcfaces(
    here, model_name, capsys, monkeypatch, hard, size
):
    monkeypatch.setattr("fairface.interop.detector.load_retinaface", lambda name, context: FixedDetector())
    if hard:
        export_linear("linear")
    (here / "flat").mkdir()
    for name in NAMES:  # a photograph's id is its name without the folder
        (here / "photos" / name).rename(here / "flat" / name.replace("/", "_"))
    words = ["evaluate", "--photos", "flat", "--model", model_name, "--detector", "R50,0", "--output", "out",
             "--jobs", 1, "--no-rerank", "--no-cut", "--quiet", *(["--hard-model", hard] if hard else [])]  # fmt: skip
    code, _, err = call(capsys, *words)
    assert (code, err) == (0, "")
    found = pixels("out/aligned/p0_0.png")
    layout = "dlib" if size == 150 else "arcface"
    np.testing.assert_array_equal(found, align_pixels(pixels("flat/p0_0.png"), TEMPLATE_112, size, layout=layout))


def test_what_is_refused(here, capsys):
    (here / "bad.dat").write_bytes((here / "net.dat").read_bytes()[:1000])
    code, out, err = call(capsys, "embed", "bad.dat", "--data", "crops", "--output", "bad.npz", "--quiet")
    assert (code, out) == (2, "")
    assert err.startswith("error: bad.dat: the file ends too early (at byte ")
    assert err.count("\n") == 1
    code, _, err = call(capsys, "export", "net.dat", "plain")
    assert code == 2
    assert "net.dat: dlib's network takes faces in a layout of its own" in err
    assert not list(here.glob("plain*"))
