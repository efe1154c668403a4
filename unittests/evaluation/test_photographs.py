"""A few photographs: which ones, and the main face of each."""

import cv2
import numpy as np
import pytest

from fairface.errors import DataError
from fairface.evaluation.photographs import find_photographs, main_faces
from fairface.faces.align import TEMPLATE_112, align
from unittests.small_models import FixedDetector, draw_people


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    draw_people(tmp_path / "people", people=2, images=2, size=160)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_and_folders_each_once_in_order(photographs):
    (photographs / "people" / "notes.txt").write_text("x")
    (photographs / "people" / "old.gif").write_text("x")
    (photographs / "link.png").symlink_to(photographs / "people" / "p0" / "1.png")
    found, notes = find_photographs(["people/p1/1.png", "people", "link.png"])
    assert found == ("people/p1/1.png", "people/p0/0.png", "people/p0/1.png", "people/p1/0.png")
    assert notes[0].startswith("warning: people: 1 photograph of a kind that cannot be read was left out: old.gif")
    assert notes[1:] == (
        "people: 1 other file was left out: notes.txt",
        "people/p1/1.png: is people/p1/1.png once more; it is used once",
        "link.png: is people/p0/1.png once more; it is used once",
    )


@pytest.mark.parametrize(("given", "message"), [
    ("none.jpg", r"^none\.jpg: no such file or folder"), ("empty", "^empty: no photograph in it"),
])  # fmt: skip
def test_what_is_not_there_is_refused(photographs, given, message):
    (photographs / "empty").mkdir()
    with pytest.raises(DataError, match=message):
        find_photographs(["people", given])


def test_faces_are_aligned_and_the_others_have_reasons(photographs):
    cv2.imwrite("grey.png", np.full((50, 60, 3), 90, np.uint8))
    (photographs / "cut.png").write_bytes((photographs / "people" / "p0" / "0.png").read_bytes()[:300])
    (photographs / "empty.jpg").touch()
    done = []
    names = ["people/p0/0.png", "grey.png", "cut.png", "people/p1/0.png", "empty.jpg"]
    found = main_faces(names, 96, FixedDetector(), done.append)
    assert found.names == ("people/p0/0.png", "people/p1/0.png")
    for name, crop in zip(found.names, found.crops, strict=True):
        np.testing.assert_array_equal(crop, align(cv2.imread(name)[:, :, ::-1], TEMPLATE_112, 96))
    assert [name for name, _ in found.left_out] == ["grey.png", "cut.png", "empty.jpg"]
    reasons = [reason for _, reason in found.left_out]
    assert reasons[0] == "no face found in 60x50 pixels"
    assert reasons[1].startswith("not an image (300 bytes")
    assert reasons[2].startswith("holds no image (0 bytes)")
    assert (found.notes, sum(done)) == ((), 5)


def test_several_faces_are_told(photographs):
    found = main_faces(["people/p0/0.png"], 112, FixedDetector(faces=3))
    assert found.notes == ("people/p0/0.png: shows 3 faces; the main one is used",)


def test_memory_that_runs_out_costs_one_photograph(photographs):
    class Greedy:
        def detect(self, rgb):
            raise MemoryError

    found = main_faces(["people/p0/0.png"], 112, Greedy())
    assert found.names == ()
    assert found.left_out[0][1].startswith("memory ran out on this photograph")


def test_aligned_crops_are_taken_as_they_are(photographs):
    cv2.imwrite("small.png", np.zeros((96, 112, 3), np.uint8))
    found = main_faces(["people/p0/0.png", "small.png"], 160, None)
    np.testing.assert_array_equal(found.crops[0], cv2.imread("people/p0/0.png")[:, :, ::-1])
    assert found.left_out == (("small.png", "112x96 pixels, not 160x160: no aligned crop for this model"),)
