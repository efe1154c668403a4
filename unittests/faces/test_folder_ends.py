"""Folders of photographs and the tables beside them: processes, earlier runs, damaged files, names and numbers."""

import json

import cv2
import numpy as np
import pytest

from fairface.data.images import encode_png
from fairface.errors import ConfigError, DataError, DeviceError
from fairface.faces import cascade, mtcnn
from fairface.faces.align_settings import keep_settings
from fairface.faces.detect import Faces
from fairface.faces.find_points import PointSearch, find_points
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig
from fairface.faces.journal import Journal
from fairface.faces.landmarks import Landmarks, read_landmarks
from fairface.faces.mtcnn import MtcnnConfig
from fairface.faces.photographs import list_photographs
from fairface.faces.point_list import write_point_list
from unittests.faces.marks import Fixed

POINTS = np.array([[40, 50], [75, 50], [57, 70], [42, 90], [72, 90]], np.float32)


def photographs(tmp_path, names=("a.png", "b.png", "c.png")):
    root = tmp_path / "photographs"
    root.mkdir()
    for index, name in enumerate(names):
        image = cv2.resize(np.random.default_rng(index).integers(0, 255, (9, 9, 3), np.uint8), (120, 120))
        (root / name).write_bytes(encode_png(image))
    return root


def test_points_found_in_processes_are_those_found_in_one(tmp_path):
    root = photographs(tmp_path)
    eager = PointSearch(MtcnnConfig(min_face=40, thresholds=(0.1, 0.0, 0.0)))
    names, told = ["c.png", "missing.png", "a.png"], []
    alone, problems = find_points(root, names, eager)
    both, same_problems = find_points(str(root), names, eager, jobs=2, on_done=told.append)
    assert list(both) == list(alone) == ["c.png", "a.png"]
    assert problems == same_problems
    assert sum(told) == 3
    for name, row in alone.items():
        assert row.points is not None
        np.testing.assert_array_equal(both[name].points, row.points)


@pytest.mark.parametrize(("strangers", "named"), [
    (["x"], "(x)"), (["x", "y", "z"], "(x, y, z)"), (["x", "y", "z", "w"], "(w, x, y, …)"),
])  # fmt: skip
def test_the_first_three_strangers_are_named(tmp_path, strangers, named):
    root = photographs(tmp_path)
    with pytest.raises(DataError) as caught:
        align_folder(root, tmp_path / "out", landmarks={}, names=["a.png", *strangers])
    are = "is" if len(strangers) == 1 else "are"
    count = f"{len(strangers)} of {len(strangers) + 1} photographs that are asked for {are} not there {named}"
    assert count in str(caught.value)
    with pytest.raises(ConfigError, match="give landmarks or a detector"):
        align_folder(root, tmp_path / "out", landmarks={}, detector=Fixed(Faces.none()))


def test_a_crop_of_an_earlier_run_goes_where_no_face_is_found_now(tmp_path):
    root, out = photographs(tmp_path), tmp_path / "out"
    one = Faces(np.array([[30, 30, 90, 100]], np.float32), np.ones(1, np.float32), POINTS[None])
    report = align_folder(root, out, detector=Fixed(one))
    assert (report.aligned, report.no_face) == (3, ())
    assert (out / "a.jpg").exists()
    report = align_folder(root, out, AlignConfig(size=96), detector=Fixed(Faces.none()))
    assert (report.aligned, report.no_face) == (0, ("a.png", "b.png", "c.png"))
    assert not list(out.glob("*.jpg"))
    settings = json.loads((out / "align.json").read_text())
    assert settings["detector"] == {"class": "Fixed"}
    assert settings["landmarks_given"] is False


@pytest.mark.parametrize("damaged", ["{", "[1, 2]", "3"])
def test_damaged_settings_cannot_be_taken_up(tmp_path, damaged):
    (tmp_path / "align.json").write_text(damaged)
    with pytest.raises(DataError, match=r"align\.json: not the settings of an earlier run; start without resuming"):
        keep_settings(tmp_path, {"size": 112}, resume=True)
    keep_settings(tmp_path, {"size": 112}, resume=False)
    assert json.loads((tmp_path / "align.json").read_text()) == {"size": 112}


def test_a_journal_in_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"\.t\.csv\.journal: cannot be written \(No such file or directory\); choose"):
        Journal(tmp_path / "none", "t.csv", resume=True).__enter__()
    (tmp_path / ".t.csv.journal").touch()  # killed before its first line was whole
    assert Journal(tmp_path, "t.csv", resume=True).rows == {}


def test_damaged_nets_are_told(tmp_path, monkeypatch):
    (tmp_path / "pnet.onnx").write_bytes(b"no net")
    monkeypatch.setattr(cascade, "_nets_folder", lambda: tmp_path)
    with pytest.raises(DeviceError, match=r"pnet\.onnx: no readable net; install it again: pip install"):
        mtcnn.MtcnnDetector()


def test_a_folder_without_photographs_says_what_it_holds(tmp_path):
    (tmp_path / "notes.txt").touch()
    (tmp_path / "more.txt").touch()
    with pytest.raises(DataError, match=r"no photograph in it \(.*\.jpg.*\); 2 other files"):
        list_photographs(tmp_path)
    (tmp_path / "a.svg").touch()
    with pytest.raises(DataError, match="no photograph in it"):
        list_photographs(tmp_path)


def test_numbers_of_a_table_have_three_and_four_places(tmp_path):
    points = np.arange(10, dtype=np.float32).reshape(5, 2) + np.float32(0.0625)
    rows = [Landmarks("a b.jpg", 2, 0.5, points), Landmarks("c.jpg", 0, None, None)]
    rows.append(Landmarks("d.jpg", 1, None, points))
    numbers = [f"{value}.062" for value in range(10)]
    assert rows[0].row() == ["a b.jpg", "2", "0.5000", *numbers, "detected"]
    assert rows[1].row() == ["c.jpg", "0", "", *[""] * 10, "none"]
    assert write_point_list(tmp_path / "p.txt", rows) == 2
    assert (tmp_path / "p.txt").read_text().splitlines() == [
        f"a b.jpg {' '.join(numbers)} 0.5000", f"d.jpg {' '.join(numbers)} 0.0000",
    ]  # fmt: skip


@pytest.mark.parametrize("bad", ["inf", "nan"])
@pytest.mark.parametrize("column", ["score", "x_nose", "y_mouth_right"])
def test_a_number_that_is_none_is_told_with_its_line(tmp_path, bad, column):
    row = Landmarks("a.jpg", 1, 0.5, POINTS).row()
    points = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
    columns = ["image", "faces", "score", *[f"{axis}_{point}" for point in points for axis in "xy"], "how"]
    row[columns.index(column)] = bad
    (tmp_path / "t.csv").write_text(",".join(columns) + "\n" + ",".join(row) + "\n")
    with pytest.raises(DataError, match=r"t\.csv, line 2: a\.jpg: a field is not finite; fix or remove the row"):
        read_landmarks(tmp_path / "t.csv")
