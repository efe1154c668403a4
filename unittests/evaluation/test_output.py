"""What is cleared from the folder of an earlier final evaluation, and what is left alone."""

import json

import pytest

from fairface.errors import ConfigError, DataError
from fairface.evaluation.layout import ALL, MARKER, mark, marked
from fairface.evaluation.output import check_output, clear_output, fresh_output
from fairface.evaluation.request import PhotoSource, TruthSource
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
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.name != MARKER)


def test_all_of_an_earlier_run_goes_and_its_empty_folders_too(tmp_path):
    crops(tmp_path / "aligned", "deep/er/1.png", "2.png")
    crops(tmp_path / "calibration" / "aligned", "3.png")
    (tmp_path / "calibration" / "truth.csv").touch()
    (tmp_path / "report.md").touch()
    mark(tmp_path, ALL)
    clear_output(tmp_path, PARTS)
    assert list(tmp_path.iterdir()) == []
    clear_output(tmp_path, PARTS)
    clear_output(tmp_path / "not yet", PARTS)


def test_crops_of_an_evaluation_that_was_killed_go_too(tmp_path):
    folder = crops(tmp_path / "aligned", "1.png", "2.png", "3.png")
    lines = (folder / "landmarks.csv").read_text().splitlines(keepends=True)
    (folder / "landmarks.csv").unlink()
    (folder / ".landmarks.csv.journal").write_text("".join(lines[:3]) + lines[3][:4])
    mark(tmp_path, ALL)
    clear_output(tmp_path, PARTS)
    assert left(tmp_path) == ["aligned", "aligned/3.png"]  # nothing tells whose the third is


@pytest.mark.parametrize("settings", [{"rescue": False}, {"format": "jpg"}, None])
def test_crops_of_another_program_stay(tmp_path, settings):
    folder = crops(tmp_path / "aligned", "1.png", **(settings or {}))
    if settings is None:
        (folder / "align.json").unlink()
    mark(tmp_path, ALL)
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
    mark(out, ALL)
    before = left(elsewhere)
    clear_output(out, PARTS)
    assert left(elsewhere) == before
    assert (out / place).is_symlink()


def test_a_damaged_table_of_crops_is_named_with_the_remedy(tmp_path):
    folder = crops(tmp_path / "aligned", "1.png")
    (folder / "landmarks.csv").write_text("nothing\n")
    mark(tmp_path, ALL)
    with pytest.raises(DataError, match=r"aligned/landmarks\.csv: no column image.* or remove "):
        clear_output(tmp_path, PARTS)
    assert (folder / "1.png").exists()


def test_what_is_read_and_would_be_overwritten_is_refused_before_anything_goes(tmp_path):
    (tmp_path / "calibration").mkdir()
    for name in ("report.md", "truth.csv", "calibration/predictions.csv"):
        (tmp_path / name).touch()
    mark(tmp_path, ALL)
    before = left(tmp_path)
    people = TruthSource(subjects_from="names")
    template = PhotoSource(aligned="others", template=str(tmp_path / "calibration" / "predictions.csv"))
    with pytest.raises(ConfigError, match=r"calibration/predictions\.csv: is read by this run and would be"):
        check_output(tmp_path, [*PARTS, (template, people)])
    # A truth that people say is written where the calibration's lies.
    other = (PhotoSource(aligned="others"), TruthSource(truth=str(tmp_path / "truth.csv")))
    with pytest.raises(ConfigError, match=r"/truth\.csv: is read by this run and would be overwritten"):
        check_output(tmp_path, [(PARTS[0][0], people), other])
    assert left(tmp_path) == before
    check_output(tmp_path, [PARTS[0], other])
    clear_output(tmp_path, [PARTS[0], other])
    assert left(tmp_path) == ["truth.csv"]
    assert marked(tmp_path) == {"truth.csv"}


@pytest.mark.parametrize("name", ["truth.csv", "fairness.json", "calibration/truth.csv", "aligned/deep/1.png"])
def test_files_that_no_run_is_known_to_have_written_are_refused(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    (tmp_path / "notes.txt").write_text("mine as well")
    before = left(tmp_path)
    for names in ([], ["predictions.csv", "calibration/predictions.csv"]):
        mark(tmp_path, names)
        with pytest.raises(ConfigError, match=f"holds {name}, which no run is known .* choose another --output"):
            check_output(tmp_path, PARTS)
        clear_output(tmp_path, PARTS)
        assert left(tmp_path) == before
    mark(tmp_path, ALL)
    check_output(tmp_path, PARTS)


def test_crops_without_a_mark_are_refused_only_where_they_would_go(tmp_path):
    crops(tmp_path / "out" / "calibration" / "aligned", "1.png")
    out, truth = tmp_path / "out", TruthSource()
    with pytest.raises(ConfigError, match=r"holds calibration/aligned/align\.json"):
        check_output(out, PARTS)
    check_output(out, [(PhotoSource(aligned=str(out / "calibration" / "aligned")), truth)])
    # Photographs are not aligned over their own folder.
    photos = PhotoSource(photos=str(out / "calibration" / "aligned"))
    with pytest.raises(ConfigError, match=r"holds calibration/aligned/1\.png"):
        check_output(out, [*PARTS, (photos, truth)])


def test_a_link_of_the_users_is_not_written_through(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "predictions.csv").write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "calibration").symlink_to(tmp_path / "elsewhere")
    check_output(tmp_path / "out", PARTS)
    with pytest.raises(ConfigError, match=r"holds calibration/predictions\.csv"):
        check_output(tmp_path / "out", [*PARTS, PARTS[0]])


@pytest.mark.parametrize("existed", [True, False])
def test_a_run_that_fails_takes_its_own_files_away(tmp_path, existed):
    out = tmp_path / "out"
    if existed:
        out.mkdir()
        (out / "notes.txt").write_text("mine")
    for error in (DataError, KeyboardInterrupt):
        with pytest.raises(error), fresh_output(out, PARTS, hard=False):
            crops(out / "aligned", "1.png")
            (out / "predictions.csv").touch()
            raise error
        assert out.exists() is existed
        assert not existed or [path.name for path in out.iterdir()] == ["notes.txt"]
    with fresh_output(out, PARTS, hard=True):
        (out / "predictions.csv").touch()
    check_output(out, PARTS)
    assert "embeddings_hard_sample.npz" in marked(out)
    assert not {"truth.csv", "calibration/predictions.csv"} & marked(out)
