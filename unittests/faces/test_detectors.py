"""Detectors by their names, and several one after the other."""

import json
import shutil

import numpy as np
import pytest

from benchmarks.drawn_faces import draw_face
from fairface.data.images import encode_png
from fairface.errors import ConfigError, DataError, MissingPackageError
from fairface.faces import detectors
from fairface.faces.centerface import CenterFaceConfig, CenterFaceDetector
from fairface.faces.detect import Faces, LimitedDetector, MainFaceDetector
from fairface.faces.detectors import FirstDetector, fetch_nets, make_detector, named_detectors
from fairface.faces.find import find_main
from fairface.faces.find_points import PointSearch, find_points
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig
from fairface.faces.landmarks import read_landmarks
from fairface.faces.mtcnn import MtcnnConfig, MtcnnDetector
from unittests.faces.marks import Fixed


@pytest.mark.parametrize(("text", "names"), [
    ("mtcnn", ("mtcnn",)), ("centerface", ("centerface",)), ("mtcnn,centerface", ("mtcnn", "centerface")),
    ("centerface, mtcnn", ("centerface", "mtcnn")), ("R50,0", None), ("models/centerface,3", None), ("a,b,12", None),
    ("mtcnn,0", None),
])  # fmt: skip
def test_names_and_models_are_told_apart(text, names):
    assert named_detectors(text) == names


@pytest.mark.parametrize("text", ["", "mtcn", "R50", "mtcnn,", "mtcnn,R50", "mtcnn,mtcnn", "retinaface"])
def test_other_spellings_are_refused(text):
    with pytest.raises(ConfigError, match=r"must be mtcnn, centerface, several|name each once"):
        named_detectors(text)
    for make in (lambda: AlignConfig(detectors=tuple(text.split(","))),
                 lambda: PointSearch(MtcnnConfig(), detectors=tuple(text.split(",")))):  # fmt: skip
        with pytest.raises(ConfigError, match="detector"):
            make()


def test_no_detector_at_all_is_refused():
    with pytest.raises(ConfigError, match="detectors are none; name each once"):
        make_detector((), MtcnnConfig())


@pytest.fixture
def blind_centerface(monkeypatch):
    """CenterFace without its net: it sees one face of 80 pixels, at one place."""
    box, points = np.array([[20, 20, 100, 100]], np.float32), np.arange(10, dtype=np.float32).reshape(1, 5, 2) ** 2
    face = Faces(box, np.array([0.75], np.float32), points)
    monkeypatch.setattr(detectors, "CenterFaceDetector", lambda: Fixed(face))
    monkeypatch.setattr(detectors, "centerface_net", lambda: b"")
    return face


def test_the_names_become_detectors_in_their_order(blind_centerface):
    assert isinstance(make_detector(("mtcnn",), MtcnnConfig(min_face=30)), MtcnnDetector)
    assert make_detector(("mtcnn",), MtcnnConfig(min_face=30)).config.min_face == 30
    assert isinstance(make_detector(("centerface",), MtcnnConfig()), Fixed)
    drawn, blank = draw_face(120), np.zeros((120, 120, 3), np.uint8)
    first, last = (make_detector(names, MtcnnConfig()) for names in (("mtcnn", "centerface"), ("centerface", "mtcnn")))
    mtcnn = MtcnnDetector().detect(drawn)
    np.testing.assert_array_equal(first.detect(drawn).landmarks, mtcnn.landmarks)
    np.testing.assert_array_equal(first.detect(blank).landmarks, blind_centerface.landmarks)
    np.testing.assert_array_equal(last.detect(drawn).landmarks, blind_centerface.landmarks)


def faces_at(*lefts):
    boxes = np.array([[left, 0, left + 20, 20] for left in lefts], np.float32).reshape(-1, 4)
    points = np.zeros((len(lefts), 5, 2), np.float32)
    return Faces(boxes, np.ones(len(lefts), np.float32), points)


def test_the_first_that_sees_a_face_counts():
    none, two, one = Fixed(faces_at()), Fixed(faces_at(0, 40)), Fixed(faces_at(7))
    rgb = np.zeros((20, 100, 3), np.uint8)
    chain = FirstDetector([none, two, one])
    assert isinstance(chain, MainFaceDetector)
    assert chain.detect(rgb).boxes[:, 0].tolist() == [0, 40]
    assert chain.detect_main(rgb).boxes[:, 0].tolist() == [40]
    assert (len(none.looked), len(two.looked), len(one.looked)) == (2, 2, 0)
    assert find_main(chain, rgb, "a.jpg").faces == 2
    assert find_main(chain, rgb, "a.jpg", count=False).faces is None
    assert len(FirstDetector([none, none]).detect(rgb)) == len(FirstDetector([none]).detect_main(rgb)) == 0


