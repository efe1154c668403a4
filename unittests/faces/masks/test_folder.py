"""Masks on folders: where they go, what the log says, and that a log makes the same masks again to the byte."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.errors import ConfigError, DataError
from fairface.faces.folder import align_folder
from fairface.faces.landmarks import Landmarks, write_landmarks
from fairface.faces.masks import MaskChoice, draw_mask
from fairface.faces.masks.folder import mask_folder, repeat_log, seed_of
from fairface.faces.masks.log import read_log
from fairface.faces.masks.points import PointSource, point_source
from fairface.faces.masks.textures import Textures
from unittests.faces.masks.heads import face, turned

NAMES = ("ada/1.png", "ada/2.jpg", "bo/1.png", "bo/3.png")


@pytest.fixture
def crops(tmp_path):
    base = tmp_path / "crops"
    for seed, name in enumerate(NAMES):
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(base / name), face(seed=seed)[:, :, ::-1])
    return base


def pixels(path):
    return cv2.imread(str(path))[:, :, ::-1]


def files(folder):
    there = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in there}


def run(source, target, **options):
    choice, points = options.pop("choice", MaskChoice()), options.pop("points", PointSource())
    return mask_folder(source, target, choice, points, **options)


def test_into_another_folder(crops, tmp_path):
    report = run(crops, tmp_path / "out", seed=3)
    assert [row.outcome for row in report.rows] == ["masked"] * 4
    assert set(files(tmp_path / "out")) == {"ada/1.png", "ada/2.png", "bo/1.png", "bo/3.png", "masks.jsonl"}
    for row in report.rows:
        assert row.seed == seed_of(3, row.image)
        again = draw_mask(pixels(crops / row.image), np.array(row.points), row.parameters)
        assert (pixels(tmp_path / "out" / row.output) == again.image).all()
        assert row.nose_height == pytest.approx(again.nose_height_fraction, abs=1e-6)
    assert len({row.parameters for row in report.rows}) == 4


def test_beside_the_originals_and_once_more(crops):
    before = files(crops)
    run(crops, None)
    after = files(crops)
    assert set(after) - set(before) == {"ada/1_mask.png", "ada/2_mask.png", "bo/1_mask.png", "bo/3_mask.png",
                                        "masks.jsonl"}  # fmt: skip
    assert {name: after[name] for name in before} == before
    assert len(run(crops, None).rows) == 4  # what an earlier run made is no original
    assert files(crops) == after
    run(crops, None, p=0.0)
    assert set(files(crops)) - set(before) == {"masks.jsonl"}  # nor does it stay where there are no masks now


def test_an_image_gets_the_same_whatever_is_beside_it(crops, tmp_path):
    run(crops, tmp_path / "all", p=0.5, seed=1)
    (crops / "ada" / "1.png").unlink()
    run(crops, tmp_path / "fewer", p=0.5, seed=1)
    rows, fewer = ({row.image: row for row in read_log(tmp_path / name / "masks.jsonl")} for name in ("all", "fewer"))
    del rows["ada/1.png"]
    assert rows == fewer
    with pytest.raises(ConfigError, match="probability of a mask is -1"):
        run(crops, tmp_path / "no", p=-1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_log_makes_the_same_files_again(crops, tmp_path, jobs):
    (crops / "ada" / "2.jpg").write_bytes(b"\xff\xd8\xff, and no more")
    landmarks = {name: Landmarks(name, 1, 0.9, turned().astype(np.float32)) for name in NAMES}
    landmarks["bo/1.png"] = Landmarks("bo/1.png", 1, 0.9, turned(70).astype(np.float32))
    first = run(crops, tmp_path / "out", points=PointSource(landmarks), seed=2)
    assert [row.outcome for row in first.rows] == ["masked", "unreadable", "refused", "masked"]
    assert (tmp_path / "out" / "masks.refused.txt").read_text().startswith("bo/1.png\tprofile\ta profile")
    second = repeat_log(crops, tmp_path / "again", tmp_path / "out" / "masks.jsonl", jobs=jobs)
    assert second.rows == first.rows
    assert files(tmp_path / "again") == files(tmp_path / "out")


def test_a_log_of_other_photographs_writes_nothing(crops, tmp_path):
    run(crops, tmp_path / "out")
    cv2.imwrite(str(crops / "bo/3.png"), face(seed=9))
    with pytest.raises(DataError, match=r"bo/3\.png: is another photograph than .*masks\.jsonl was made from"):
        repeat_log(crops, tmp_path / "again", tmp_path / "out" / "masks.jsonl")
    (crops / "bo/3.png").unlink()
    with pytest.raises(DataError, match=r"bo/3\.png: cannot be read"):
        repeat_log(crops, tmp_path / "again", tmp_path / "out" / "masks.jsonl")
    assert not (tmp_path / "again").exists()


def test_a_log_of_other_textures_is_refused(crops, tmp_path):
    picture = np.full((256, 384, 4), 255, np.uint8)
    run(crops, tmp_path / "out", choice=MaskChoice(("n95",), textures=Textures({"a.png": picture})))
    with pytest.raises(DataError, match=r"made with other textures \(a\.png\); name the folder"):
        repeat_log(crops, tmp_path / "again", tmp_path / "out" / "masks.jsonl")
    report = repeat_log(crops, tmp_path / "again", tmp_path / "out" / "masks.jsonl", Textures({"a.png": picture}))
    assert files(tmp_path / "again") == files(tmp_path / "out")
    assert {row.parameters.style for row in report.rows} == {"n95", "texture"}


def change(line, **values):
    return json.dumps({**json.loads(line), **values})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: [], "line 1: is not whole JSON"),
        (lambda lines: [change(lines[0], format="x"), *lines[1:]], "is no log of masks"),
        (lambda lines: [*lines[:2], lines[2][:50]], "line 3: is not whole JSON"),
        (lambda lines: [*lines[:2], "[]"], "line 3: is no JSON object"),
        (lambda lines: [*lines[:2], change(lines[2], outcome="lost")], "line 3: outcome 'lost'"),
        (lambda lines: [*lines[:2], change(lines[2], points=[[1, 2]])], "line 3: .* no points"),
        (lambda lines: [*lines[:2], change(lines[2], image=5)], "line 3: is no line of such a log"),
        (lambda lines: [*lines[:2], lines[1]], "names an image twice"),
        (lambda lines: [lines[0], change(lines[1], image="../1.png")], "would leave the folder"),
    ],
)
def test_a_damaged_log_is_one_line(crops, tmp_path, spoil, said):
    run(crops, tmp_path / "out")
    log = tmp_path / "out" / "masks.jsonl"
    log.write_text("\n".join(spoil(log.read_text().splitlines())))
    with pytest.raises(DataError, match=said) as caught:
        repeat_log(crops, tmp_path / "again", log)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "again").exists()


def test_places_that_cannot_be_written_to(crops, tmp_path):
    for inside in (crops, crops / "masked"):
        with pytest.raises(DataError, match="lies inside the images' folder"):
            run(crops, inside)
    (crops / "ada" / "1.jpg").write_bytes((crops / "ada" / "2.jpg").read_bytes())
    with pytest.raises(DataError, match=r"ada/1\.jpg and ada/1\.png would both become ada/1\.png"):
        run(crops, tmp_path / "out")


def test_what_is_no_crop_needs_landmarks(crops, tmp_path):
    cv2.imwrite(str(crops / "bo" / "3.png"), np.zeros((90, 120, 3), np.uint8))
    with pytest.raises(DataError, match=r"bo/3\.png: 120x90 pixels, so it is no aligned crop; give a table"):
        run(crops, tmp_path / "out")
    rows = [Landmarks(name, 1, 0.9, turned().astype(np.float32)) for name in NAMES[:3]]
    write_landmarks(tmp_path / "points.csv", rows)
    report = run(crops, tmp_path / "out", points=point_source(crops, tmp_path / "points.csv"))
    assert [(row.outcome, row.reason) for row in report.rows] == [("masked", "")] * 3 + [("refused", "points")]
    assert "no landmarks are known" in report.rows[3].message


def test_crops_keep_the_turn_of_the_head_that_align_py_saw(tmp_path):
    """The table beside the crops is of the photographs: it is turned, scaled and moved as they were."""
    (tmp_path / "photos").mkdir()
    points = turned(25, roll=20, height=90, eyes=(160, 130)).astype(np.float32)
    cv2.imwrite(str(tmp_path / "photos" / "1.jpg"), np.full((300, 320, 3), 120, np.uint8))
    align_folder(tmp_path / "photos", tmp_path / "crops", landmarks={"1.jpg": Landmarks("1.jpg", 1, 0.9, points)})
    found = point_source(tmp_path / "crops").of("1.jpg", (112, 112, 3))
    named = point_source(tmp_path / "crops", tmp_path / "crops" / "landmarks.csv")
    assert (named.of("1.jpg", (112, 112, 3)) == found).all()
    # The similarity that alignment found, once more by numpy: 4 unknowns, 10 equations.
    target = PointSource().of("1.jpg", (112, 112, 3))
    rows = [row for x, y in points for row in ((x, -y, 1, 0), (y, x, 0, 1))]
    a, b, c, d = np.linalg.lstsq(np.array(rows, float), target.ravel(), rcond=None)[0]
    expected = np.array([(a * x - b * y + c, b * x + a * y + d) for x, y in points])
    assert found == pytest.approx(expected, abs=0.02)  # the table has three digits
    assert found[2, 0] - found[:2, 0].mean() > 5
    (tmp_path / "crops" / "align.json").write_text("{}")
    with pytest.raises(DataError, match=r"align\.json: not the settings of an alignment"):
        point_source(tmp_path / "crops")
