"""What an evaluation replaces in its folder, and what it leaves alone."""

import fcntl
import os
from pathlib import Path

import pytest

from fairface.errors import ConfigError, DataError
from fairface.evaluation.output import check_output, inputs_of, planned
from fairface.evaluation.pairs import SourcePairs, open_pairs
from fairface.evaluation.replacement import MARKER, fresh_output, marked
from fairface.evaluation.request import PhotoSource, TruthSource

NAMES = ("predictions.csv", "report.md", "aligned/deep/er/1.png", "calibration/predictions.csv")


def write(folder, names, text="new"):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def left(folder):
    """Names and contents of all files but the list of them."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MARKER)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def nothing_read(output):
    return inputs_of([], output)


def evaluate(output, names, text="new", inputs=None):
    with fresh_output(output, (inputs or nothing_read(output)).hold) as folder:
        write(folder, names, text)


@pytest.fixture
def photographs(tmp_path) -> SourcePairs:
    write(tmp_path / "photos", ("a.jpg", "deep/b.jpg"))
    return open_pairs(PhotoSource(photos=str(tmp_path / "photos")))


def test_a_run_replaces_the_files_of_the_one_before_and_no_other(tmp_path):
    out = tmp_path / "results" / "mine"
    evaluate(out, NAMES, "old")
    assert left(out) == dict.fromkeys(NAMES, "old")
    own = ("notes.txt", "aligned/own.png", "calibration/own.csv")
    write(out, own, "mine")
    evaluate(out, NAMES[:1])
    assert left(out) == {NAMES[0]: "new", **dict.fromkeys(own, "mine")}
    assert not (out / "aligned" / "deep").exists()  # empty folders go with their files
    assert marked(out) == {NAMES[0]}


@pytest.mark.parametrize("error", [DataError, KeyboardInterrupt])
def test_a_run_that_fails_changes_nothing(tmp_path, error):
    out = tmp_path / "out"
    for before in ({}, dict.fromkeys(NAMES, "old")):
        if before:
            evaluate(out, NAMES, "old")
        with pytest.raises(error), fresh_output(out, nothing_read(out).hold) as folder:
            write(folder, NAMES)
            raise error
        assert left(out) == before if before else not out.exists()


def test_a_run_that_was_killed_blocks_nothing(tmp_path):
    evaluate(tmp_path, NAMES, "old")
    write(tmp_path / ".part-killed", NAMES, "half")
    # Killed while files moved: the list already names those of both runs.
    (tmp_path / "embeddings.npz").write_text("half")
    (tmp_path / MARKER).write_text("\n".join([*NAMES, "embeddings.npz"]) + "\n")
    check_output(tmp_path, ["embeddings.npz", *NAMES], nothing_read(tmp_path))
    evaluate(tmp_path, NAMES)
    assert left(tmp_path) == dict.fromkeys(NAMES, "new")


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with (
        pytest.raises(ConfigError, match="another evaluation is writing there"),
        fresh_output(tmp_path, nothing_read(tmp_path).hold),
    ):
        pytest.fail("both write")
    os.close(handle)
    evaluate(tmp_path, NAMES)


def test_what_is_written_is_known_before(tmp_path, photographs):
    subjects = TruthSource(subjects_from="names")
    pairs = ["predictions.csv", "embeddings_three_step.npz"]
    crops = ["a.png", "deep/b.png", "landmarks.csv", "no_face.txt", "failures.txt", "align.json"]
    assert sorted(planned([(photographs, TruthSource())], hard=False)) == sorted(
        [*pairs, "fairness.json", "report.md", *(f"aligned/{name}" for name in crops)]
    )
    both = set(planned([(photographs, subjects), (photographs, subjects)], hard=True))
    assert {"truth.csv", "calibration/truth.csv", "calibration/embeddings_hard_sample.npz"} <= both
    assert "report.html" in both  # the truth is known
    assert not {f"calibration/{name}" for name in ("report.md", "report.html", "fairness.json")} & both


@pytest.mark.parametrize("name", ["predictions.csv", "aligned/deep/er/1.png", "calibration/predictions.csv"])
def test_files_that_no_run_wrote_are_refused(tmp_path, name):
    write(tmp_path, [name], "mine")
    with pytest.raises(ConfigError, match=f"holds {name}, which no earlier run wrote .* choose another --output"):
        check_output(tmp_path, NAMES, nothing_read(tmp_path))
    (tmp_path / MARKER).write_text("report.md\naligned/deep/er/2.png\n")
    with pytest.raises(ConfigError, match="which no earlier run wrote"):
        check_output(tmp_path, NAMES, nothing_read(tmp_path))
    # Before crops were listed one by one, a list named their folder.
    (tmp_path / MARKER).write_text("aligned\npredictions.csv\ncalibration/predictions.csv\n")
    check_output(tmp_path, NAMES, nothing_read(tmp_path))


def test_a_file_in_place_of_a_folder_and_the_other_way_round(tmp_path):
    write(tmp_path, ["aligned"])
    with pytest.raises(ConfigError, match=r"aligned is not a folder, so aligned/deep/er/1\.png cannot be written"):
        check_output(tmp_path, NAMES, nothing_read(tmp_path))
    write(tmp_path / "other" / "predictions.csv", ["1.png"])
    with pytest.raises(ConfigError, match=r"holds predictions\.csv, which no earlier run"):
        check_output(tmp_path / "other", NAMES, nothing_read(tmp_path))
    write(tmp_path, ["file"])
    with (
        pytest.raises(DataError, match="cannot be written to"),
        fresh_output(tmp_path / "file", nothing_read(tmp_path).hold),
    ):
        pytest.fail("a file is no folder")


def test_what_a_run_reads_is_neither_replaced_nor_removed(tmp_path):
    faces = ("aligned/1.png", "aligned/2.png", "aligned/failures.txt")
    evaluate(tmp_path, [*faces, "truth.csv", "report.md"], "old")
    (tmp_path / "aligned" / "failures.txt").write_text("")
    truth = TruthSource(truth=str(tmp_path / "truth.csv"))
    inputs = inputs_of([(open_pairs(PhotoSource(aligned=str(tmp_path / "aligned"))), truth)], tmp_path)
    for name in ("truth.csv", *faces):
        with pytest.raises(ConfigError, match="is read by this run and would be overwritten"):
            check_output(tmp_path, [name], inputs)
    evaluate(tmp_path, ["predictions.csv"], inputs=inputs)
    assert set(left(tmp_path)) == {*faces, "truth.csv", "predictions.csv"}
    assert marked(tmp_path) == {*faces, "truth.csv", "predictions.csv"}
    # Results beside the faces that are read are results all the same.
    write(tmp_path / "faces", ["1.png", "2.png", "predictions.csv"])
    (tmp_path / "faces" / MARKER).write_text("predictions.csv\n")
    beside = inputs_of([(open_pairs(PhotoSource(aligned=str(tmp_path / "faces"))), TruthSource())], tmp_path / "faces")
    check_output(tmp_path / "faces", ["predictions.csv"], beside)


@pytest.mark.parametrize("place", ["aligned", "calibration"])
def test_what_a_link_puts_elsewhere_stays(tmp_path, place):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    name = {"aligned": "1.png", "calibration": "predictions.csv"}[place]
    evaluate(out, [f"{place}/{name}"], "old")
    Path(out / place / name).unlink()
    (out / place).rmdir()
    write(elsewhere, [name], "mine")
    (out / place).symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="which no earlier run wrote"):
        check_output(out, [f"{place}/{name}"], nothing_read(out))
    evaluate(out, ["report.md"])
    assert left(elsewhere) == {name: "mine"}
    assert (out / place).is_symlink()
