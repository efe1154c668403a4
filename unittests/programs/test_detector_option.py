"""``--detector`` and ``--count-faces`` of the programs: who looks, and what is refused in one line."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.drawn_faces import draw_face
from fairface.console import Console
from fairface.data.images import encode_png
from fairface.errors import ConfigError, MissingPackageError
from fairface.evaluation.crops import prepare_crops
from fairface.evaluation.request import Cropping
from fairface.faces import detectors
from fairface.faces.detect import Faces
from fairface.faces.landmarks import read_landmarks
from fairface.faces.point_list import read_point_list
from fairface.programs import align, inference, make_pts_list
from unittests.faces.marks import Fixed

POINTS = np.array([[40, 50], [75, 50], [57, 70], [42, 90], [72, 90]], np.float32)


@pytest.fixture
def photographs(tmp_path):
    """Two drawn faces on one photograph, nothing on the other."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    two = np.full((200, 320, 3), 90, np.uint8)
    two[:, :200] = draw_face(200)
    two[60:160, 210:310] = draw_face(100)
    for name, image in {"a.png": two, "b.png": np.zeros((120, 120, 3), np.uint8)}.items():
        (folder / name).write_bytes(encode_png(image))
    return folder


@pytest.fixture
def fixed(monkeypatch):
    """Stands for CenterFace: sees one face wherever it looks."""
    face = Faces(np.array([[30, 30, 90, 100]], np.float32), np.array([0.75], np.float32), POINTS[None])
    monkeypatch.setattr(detectors, "CenterFaceDetector", lambda: Fixed(face))
    monkeypatch.setattr(detectors, "centerface_net", lambda: b"")


@pytest.mark.parametrize(("options", "faces"), [([], None), (["--count-faces"], 2)])
def test_align_counts_on_request(photographs, tmp_path, options, faces):
    align.main([str(photographs), str(tmp_path / "out"), "--jobs", "1", "--quiet", *options])
    rows = read_landmarks(tmp_path / "out" / "landmarks.csv")
    assert (rows["a.png"].faces, rows["b.png"].faces) == (faces, 0)


@pytest.mark.parametrize(("name", "there"), [("centerface", ["a", "b"]), ("mtcnn,centerface", ["b"]), ("mtcnn", [])])
def test_align_and_the_point_list_look_with_who_is_named(photographs, fixed, tmp_path, name, there):
    align.main([str(photographs), str(tmp_path / "out"), "--jobs", "1", "--quiet", "--detector", name])
    rows = read_landmarks(tmp_path / "out" / "landmarks.csv")
    (tmp_path / "list.txt").write_text("a.png\nb.png\n")
    words = ["--img_list", "list.txt", "--pts_list", "points.txt", "--root", photographs, "--detector", name]
    make_pts_list.main([*(str(tmp_path / word) if str(word).endswith(".txt") else str(word) for word in words),
                        "--jobs", "1", "--quiet"])  # fmt: skip
    listed = read_point_list(tmp_path / "points.txt")
    for photograph in ("a", "b"):
        points = rows[f"{photograph}.png"].points
        same = points is not None and np.array_equal(points, POINTS)
        assert same == (photograph in there)
        if points is not None:
            np.testing.assert_allclose(listed[f"{photograph}.png"], points, atol=1e-2)


def test_the_final_evaluation_looks_with_who_is_named(photographs, fixed, tmp_path):
    pairs = SimpleNamespace(
        source=SimpleNamespace(folder=str(photographs), aligned=False), files=("a.png", "b.png"),
        counts=SimpleNamespace(ids=("a", "b")),
    )  # fmt: skip
    refused = SimpleNamespace(detector=lambda name: pytest.fail(f"{name} was taken for a RetinaFace model"))
    console = Console.of(SimpleNamespace(quiet=True, json=False))
    found = {}
    for name in ("", "centerface", "mtcnn,centerface"):
        crops = prepare_crops(pairs, tmp_path / f"work {name}", Cropping(detector=name, jobs=1), refused, console)
        found[name] = crops.failed
    assert found == {"": ("b",), "centerface": (), "mtcnn,centerface": ()}


def test_what_no_program_knows_is_refused(photographs, tmp_path):
    (tmp_path / "list.txt").write_text("a.png\n")
    points = ["--img_list", str(tmp_path / "list.txt"), "--pts_list", str(tmp_path / "points.txt")]
    with pytest.raises(ConfigError, match="detector is 'mtcn'; it must be mtcnn, centerface"):
        align.main([str(photographs), str(tmp_path / "out"), "--detector", "mtcn"])
    assert not (tmp_path / "out").exists()
    with pytest.raises(ConfigError, match="detector is 'R50'"):
        make_pts_list.main([*points, "--detector", "R50"])
    with pytest.raises(ConfigError, match=r"R50,0: a RetinaFace model runs in data_process/align\.py only"):
        make_pts_list.main([*points, "--detector", "R50,0"])
    with pytest.raises(ConfigError, match="detectors are mtcnn,mtcnn; name each once"):
        inference._detector(SimpleNamespace(detector="mtcnn,mtcnn", devices=""))


def test_the_comparison_of_photographs_takes_names_too(fixed):
    assert isinstance(inference._detector(SimpleNamespace(detector="centerface", devices="")), Fixed)
    assert inference._detector(SimpleNamespace(detector=None, devices="")).config.min_face == 20


def test_a_net_that_cannot_be_had_is_told_before_the_folder_is_made(photographs, tmp_path, monkeypatch):
    def missing():
        raise MissingPackageError("no net")

    monkeypatch.setattr(detectors, "centerface_net", missing)
    with pytest.raises(MissingPackageError, match="no net"):
        align.main([str(photographs), str(tmp_path / "out"), "--detector", "centerface", "--quiet"])
    assert not (tmp_path / "out").exists()
