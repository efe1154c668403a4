"""What is cleared from the folder of an earlier final evaluation, and what is left alone."""

import json

import pytest

from fairface.embedding.final_output import clear_output
from fairface.embedding.final_source import PhotoSource, TruthSource
from fairface.errors import ConfigError, DataError
from fairface.faces.landmarks import Landmarks, write_landmarks

PARTS = [(PhotoSource(photos="photographs"), TruthSource())]


def crops(folder, *names, **settings):
    """Crops as an evaluation leaves them, with their table and settings."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    write_landmarks(folder / "landmarks.csv", [Landmarks(name, 0, None, None, "cropped") for name in names])
    (folder / "align.json").write_text(json.dumps({"format": "png", "rescue": True, **settings}))
    return folder


def left(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_all_of_an_earlier_run_goes_and_its_empty_folders_too(tmp_path):
    crops(tmp_path / "aligned", "deep/er/1.png", "2.png")
    crops(tmp_path / "calibration" / "aligned", "3.png")
    (tmp_path / "calibration" / "truth.csv").touch()
    (tmp_path / "report.md").touch()
    clear_output(tmp_path, PARTS)
    assert left(tmp_path) == []
    clear_output(tmp_path, PARTS)
    clear_output(tmp_path / "not yet", PARTS)


def test_crops_of_an_evaluation_that_was_killed_go_too(tmp_path):
    folder = crops(tmp_path / "aligned", "1.png", "2.png", "3.png")
    lines = (folder / "landmarks.csv").read_text().splitlines(keepends=True)
    (folder / "landmarks.csv").unlink()
    (folder / ".landmarks.csv.journal").write_text("".join(lines[:3]) + lines[3][:4])
    clear_output(tmp_path, PARTS)
    assert left(tmp_path) == ["aligned", "aligned/3.png"]  # nothing tells whose the third is


@pytest.mark.parametrize("settings", [{"rescue": False}, {"format": "jpg"}, None])
def test_crops_of_another_program_stay(tmp_path, settings):
    folder = crops(tmp_path / "aligned", "1.png", **(settings or {}))
    if settings is None:
        (folder / "align.json").unlink()
    before = left(tmp_path)
    clear_output(tmp_path, PARTS)
    assert left(tmp_path) == before


@pytest.mark.parametrize("place", ["aligned", "calibration"])
def test_what_a_link_puts_elsewhere_stays(tmp_path, place):
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    out.mkdir()
    crops(elsewhere, "1.png")
    crops(elsewhere / "aligned", "2.png")
    (elsewhere / "predictions.csv").touch()
    (out / place).symlink_to(elsewhere)
    before = left(elsewhere)
    clear_output(out, PARTS)
    assert left(elsewhere) == before
    assert (out / place).is_symlink()


def test_a_damaged_table_of_crops_is_named_with_the_remedy(tmp_path):
    folder = crops(tmp_path / "aligned", "1.png")
    (folder / "landmarks.csv").write_text("nothing\n")
    with pytest.raises(DataError, match=r"aligned/landmarks\.csv: no column image.* or remove "):
        clear_output(tmp_path, PARTS)
    assert (folder / "1.png").exists()


def test_what_is_read_and_would_be_overwritten_is_refused_before_anything_goes(tmp_path):
    (tmp_path / "calibration").mkdir()
    for name in ("report.md", "truth.csv", "calibration/predictions.csv"):
        (tmp_path / name).touch()
    before = left(tmp_path)
    people = TruthSource(subjects_from="names")
    template = PhotoSource(aligned="others", template=str(tmp_path / "calibration" / "predictions.csv"))
    with pytest.raises(ConfigError, match=r"calibration/predictions\.csv: is read by this run and would be"):
        clear_output(tmp_path, [*PARTS, (template, people)])
    # A truth that people say is written where the calibration's lies.
    other = (PhotoSource(aligned="others"), TruthSource(truth=str(tmp_path / "truth.csv")))
    with pytest.raises(ConfigError, match=r"/truth\.csv: is read by this run and would be overwritten"):
        clear_output(tmp_path, [(PARTS[0][0], people), other])
    assert left(tmp_path) == before
    clear_output(tmp_path, [PARTS[0], other])
    assert left(tmp_path) == ["truth.csv"]
