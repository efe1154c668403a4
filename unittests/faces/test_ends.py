"""Settings and photographs at the ends of what is allowed: every limit is the last value that works."""

import os

import cv2
import numpy as np
import pytest

from fairface.data.images import decode, encode_png
from fairface.errors import ConfigError, DataError
from fairface.faces.align import align, similarity
from fairface.faces.align_report import AlignReport, names_by_way, write_lists
from fairface.faces.boxes import cells_to_boxes, cut, pyramid_scales, squares, suppress
from fairface.faces.choose import main_face
from fairface.faces.detect import Faces
from fairface.faces.find import find_faces
from fairface.faces.find_points import PointSearch, find_points
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig
from fairface.faces.journal import Journal
from fairface.faces.landmarks import Landmarks
from fairface.faces.mtcnn import MtcnnConfig
from fairface.faces.photographs import list_photographs, read_photograph
from fairface.faces.point_list import read_point_list
from fairface.faces.rescue import last_resort, resized
from fairface.faces.retinaface import RetinaFaceConfig, RetinaFaceDetector, output_shapes
from unittests.faces.marks import WEIGHTS, MarkDetector, marked

WAYS = ("forced", "rotated", "forced")
LIMITS = {"size": (16, 1024), "quality": (1, 100), "enlarge": (0.1, 16), "border": (0, 1000)}


@pytest.mark.parametrize("key", LIMITS)
def test_alignment_settings_reach_from_end_to_end(key):
    low, high = LIMITS[key]
    for value in (low, high):
        assert getattr(AlignConfig(**{key: value}), key) == value
    step = 0.01 if key == "enlarge" else 1
    for value in (low - step, high + step):
        with pytest.raises(ConfigError, match=rf"{key} is .* must lie between {low} and {high}"):
            AlignConfig(**{key: value})


def test_alignment_settings_where_nothing_is_set():
    config = AlignConfig()
    assert (config.size, config.format, config.quality, config.fill) == (112, "jpg", 95, "black")
    assert (config.enlarge, config.border, config.rescue) == (1.0, 0, False)
    assert config.detector == MtcnnConfig(min_face=20.0, factor=0.709, thresholds=(0.6, 0.7, 0.9))
    search = PointSearch(MtcnnConfig())
    assert (search.enlarge, search.border) == (1.0, 0)


