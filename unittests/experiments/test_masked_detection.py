"""Detection under masks: what is measured, what is skipped, and the page."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarks.drawn_faces import draw_face
from fairface.data.images import encode_png
from fairface.errors import DataError
from fairface.faces.detect import Faces
from fairface.faces.mtcnn import MtcnnDetector

FOLDER = Path(__file__).parents[2] / "experiments"
PROGRAM = runpy.run_path(str(FOLDER / "masked_detection.py"))
PAGE = runpy.run_path(str(FOLDER / "masked_detection_page.py"))


class Shifted:
    """Sees MTCNN's points moved by a tenth of the eyes' distance to the right; blind below some brightness."""

    def detect(self, rgb):
        faces = MtcnnDetector().detect_main(rgb)
        if rgb.mean() < 60 or not len(faces):
            return Faces.none()
        eyes = np.linalg.norm(faces.landmarks[0, 1] - faces.landmarks[0, 0])
        return Faces(faces.boxes, faces.scores, faces.landmarks + np.array([eyes / 10, 0], np.float32))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for number, size in enumerate((150, 170, 190)):
        (folder / f"{number}.png").write_bytes(encode_png(draw_face(size)))
    (folder / "3.png").write_bytes(encode_png(np.zeros((150, 150, 3), np.uint8)))
    return folder


def test_distances_by_hand():
    points = np.array([[0, 0], [20, 0], [10, 10], [4, 20], [16, 20]], np.float32)
    seen = points + np.array([[2, 0], [0, 4], [0, 0], [6, 8], [0, 0]], np.float32)
    found = PROGRAM["distances"](seen, points)
    assert found == pytest.approx({"all": 16 / 5 / 20, "eyes": 0.15, "nose": 0, "mouth": 0.25})


def test_a_mask_covers_the_lower_face_and_hides_it_from_who_is_measured(photographs):
    faces, without = PROGRAM["reference"](photographs, ["0.png", "1.png", "3.png"], MtcnnDetector())
    assert (list(faces), without) == (["0.png", "1.png"], ["3.png"])
    rgb, points = faces["0.png"]
    masked = PROGRAM["draw"](rgb, points, "black", 0)
    eyes, mouth = int(points[:2, 1].mean()), int(points[3:, 1].mean())
    middle = int(points[2, 0])
    assert np.array_equal(masked[: eyes - 5], rgb[: eyes - 5])
    assert masked[mouth, middle].max() < rgb[mouth, middle].max()
    found = PROGRAM["measure"](faces, PROGRAM["NONE"], 0, {"shifted": Shifted()})
    assert found["refused"] == []
    for face in found["detectors"]["shifted"]:
        assert face == pytest.approx({"all": 0.1, "eyes": 0.1, "nose": 0.1, "mouth": 0.1}, abs=1e-4)


def test_finished_styles_are_skipped_and_others_refused(tmp_path):
    job = {"style": "n95", "photographs": 3, "left_out": [], "seed": 0}
    path = tmp_path / "n95.json"
    assert not PROGRAM["finished"](path, job)
    path.write_text(json.dumps({**job, "detectors": {}}))
    assert PROGRAM["finished"](path, job)
    with pytest.raises(DataError, match="other photographs or another seed"):
        PROGRAM["finished"](path, {**job, "seed": 1})


def face(distance):
    return None if distance is None else {"all": distance, "eyes": distance, "nose": 2 * distance, "mouth": 0.0}


def result(style, refused=(), **detectors):
    found = {name.replace("_", ","): [face(value) for value in values] for name, values in detectors.items()}
    return {"style": style, "photographs": 4, "seed": 0, "left_out": [], "refused": list(refused), "detectors": found}


RESULTS = [
    result("no mask", mtcnn=[0, 0, 0, 0], centerface=[0.1, 0.1, 0.2, 0.6], mtcnn_centerface=[0, 0, 0, 0]),
    result("black", ["b.jpg"], mtcnn=[None, None, 0.3], centerface=[0.1, 0.1, 0.2], mtcnn_centerface=[0.1, 0.1, 0.3]),
    result("n95", mtcnn=[0.1, 0.2, 0.7, 0.1], centerface=[0.1] * 4, mtcnn_centerface=[0.1, 0.2, 0.7, 0.1]),
]  # fmt: skip


def test_the_page_says_what_was_measured(tmp_path):
    for one in reversed(RESULTS):
        (tmp_path / f"{one['style']}.json").write_text(json.dumps(one))
    page = PAGE["page"](PAGE["read"](tmp_path))
    lines = page.splitlines()
    interval = binomtest(3, 4).proportion_ci(method="wilson")
    assert f"| no mask | 100.0 (51.0-100.0) | 75.0 ({100 * interval.low:.1f}-{100 * interval.high:.1f}) |" in page
    assert "| black (1 refused: no place for a mask) | 33.3" in page
    assert "| all styles | 57.1 | 100.0 | 85.7 |" in lines
    # 0.3 of the eyes' distance and twice that for the nose: one face was found.
    assert "| black | 30.0 (30.0) | 60.0 (60.0) | 0.0 (0.0) | 10.0 (18.0) | 20.0 (36.0) | 0.0 (0.0) |" in lines
    assert "fewest with `black`" in page
    assert max(map(len, lines)) <= 140


def test_results_of_two_runs_do_not_mix(tmp_path):
    with pytest.raises(DataError, match="no results"):
        PAGE["read"](tmp_path)
    for one, seed in ((RESULTS[0], 0), (RESULTS[1], 1)):
        (tmp_path / f"{seed}.json").write_text(json.dumps({**one, "seed": seed}))
    with pytest.raises(DataError, match="different runs"):
        PAGE["read"](tmp_path)


def test_the_programs_run_from_photographs_to_the_page(photographs, tmp_path, monkeypatch):
    made = {"mtcnn": ("mtcnn",), "centerface": ("mtcnn",), "mtcnn,centerface": ("mtcnn",)}
    run = PROGRAM["main"].__globals__
    monkeypatch.setitem(run, "DETECTORS", made)  # CenterFace's net would have to be fetched
    monkeypatch.setitem(run, "STYLES", {"black": None})
    for _ in range(2):
        PROGRAM["main"](["--data", str(photographs), "--out", str(tmp_path / "out"), "--photographs", "4"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["black.json", "no_mask.json"]
    assert json.loads((tmp_path / "out" / "black.json").read_text())["left_out"] == ["3.png"]
    PAGE["main"](["--out", str(tmp_path / "out"), "--page", str(tmp_path / "page.md")])
    assert "1 more, in which MTCNN finds no face" in (tmp_path / "page.md").read_text()
    assert "masked_detection" not in sys.modules
