import cv2
import numpy as np
import pytest

from fairface.comparisons import Comparisons
from fairface.data.images import encode_png
from fairface.errors import ConfigError
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig
from fairface.faces.landmarks import Landmarks, read_landmarks
from fairface.faces.mtcnn import MtcnnConfig
from fairface.faces.rescue import ANGLES, SIZES, find_or_rescue, last_resort, turned
from fairface.protocols.failed_images import read_failed_images
from unittests.faces.marks import WEIGHTS, MarkDetector, marked

MARKS = np.array([[70.0, 60.0], [130.0, 62.0], [101.0, 95.0]])


def tilted(degrees):
    """The marks turned about the photograph's middle, clockwise as one sees it."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (MARKS - 100) @ turn.T + 100


def test_what_is_detected_is_left_alone():
    detector = MarkDetector(lambda width, height, tilt: True)
    row = find_or_rescue(detector, marked(160, 200, MARKS), "a.png")
    assert (row.how, row.faces, row.score, detector.looked) == ("detected", 1, 0.75, [(200, 160)])


@pytest.mark.parametrize("longer", SIZES)
def test_forced_sizes_are_tried_in_turn(longer):
    detector = MarkDetector(lambda width, height, tilt: width == longer)
    row = find_or_rescue(detector, marked(160, 200, MARKS), "a.png")
    assert (row.image, row.how, row.faces) == ("a.png", "forced", 1)
    assert [size[0] for size in detector.looked[1:]] == list(SIZES[: SIZES.index(longer) + 1])
    assert detector.looked[-1] == (longer, round(longer * 0.8))
    np.testing.assert_allclose(row.points, WEIGHTS @ MARKS, atol=0.1)


@pytest.mark.parametrize(("degrees", "longer"), [(-15, 80), (15, 320), (-30, 160), (30, 640), (-45, 960), (45, 80)])
def test_turned_faces_come_back_to_their_place(degrees, longer):
    """A face that stands askew by ``degrees``, for a detector that sees level ones in large enough images."""
    marks = tilted(degrees)
    detector = MarkDetector(lambda width, height, tilt: abs(tilt - 1.9) < 2 and max(width, height) >= longer)
    row = find_or_rescue(detector, marked(190, 210, marks, sigma=5), "a.png")
    assert row.how == "rotated"
    np.testing.assert_allclose(row.points, WEIGHTS @ marks, atol=0.1)
    # Turning by +30 counter-clockwise levels what stands 30 clockwise; every angle before it was tried at all sizes.
    before = 1 + len(SIZES) * (1 + ANGLES.index(degrees))
    assert before < len(detector.looked) <= before + len(SIZES)


@pytest.mark.parametrize("angle", ANGLES)
def test_turning_keeps_every_corner(angle):
    image = np.zeros((40, 70, 3), np.uint8)
    grown, matrix = turned(image, angle)
    corners = np.array([[-0.5, -0.5, 1], [69.5, -0.5, 1], [-0.5, 39.5, 1], [69.5, 39.5, 1]]) @ matrix.T
    assert corners[:, :2].min() >= -0.5 - 1e-9
    assert (corners[:, :2].max(axis=0) <= np.array([grown.shape[1], grown.shape[0]]) - 0.5 + 1e-9).all()
    whole = cv2.getRotationMatrix2D((0, 0), angle, 1.0)  # OpenCV's word for which way is which
    np.testing.assert_allclose(matrix[:2, :2], whole[:, :2])


def test_nothing_is_found_after_fifty_looks():
    detector = MarkDetector(lambda width, height, tilt: False)
    row = find_or_rescue(detector, np.zeros((16, 20, 3), np.uint8), "a.png")
    assert row == Landmarks("a.png", 0, None, None, "cropped")
    assert len(detector.looked) == 1 + len(SIZES) * (1 + len(ANGLES)) == 50


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 30, 3), (300, 2, 3)])
def test_thin_photographs(shape):
    detector = MarkDetector(lambda width, height, tilt: False)
    assert find_or_rescue(detector, np.zeros(shape, np.uint8), "a.png").how == "cropped"
    assert (last_resort(np.full(shape, 9, np.uint8), 112) == np.full((112, 112, 3), 9)).all()


def test_crop_of_last_resort_takes_six_percent_off_each_side():
    image = np.zeros((100, 200, 3), np.uint8)
    image[6:94, 12:188] = 200
    assert (last_resort(image, 44) == 200).all()
    image[5, :], image[:, 11] = 90, 90  # one pixel further out
    assert (last_resort(image, 44) == 200).all()
    image[6, :] = 90
    assert last_resort(image, 44)[0].max() < 200


@pytest.fixture
def folder(tmp_path):
    """A photograph for each way, and one that cannot be read."""
    root = tmp_path / "photographs"
    root.mkdir()
    images = {
        "a level": marked(190, 240, MARKS),
        "b small": marked(190, 200, MARKS),
        "c askew": marked(190, 200, tilted(30)),
        "d blank": np.full((100, 200, 3), 77, np.uint8),
    }
    images["d blank"][:, :, 1] = 0
    for name, image in images.items():
        (root / f"{name}.png").write_bytes(encode_png(image))
    (root / "e bad.png").write_bytes(b"no image")
    return root


def by_width():
    return MarkDetector(lambda width, height, tilt: abs(tilt - 1.9) < 2 and width >= 240)


def test_a_folder_with_rescue(folder, tmp_path):
    out = tmp_path / "out"
    config = AlignConfig(rescue=True, format="png")
    report = align_folder(folder, out, config, detector=by_width(), jobs=4)
    assert (report.forced, report.rotated, report.cropped) == (("b small.png",), ("c askew.png",), ("d blank.png",))
    assert (report.aligned, report.no_face, len(report.unreadable)) == (3, (), 1)
    assert report.failed == ("b small.png", "c askew.png", "d blank.png")
    assert (out / "failures.txt").read_text().splitlines() == list(report.failed)
    rows = read_landmarks(out / "landmarks.csv")
    assert [row.how for row in rows.values()] == ["detected", "forced", "rotated", "cropped"]
    assert (rows["d blank.png"].faces, rows["d blank.png"].points) == (0, None)
    crop = cv2.imread(str(out / "d blank.png"), cv2.IMREAD_COLOR_RGB)
    assert (crop == (77, 0, 77)).all()
    assert crop.shape == (112, 112, 3)
    names = ("a level", "b small", "c askew", "d blank")
    a, b, unknown = np.array([0, 2]), np.array([1, 3]), np.array([-1, -1])
    pairs = Comparisons(a, b, a == 0, unknown.astype(np.int32), unknown, unknown, names=names)
    failed, strangers = read_failed_images(out / "failures.txt", pairs)
    assert (failed.tolist(), strangers) == ([False, True, True, True], [])


def test_a_rescued_folder_is_taken_up_again(folder, tmp_path):
    out, config = tmp_path / "out", AlignConfig(rescue=True, format="png")
    whole = align_folder(folder, out, config, detector=by_width())
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / "d blank.png").unlink()
    (out / "landmarks.csv").rename(out / ".landmarks.csv.journal")
    again = align_folder(folder, out, config, detector=by_width(), resume=True)
    assert (again.finished, again.aligned, again.failed) == (3, 0, whole.failed)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == files
    # Without rescue, the crop of last resort and the list go.
    plain = align_folder(folder, out, AlignConfig(format="png"), detector=by_width())
    assert plain.failed == plain.no_face == ("b small.png", "c askew.png", "d blank.png")
    assert sorted(path.name for path in out.glob("*.png")) == ["a level.png"]
    assert not (out / "failures.txt").exists()


def test_given_landmarks_and_rescue(folder, tmp_path):
    points = (WEIGHTS @ MARKS).astype(np.float32)
    rows = {"a level.png": Landmarks("a level.png", 1, 1.0, points)}
    rows["b small.png"] = Landmarks("b small.png", 1, 1.0, points, "forced")
    rows["d blank.png"] = Landmarks("d blank.png", 0, None, None, "cropped")
    rescued = align_folder(folder, tmp_path / "one", AlignConfig(rescue=True), landmarks=rows)
    assert (rescued.forced, rescued.cropped) == (("b small.png",), ("c askew.png", "d blank.png"))
    plain = align_folder(folder, tmp_path / "two", landmarks=rows)
    assert (plain.forced, plain.cropped, plain.no_face) == (("b small.png",), (), ("c askew.png", "d blank.png"))
    assert not (tmp_path / "two" / "d blank.jpg").exists()
    with pytest.raises(ConfigError, match="landmarks or a detector"):
        align_folder(folder, tmp_path / "three", landmarks=rows, detector=by_width())


def test_mtcnn_in_processes(tmp_path):
    root = tmp_path / "photographs"
    root.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    for name in "ab":
        (root / f"{name}.png").write_bytes(encode_png(noise))
    config = AlignConfig(rescue=True, detector=MtcnnConfig(min_face=400))
    report = align_folder(root, tmp_path / "out", config, jobs=2)
    assert report.cropped == ("a.png", "b.png")
