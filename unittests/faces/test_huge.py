"""Huge photographs: the detector looks at a smaller copy, and memory that runs out costs one photograph."""

import json

import cv2
import numpy as np
import pytest

from fairface.data.images import encode_jpeg
from fairface.faces import find, folder_worker
from fairface.faces.detect import Faces
from fairface.faces.find import LONGEST, find_faces
from fairface.faces.find_points import PointSearch, find_points
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig, unusable
from fairface.faces.landmarks import write_landmarks
from fairface.faces.mtcnn import MtcnnConfig
from fairface.programs import align as program


class Watcher:
    """Notes what it is shown and finds the brightest pixel."""

    def __init__(self):
        self.seen = []

    def detect(self, rgb):
        self.seen.append(rgb)
        y, x = np.unravel_index(rgb[:, :, 0].argmax(), rgb.shape[:2])
        return Faces(np.array([[x - 4, y - 4, x + 5, y + 5]], np.float32), np.ones(1, np.float32),
                     np.full((1, 5, 2), (x, y), np.float32))  # fmt: skip


def test_photographs_up_to_the_limit_reach_the_detector_as_they_are():
    watcher = Watcher()
    for shape in ((3, LONGEST, 3), (LONGEST, 2, 3), (10, 10, 3)):
        image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        find_faces(watcher, image)
        assert watcher.seen[-1] is image


@pytest.mark.parametrize("enlarge", [1.0, 2.0])
def test_beyond_it_the_copy_is_bounded_and_places_are_the_photographs(monkeypatch, enlarge):
    monkeypatch.setattr(find, "LONGEST", 100)
    image = np.zeros((120, 400, 3), np.uint8)
    image[80:84, 200:204] = 255  # four times as small: one pixel, (50, 20)
    watcher = Watcher()
    faces = find_faces(watcher, image, enlarge)
    assert watcher.seen[0].shape == (round(30 * enlarge), round(100 * enlarge), 3)
    assert np.abs(faces.landmarks[0] - [201.5, 81.5]).max() <= 4 / enlarge
    plain = cv2.resize(image, (100, 30), interpolation=cv2.INTER_AREA)
    assert enlarge != 1.0 or np.array_equal(watcher.seen[0], plain)


def photographs(root):
    root.mkdir()
    for name, size in (("a.jpg", 40), ("big.jpg", 90), ("c.jpg", 40)):
        (root / name).write_bytes(encode_jpeg(np.full((size, size, 3), 90, np.uint8)))
    return root


def out_of_memory(kind):
    if kind is MemoryError:
        raise MemoryError
    error = cv2.error("OpenCV: Insufficient memory")
    error.code = cv2.Error.StsNoMem
    raise error


@pytest.mark.parametrize("kind", [MemoryError, cv2.error])
def test_memory_that_runs_out_costs_that_photograph(tmp_path, monkeypatch, kind, capsys):
    root = photographs(tmp_path / "in")

    class Greedy:
        def detect(self, rgb):
            return out_of_memory(kind) if len(rgb) == 90 else Faces.none()

    report = align_folder(root, tmp_path / "out", AlignConfig(size=16), detector=Greedy())
    said = "memory ran out on this photograph; make it smaller, or use fewer processes (--jobs)"
    assert report.unreadable == (("big.jpg", said),)
    assert report.no_face == ("a.jpg", "c.jpg")
    monkeypatch.setattr("fairface.faces.find_points.make_detector", lambda names, config: Greedy())
    rows, problems = find_points(root, ["a.jpg", "big.jpg", "c.jpg"], PointSearch(MtcnnConfig()))
    assert (sorted(rows), problems) == (["a.jpg", "c.jpg"], {"big.jpg": said})
    table = tmp_path / "table.csv"
    write_landmarks(table, [])
    monkeypatch.setattr(folder_worker, "read_photograph", lambda path, name: out_of_memory(kind))
    words = [str(root), str(tmp_path / "more"), "--landmarks", str(table), "--jobs", "1", "--skip-bad", "--json"]
    program.main(words)
    assert len(json.loads(capsys.readouterr().out)["unreadable"]) == 3


def test_other_faults_are_not_swallowed():
    other = cv2.error("assertion failed")
    other.code = cv2.Error.StsAssert
    with pytest.raises(cv2.error, match="assertion"):
        unusable("a.jpg", other)
