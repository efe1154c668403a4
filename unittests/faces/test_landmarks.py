import numpy as np
import pytest

from fairface.errors import DataError
from fairface.faces.landmarks import (
    COLUMNS,
    WITH_POINTS,
    WITHOUT_POINTS,
    Landmarks,
    read_landmarks,
    write_landmarks,
)

HEADER = ",".join(COLUMNS)
POINTS = ",".join(str(value) for value in range(10))


def test_round_trip(tmp_path):
    points = np.random.default_rng(0).uniform(-5, 300, (5, 2)).astype(np.float32)
    rows = [Landmarks("b/with, comma.jpg", 2, 0.987, points), Landmarks("a.jpg", 0, None, None)]
    write_landmarks(tmp_path / "l.csv", rows)
    read = read_landmarks(tmp_path / "l.csv")
    assert list(read) == ["b/with, comma.jpg", "a.jpg"]
    np.testing.assert_allclose(np.array(read["b/with, comma.jpg"].points), points, atol=6e-4)
    assert (read["b/with, comma.jpg"].faces, read["b/with, comma.jpg"].score) == (2, 0.987)
    assert read["a.jpg"] == rows[1]


def test_faces_and_score_may_be_missing(tmp_path):
    header = ",".join(name for name in COLUMNS if name not in ("faces", "score"))
    (tmp_path / "l.csv").write_text(f"{header}\na.jpg,{POINTS}\n")
    row = read_landmarks(tmp_path / "l.csv")["a.jpg"]
    assert (row.faces, row.score) == (None, None)
    assert np.array(row.points).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]


@pytest.mark.parametrize("how", WITH_POINTS + WITHOUT_POINTS)
def test_how_a_face_was_found(tmp_path, how):
    given = how in WITH_POINTS
    row = Landmarks("a.jpg", int(given), None, np.ones((5, 2), np.float32) if given else None, how)
    write_landmarks(tmp_path / "l.csv", [row])
    assert (tmp_path / "l.csv").read_text().splitlines()[1].endswith(f",{how}")
    assert read_landmarks(tmp_path / "l.csv")["a.jpg"].how == how


def test_how_must_fit_the_points():
    for how in ("forced", "rotated"):
        with pytest.raises(ValueError, match="without points"):
            Landmarks("a.jpg", 0, None, None, how)
    for how in (*WITHOUT_POINTS, "lucky"):
        with pytest.raises(ValueError, match="with points"):
            Landmarks("a.jpg", 1, None, np.ones((5, 2), np.float32), how)


def test_how_may_be_missing(tmp_path):
    header = HEADER.removesuffix(",how")
    (tmp_path / "l.csv").write_text(f"{header}\na.jpg,1,1,{POINTS}\nb.jpg,0,{',' * 10}\n")
    assert [row.how for row in read_landmarks(tmp_path / "l.csv").values()] == ["detected", "none"]
    assert Landmarks("a", 0, None, None).how == "none"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column image"),
        ("image,x\na,1\n", "no column x_left_eye"),
        (f"{HEADER}\n../a.jpg,1,1,{POINTS}\n", "line 2: image name '../a.jpg'"),
        (f"{HEADER}\n/etc/a.jpg,1,1,{POINTS}\n", "line 2: image name '/etc/a.jpg'"),
        (f"{HEADER}\n,1,1,{POINTS}\n", "line 2: image name ''"),
        (f"{HEADER}\na,1,1,{POINTS}\na,1,1,{POINTS}\n", "line 3: a is there twice"),
        (f"{HEADER}\na,1,1,{POINTS[:-1]}x\n", "line 2: a: a field is no number"),
        (f"{HEADER}\na,1,1,{POINTS[:-1]}nan\n", "line 2: a: a field is not finite"),
        (f"{HEADER}\na,1,1,{POINTS[:-2]}\n", "line 2: a: a field is no number"),
        (f"{HEADER}\na,0,1,{POINTS}\n", "line 2: a: 0 faces, but the points are given"),
        (f"{HEADER}\na,1,1,,,,,,,,,,\n", "line 2: a: 1 face, but the points are missing"),
        (f"{HEADER}\na,1,1,{POINTS},cropped\n", "line 2: a: how is 'cropped'; with points"),
        (f"{HEADER}\na,1,1,{POINTS},lucky\n", "line 2: a: how is 'lucky'; with points"),
        (f"{HEADER}\na,0,,,,,,,,,,,,forced\n", "line 2: a: how is 'forced'; without points"),
        ("\xff\xfe", "no CSV text"),
    ],
)
def test_bad_tables_name_file_and_line(tmp_path, text, message):
    path = tmp_path / "l.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"l\.csv") as error:
        read_landmarks(path)
    assert message in str(error.value)