def test_detector_settings_reach_from_end_to_end():
    assert MtcnnConfig(min_face=12, factor=0.999, thresholds=(0.0, 0.0, 0.999)).min_face == 12
    for thresholds in ((0.5, 0.5, 1.0), (-0.1, 0.5, 0.5), (0.5,) * 4):
        with pytest.raises(ConfigError, match="thresholds"):
            MtcnnConfig(thresholds=thresholds)
    for wrong in ({"min_face": 11.9}, {"factor": 0.0}):
        with pytest.raises(ConfigError):
            MtcnnConfig(**wrong)
    assert RetinaFaceConfig(longest=32, threshold=0.001, overlap=0.999).longest == 32
    assert RetinaFaceConfig(longest=None).longest is None
    for wrong in ({"longest": 31}, {"threshold": 1}, {"overlap": 0}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            RetinaFaceConfig(**wrong)


def test_a_net_sees_faces_as_small_as_the_shorter_side():
    assert pyramid_scales(20, 50, min_face=20, factor=0.5) == [12 / 20]
    assert pyramid_scales(50, 20, min_face=20, factor=0.5) == [12 / 20]
    assert pyramid_scales(24, 24, min_face=12, factor=0.5) == [1.0, 0.5]


def test_a_cell_at_the_threshold_and_the_first_cell_count():
    probability = np.array([[0.5, 0.25]], np.float32)
    boxes, scores, _ = cells_to_boxes(probability, np.zeros((1, 2, 4), np.float32), scale=1.0, threshold=0.25)
    assert boxes.tolist() == [[0, 0, 12, 12], [2, 0, 14, 12]]
    assert scores.tolist() == [0.5, 0.25]


def test_boxes_that_overlap_by_just_the_threshold_or_touch_stay():
    boxes = np.array([[0, 0, 10, 10], [0, 5, 10, 10], [10, 0, 20, 10]], np.float32)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert suppress(boxes, scores, 0.5).tolist() == [0, 1, 2]  # half of the union
    assert suppress(boxes, scores, 0.49).tolist() == [0, 2]
    assert suppress(boxes, scores, 0.5, by_smaller=True).tolist() == [0, 2]  # all of the smaller
    assert suppress(boxes, scores, 1.0, by_smaller=True).tolist() == [0, 1, 2]
    assert suppress(boxes[:2], np.array([0.5, 0.5], np.float32), 0.1).tolist() == [0]  # of equals the first


def test_a_square_has_a_pixel_and_is_cut_where_it_leaves_the_image_on_any_side():
    assert squares(np.array([[3, 3, 3, 3]], np.float32)).tolist() == [[2, 2, 3, 3]]
    image = np.random.default_rng(0).integers(1, 255, (8, 9, 3), np.uint8)
    for left, top in ((-2, 3), (3, -2), (6, 2), (2, 5), (0, 0), (5, 4), (-4, 0), (9, 0)):
        expected = np.zeros((4, 4, 3), np.uint8)
        for y in range(4):
            for x in range(4):
                if 0 <= top + y < 8 and 0 <= left + x < 9:
                    expected[y, x] = image[top + y, left + x]
        np.testing.assert_array_equal(cut(image, np.array([left, top, left + 4, top + 4]), 4), expected)


def test_the_main_face_of_a_wide_photograph_is_measured_from_its_own_middle():
    """Width and height apart: the middle of 200 x 100 is (100, 50)."""
    boxes = np.array([[90, 40, 110, 60], [40, 90, 60, 110]], np.float32)
    faces = Faces(boxes, np.ones(2, np.float32), np.zeros((2, 5, 2), np.float32))
    assert main_face(faces, 200, 100) == 0
    assert main_face(faces, 100, 200) == 1


@pytest.mark.parametrize(("enlarge", "border"), [(1.0, 0), (1.0, 7), (2.0, 0), (0.5, 3), (1.3, 11)])
def test_marks_are_found_at_their_place_in_a_copy_of_any_size(enlarge, border):
    marks = np.array([[30.0, 20.0], [60.0, 22.0], [45.0, 40.0]])
    detector = MarkDetector(lambda width, height, tilt: True)
    faces = find_faces(detector, marked(60, 90, marks, sigma=3), enlarge, border)
    assert detector.looked == [(round(90 * enlarge) + 2 * border, round(60 * enlarge) + 2 * border)]
    np.testing.assert_allclose(faces.landmarks[0], WEIGHTS @ marks, atol=0.3)


@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (50, 50), (1, 200)])
@pytest.mark.parametrize("longer", [20, 60, 100])
def test_a_copy_has_the_longer_side_that_is_asked_for_and_its_matrix_leads_to_it(shape, longer):
    image = np.zeros((*shape, 3), np.uint8)
    copy, matrix = resized(image, longer)
    scale = longer / max(shape)
    assert copy.shape[:2] == tuple(max(round(side * scale), 1) for side in shape)
    corners = np.array([[-0.5, -0.5, 1], [shape[1] - 0.5, shape[0] - 0.5, 1]]) @ matrix.T
    expected = [[-0.5, -0.5, 1], [copy.shape[1] - 0.5, copy.shape[0] - 0.5, 1]]
    np.testing.assert_allclose(corners, expected, atol=1e-9)