def test_limits_are_lifted_of_those_that_have_one():
    sizes = []

    def forward(pixels):
        sizes.append(pixels.shape[2:])
        return [np.zeros((1, count, pixels.shape[2] // 4, pixels.shape[3] // 4), np.float32) for count in (1, 2, 2, 10)]

    chain = FirstDetector([Fixed(Faces.none()), CenterFaceDetector(CenterFaceConfig(longest=64), forward)])
    assert isinstance(chain, LimitedDetector)
    chain.without_limit().detect(np.zeros((128, 96, 3), np.uint8))
    chain.detect(np.zeros((128, 96, 3), np.uint8))
    assert sizes == [(128, 96), (64, 64)]


def test_nets_are_fetched_before_the_work(monkeypatch):
    fetched = []
    monkeypatch.setattr(detectors, "centerface_net", lambda: fetched.append(1))
    fetch_nets(("mtcnn",))
    assert fetched == []
    fetch_nets(("mtcnn", "centerface"))
    assert fetched == [1]


@pytest.fixture
def photographs(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    blank = np.zeros((120, 120, 3), np.uint8)
    for name, image in {"a.png": draw_face(120), "b.png": blank}.items():
        (folder / name).write_bytes(encode_png(image))
    return folder


def test_a_folder_is_aligned_by_several_detectors(photographs, blind_centerface, tmp_path):
    config = AlignConfig(detectors=("mtcnn", "centerface"))
    report = align_folder(photographs, tmp_path / "out", config)
    assert (report.aligned, report.no_face) == (2, ())
    rows = read_landmarks(tmp_path / "out" / "landmarks.csv")
    np.testing.assert_allclose(rows["b.png"].points, blind_centerface.landmarks[0], atol=1e-3)
    assert (rows["a.png"].faces, rows["b.png"].faces) == (None, None)
    assert json.loads((tmp_path / "out" / "align.json").read_text())["detectors"] == ["mtcnn", "centerface"]
    with pytest.raises(DataError, match="other settings"):
        align_folder(photographs, tmp_path / "out", AlignConfig(detectors=("mtcnn",)), resume=True)
    search = PointSearch(MtcnnConfig(), detectors=config.detectors)
    found, problems = find_points(photographs, ["a.png", "b.png"], search)
    assert problems == {}
    for name, row in found.items():
        np.testing.assert_allclose(row.points, rows[name].points, atol=1e-3)


@pytest.mark.parametrize("count", [True, False])
def test_faces_are_counted_on_request(photographs, tmp_path, count):
    report = align_folder(photographs, tmp_path / "out", AlignConfig(count_faces=count))
    assert (report.aligned, report.no_face) == (1, ("b.png",))
    rows = read_landmarks(tmp_path / "out" / "landmarks.csv")
    assert (rows["a.png"].faces, rows["b.png"].faces) == (1 if count else None, 0)


def test_a_run_of_an_earlier_version_is_resumed_by_what_it_did(photographs, tmp_path):
    """Earlier versions always counted the faces."""
    out = tmp_path / "out"
    align_folder(photographs, out, AlignConfig(count_faces=True))
    settings = json.loads((out / "align.json").read_text())
    del settings["detectors"], settings["count_faces"]
    (out / "align.json").write_text(json.dumps(settings))
    with pytest.raises(DataError, match="other settings"):
        align_folder(photographs, out, AlignConfig(), resume=True)
    assert align_folder(photographs, out, AlignConfig(count_faces=True), resume=True).finished == 2


def test_a_net_that_cannot_be_had_stops_before_anything_is_written(photographs, tmp_path, monkeypatch):
    def missing():
        raise MissingPackageError("no net")

    monkeypatch.setattr(detectors, "centerface_net", missing)
    with pytest.raises(MissingPackageError, match="no net"):
        align_folder(photographs, tmp_path / "out", AlignConfig(detectors=("centerface",)), jobs=2)
    with pytest.raises(MissingPackageError, match="no net"):
        find_points(photographs, ["a.png"], PointSearch(MtcnnConfig(), detectors=("centerface",)))
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    with pytest.raises(ConfigError, match="landmarks or a detector"):
        align_folder(photographs, tmp_path / "out", landmarks={}, detector=MtcnnDetector())