def test_the_last_resort_is_averaged_where_it_shrinks():
    image = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
    middle = image[6:94, 6:94]
    expected = middle.reshape(44, 2, 44, 2, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(last_resort(image, 44) - expected).max() <= 0.5
    np.testing.assert_array_equal(last_resort(image, 88), middle)
    larger = cv2.resize(middle, (176, 176), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(last_resort(image, 176), larger)


def test_a_net_that_gives_other_shapes_is_refused_and_the_right_ones_are_named():
    shapes = output_shapes(64, 96)
    assert shapes == [(1, 4, 2, 3), (1, 8, 2, 3), (1, 20, 2, 3), (1, 4, 4, 6), (1, 8, 4, 6), (1, 20, 4, 6),
                      (1, 4, 8, 12), (1, 8, 8, 12), (1, 20, 8, 12)]  # fmt: skip
    right = [np.zeros(shape, np.float32) for shape in shapes]
    assert len(RetinaFaceDetector(lambda pixels: right).detect(np.zeros((64, 65, 3), np.uint8))) == 0
    with pytest.raises(ValueError, match="must give"):
        RetinaFaceDetector(lambda pixels: right[:8]).detect(np.zeros((64, 65, 3), np.uint8))


def test_points_in_a_line_can_be_aligned_and_the_crop_has_any_size():
    line = np.stack([np.arange(5.0), np.arange(5.0)], axis=1)
    assert np.isfinite(similarity(line)).all()
    assert align(np.zeros((9, 9, 3), np.uint8), line + 2, size=16).shape == (16, 16, 3)
    for bad in (np.zeros((5, 3)), [[0, 1]] * 5):
        with pytest.raises(DataError):
            similarity(bad)


def test_points_just_inside_the_largest_photograph(tmp_path):
    (tmp_path / "p.txt").write_text("a.jpg " + " ".join(["999999"] * 9 + ["-999999"]) + " 1\n")
    assert read_point_list(tmp_path / "p.txt")["a.jpg"][4].tolist() == [999999, -999999]
    (tmp_path / "p.txt").write_text("a.jpg " + " ".join(["1"] * 9 + ["1000000"]) + "\n")
    with pytest.raises(DataError, match="line 1 is"):
        read_point_list(tmp_path / "p.txt")


def test_photographs_are_told_apart_from_other_and_hidden_files(tmp_path):
    for name in ("b.JPG", "a.png", ".hidden.jpg", "notes.txt", "deep/c.jpeg", ".folder/d.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list_photographs(tmp_path) == (["a.png", "b.JPG", "deep/c.jpeg"], ("notes.txt",))
    (tmp_path / "odd\n.jpg").touch()
    with pytest.raises(DataError, match="cannot be written to a list"):
        list_photographs(tmp_path)


def test_a_photograph_is_rgb_whatever_it_was(tmp_path):
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    np.testing.assert_array_equal(read_photograph(tmp_path / "grey.png", "x"), np.stack([grey] * 3, axis=2))
    with pytest.raises(DataError, match=r"^a name: "):
        read_photograph(tmp_path / "missing.png", "a name")


def test_rows_come_back_from_a_journal_and_not_without_resuming(tmp_path):
    points = np.arange(10, dtype=np.float32).reshape(5, 2)
    first, second = Landmarks("a.jpg", 1, 0.5, points), Landmarks("b.jpg", 0, None, None)
    with Journal(tmp_path, "t.csv", resume=False) as journal:
        journal.add([first])
        assert list(Journal(tmp_path, "t.csv", resume=True).rows) == ["a.jpg"]  # on disk before the block ends
        journal.add([second])
    with Journal(tmp_path, "t.csv", resume=True) as again:
        assert list(again.rows) == ["a.jpg", "b.jpg"]
        again.add([Landmarks("c.jpg", 0, None, None)])
    assert (tmp_path / ".t.csv.journal").read_text().count("image,") == 1  # one head
    assert list(Journal(tmp_path, "t.csv", resume=True).rows) == ["a.jpg", "b.jpg", "c.jpg"]
    (tmp_path / "t.csv").touch()
    assert Journal(tmp_path, "t.csv", resume=False).rows == {}
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="with block"):
        Journal(tmp_path, "t.csv", resume=False).add([first])


def test_lists_hold_what_they_say_and_go_when_there_is_nothing_to_say(tmp_path):
    points = np.ones((5, 2), np.float32)
    rows = {name: Landmarks(name, 1, None, points, how) for name, how in zip("zmc", WAYS, strict=True)}
    rows |= {"a": Landmarks("a", 0, None, None), "b": Landmarks("b", 0, None, None, "cropped")}
    assert names_by_way(rows) == {"forced": ("c", "z"), "none": ("a",), "rotated": ("m",), "cropped": ("b",)}
    report = AlignReport(9, 4, 1, ("a",), (("x", "torn"),), 2, 3, ("c", "z"), ("m",), ("b",))
    assert report.failed == ("a", "b", "c", "m", "z")
    write_lists(tmp_path, report, rescue=True)
    assert (tmp_path / "no_face.txt").read_text() == "a\n"
    assert (tmp_path / "failures.txt").read_text() == "a\nb\nc\nm\nz\n"
    assert (tmp_path / "unreadable.txt").read_text() == "x\ttorn\n"
    write_lists(tmp_path, AlignReport(9, 9, 0, (), (), 0, 0), rescue=False)
    assert [path.name for path in tmp_path.iterdir()] == ["no_face.txt"]
    assert (tmp_path / "no_face.txt").read_text() == ""


@pytest.mark.parametrize(("count", "jobs", "parts"), [(5, 1, [2, 2, 1]), (3, 1, [1, 1, 1]), (200, 1, [32] * 6 + [8])])
def test_progress_is_told_in_parts_of_at_most_thirty_two(tmp_path, count, jobs, parts):
    root = tmp_path / "photographs"
    root.mkdir()
    image = encode_png(np.zeros((4, 4, 3), np.uint8))
    for i in range(count):
        (root / f"{i:03d}.png").write_bytes(image)
    told = []
    report = align_folder(root, tmp_path / "out", landmarks={}, jobs=jobs, on_done=told.append)
    assert told == [0, *parts]
    assert (report.photographs, len(report.no_face)) == (count, count)


def test_points_of_many_photographs_in_the_order_that_was_given(tmp_path):
    for name in ("b.png", "a.png", "c.png"):
        (tmp_path / name).write_bytes(encode_png(np.full((30, 30, 3), 90, np.uint8)))
    told = []
    names = ["c.png", "a.png", "missing.png", "b.png"]
    rows, problems = find_points(tmp_path, names, PointSearch(MtcnnConfig()), on_done=told.append)
    assert list(rows) == ["c.png", "a.png", "b.png"]
    assert list(problems) == ["missing.png"]
    assert not problems["missing.png"].startswith("missing.png")
    assert sum(told) == 4


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_crops_are_written_in_the_format_and_quality_that_were_asked_for(tmp_path, kind):
    root = tmp_path / "photographs"
    root.mkdir()
    image = cv2.resize(np.random.default_rng(0).integers(0, 255, (9, 9, 3), np.uint8), (120, 120))
    (root / "a.png").write_bytes(encode_png(image))
    points = np.array([[40, 50], [75, 50], [57, 70], [42, 90], [72, 90]], np.float32)
    sizes = []
    for quality in (30, 100):
        out = tmp_path / f"out{quality}"
        rows = {"a.png": Landmarks("a.png", 1, 1.0, points), "b.png": Landmarks("b.png", 1, 1.0, points)}
        report = align_folder(root, out, AlignConfig(format=kind, quality=quality, size=96), landmarks=rows)
        assert (report.aligned, report.unused) == (1, 1)
        content = (out / f"a.{kind}").read_bytes()
        assert content[:2] == (b"\xff\xd8" if kind == "jpg" else b"\x89P")
        error = np.abs(decode(content, "a").astype(int) - align(image, points, 96)).mean()
        assert error < 8 if kind == "jpg" else error == 0
        sizes.append(len(content))
    assert (sizes[0] < sizes[1]) == (kind == "jpg")


def test_a_copy_is_averaged_where_it_shrinks_and_smooth_where_it_grows():
    image = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    shrunk, _ = resized(image, 15)
    assert np.abs(shrunk - image.reshape(10, 2, 15, 2, 3).astype(float).mean(axis=(1, 3))).max() <= 0.5
    grown, _ = resized(image, 60)
    np.testing.assert_array_equal(grown, cv2.resize(image, (60, 40), interpolation=cv2.INTER_CUBIC))
    same, _ = resized(image, 30)
    np.testing.assert_array_equal(same, image)


def test_a_full_disk_is_told_by_the_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fchmod", lambda *_: None)  # only root may set the mode of a device
    row = Landmarks("a.jpg", 0, None, None)
    said = r"\.t\.csv\.journal: cannot be written \(No space left on device\); free space and resume"
    journal = Journal(tmp_path, "t.csv", resume=False)
    (tmp_path / ".t.csv.journal").symlink_to("/dev/full")
    with pytest.raises(DataError, match=said), journal, pytest.raises(DataError, match=said):
        journal.add([row])  # told here, and once more by the end of the block, which cannot write it either
    with pytest.raises(ValueError, match="of the block"), journal:
        raise ValueError("of the block")
