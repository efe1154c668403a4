import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.errors import ConfigError, DataError
from fairface.faces.align import TEMPLATE_112, align
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig
from fairface.faces.landmarks import Landmarks, read_landmarks, write_landmarks
from fairface.faces.photographs import list_photographs

ROOT = Path(__file__).parents[2]


def drawing(seed):
    small = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), np.uint8)
    return cv2.resize(small, (90, 110), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def photographs(tmp_path):
    """Three drawings, at several depths, and landmarks for two of them."""
    root = tmp_path / "photographs"
    rows = {}
    for index, name in enumerate(["top.png", "one/a.png", "one/deep er/b.png"]):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), cv2.cvtColor(drawing(index), cv2.COLOR_RGB2BGR))
        rows[name] = Landmarks(name, 1, 0.99, TEMPLATE_112 * np.float32(0.8) + index)
    del rows["top.png"]
    return root, rows


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def program(*arguments):
    command = [sys.executable, str(ROOT / "data_process" / "align.py"), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)


def test_program_end_to_end(photographs, tmp_path):
    root, rows = photographs
    (root / "notes.txt").write_text("no photograph")
    table, out = tmp_path / "given.csv", tmp_path / "out"
    write_landmarks(table, [*rows.values(), Landmarks("not/there.jpg", 1, 1.0, TEMPLATE_112)])
    done = program(root, out, "--landmarks", table, "--format", "png", "--jobs", 2)
    assert done.returncode == 0, done.stderr
    assert "3 photographs: 2 aligned, 0 finished before, 1 without a face, 0 unreadable" in done.stdout
    assert "first top.png" in done.stdout
    assert f"{root}: 1 other file was left out: notes.txt" in done.stdout
    assert "1 row of the landmarks table has no photograph" in done.stdout
    assert files_of(out) == ["align.json", "landmarks.csv", "no_face.txt", "one/a.png", "one/deep er/b.png"]
    assert (out / "no_face.txt").read_text() == "top.png\n"
    crop = cv2.imread(str(out / "one/a.png"), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(crop, align(drawing(1), rows["one/a.png"].points))
    written = read_landmarks(out / "landmarks.csv")
    assert list(written) == ["one/a.png", "one/deep er/b.png", "top.png"]
    assert written["top.png"].points is None


def test_unreadable_photographs_are_listed(photographs, tmp_path):
    root, rows = photographs
    (root / "one" / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    (root / "one" / "empty.png").write_bytes(b"")
    table, out = tmp_path / "given.csv", tmp_path / "out"
    write_landmarks(table, rows.values())
    failed = program(root, out, "--landmarks", table, "--jobs", 1)
    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1
    assert "one/bad.jpg" in failed.stderr
    assert "--skip-bad" in failed.stderr
    listed = [line.split("\t")[0] for line in (out / "unreadable.txt").read_text().splitlines()]
    assert listed == ["one/bad.jpg", "one/empty.png"]
    skipped = program(root, out, "--landmarks", table, "--jobs", 1, "--skip-bad", "--json")
    assert skipped.returncode == 0
    assert json.loads(skipped.stdout)["aligned"] == 2
    assert len(json.loads(skipped.stdout)["unreadable"]) == 2


def test_detector_finds_nothing_in_drawings(photographs, tmp_path):
    root, _ = photographs
    report = align_folder(root, tmp_path / "out", AlignConfig(enlarge=1.5, border=10))
    assert report.no_face == ("one/a.png", "one/deep er/b.png", "top.png")
    assert report.aligned == 0


def test_resume_does_only_what_is_left(photographs, tmp_path):
    root, rows = photographs
    out = tmp_path / "out"
    align_folder(root, out, landmarks=rows)
    whole = {name: (out / name).read_bytes() for name in files_of(out)}
    # As a killed run leaves it: no table, a journal with a line cut short, one crop missing.
    lines = (out / "landmarks.csv").read_text().splitlines(keepends=True)
    (out / "landmarks.csv").unlink()
    (out / ".landmarks.csv.journal").write_text("".join(lines[:2]) + lines[2][:9])
    (out / "one" / "deep er" / "b.jpg").unlink()
    stamp = (out / "one" / "a.jpg").stat().st_mtime_ns
    report = align_folder(root, out, landmarks=rows, resume=True)
    assert (report.finished, report.aligned) == (1, 1)
    assert (out / "one" / "a.jpg").stat().st_mtime_ns == stamp
    assert {name: (out / name).read_bytes() for name in files_of(out)} == whole
    assert align_folder(root, out, landmarks=rows, resume=True).finished == 3
    with pytest.raises(DataError, match="other settings"):
        align_folder(root, out, AlignConfig(size=128), landmarks=rows, resume=True)
    assert align_folder(root, out, AlignConfig(size=128), landmarks=rows).aligned == 2
    assert cv2.imread(str(out / "one" / "a.jpg")).shape == (128, 128, 3)


def test_progress_counts_every_photograph(photographs, tmp_path):
    root, rows = photographs
    counts: list[int] = []
    align_folder(root, tmp_path / "out", landmarks=rows, on_done=counts.append)
    assert sum(counts) == 3


def test_landmarks_at_one_place_are_reported(photographs, tmp_path):
    root, rows = photographs
    rows["one/a.png"] = Landmarks("one/a.png", 1, 1.0, np.ones((5, 2), np.float32))
    report = align_folder(root, tmp_path / "out", landmarks=rows)
    assert [name for name, _ in report.unreadable] == ["one/a.png"]
    assert "one place" in report.unreadable[0][1]


def test_only_the_photographs_that_are_named_are_aligned(photographs, tmp_path):
    root, rows = photographs
    out = tmp_path / "out"
    counts = []
    cv2.imwrite(str(root / "top.jpg"), drawing(9))  # would be of one name with top.png
    report = align_folder(root, out, landmarks=rows, names=["top.png", "one/a.png", "top.png"], on_done=counts.append)
    assert (report.photographs, report.aligned, report.no_face, report.unused) == (2, 1, ("top.png",), 0)
    assert sum(counts) == 2
    assert files_of(out) == ["align.json", "landmarks.csv", "no_face.txt", "one/a.jpg"]
    assert list(read_landmarks(out / "landmarks.csv")) == ["one/a.png", "top.png"]
    with pytest.raises(DataError, match=r"1 of 2 photographs that are asked for is not there \(one/x\.png\)"):
        align_folder(root, tmp_path / "other", landmarks=rows, names=["one/a.png", "one/x.png"])
    assert not (tmp_path / "other").exists()


def test_links_to_folders_are_followed_and_circles_do_no_harm(tmp_path):
    root, elsewhere = tmp_path / "photographs", tmp_path / "elsewhere"
    for name in ("photographs/z/1.jpg", "elsewhere/deep/2.jpg", "elsewhere/.hidden/3.jpg", "elsewhere/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (root / "link").symlink_to(elsewhere)
    (root / "again").symlink_to(elsewhere / "deep")  # each folder counts once
    (root / "a").symlink_to(root / "z")  # and by its own name rather than by a link's
    (elsewhere / "deep" / "back").symlink_to(root)
    (elsewhere / "deep" / "up").symlink_to(elsewhere)
    assert list_photographs(root) == (["again/2.jpg", "z/1.jpg"], ("link/notes.txt",))
    (root / "again").unlink()
    assert list_photographs(root) == (["link/deep/2.jpg", "z/1.jpg"], ("link/notes.txt",))


def test_folders_that_cannot_be_aligned(photographs, tmp_path):
    root, rows = photographs
    with pytest.raises(DataError, match="no such folder"):
        align_folder(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no photograph in it"):
        align_folder(tmp_path / "empty", tmp_path / "out")
    for inner in (root, root / "aligned"):
        with pytest.raises(DataError, match="outside it"):
            align_folder(root, inner)
    cv2.imwrite(str(root / "top.jpg"), drawing(9))
    with pytest.raises(DataError, match=r"top.jpg and top.png would both become top.jpg"):
        align_folder(root, tmp_path / "out", landmarks=rows)
    with pytest.raises(ConfigError, match="at least one process"):
        align_folder(root, tmp_path / "out", jobs=0)


def test_a_link_out_of_the_output_folder_is_refused(photographs, tmp_path):
    root, rows = photographs
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    out.mkdir()
    (out / "one").symlink_to(elsewhere)
    with pytest.raises(DataError, match="would leave the folder"):
        align_folder(root, out, landmarks=rows)
    assert files_of(elsewhere) == []


def test_settings_of_an_earlier_version_can_be_resumed(photographs, tmp_path):
    root, rows = photographs
    out = tmp_path / "out"
    align_folder(root, out, landmarks=rows)
    settings = json.loads((out / "align.json").read_text())
    del settings["rescue"]
    (out / "align.json").write_text(json.dumps(settings))
    assert align_folder(root, out, landmarks=rows, resume=True).finished == 3
    with pytest.raises(DataError, match="other settings"):
        align_folder(root, out, AlignConfig(rescue=True), landmarks=rows, resume=True)


def test_program_lists_failures(photographs, tmp_path):
    root, rows = photographs
    table, out = tmp_path / "given.csv", tmp_path / "out"
    write_landmarks(table, rows.values())
    done = program(root, out, "--landmarks", table, "--rescue", "--jobs", 1)
    assert done.returncode == 0, done.stderr
    assert "3 photographs: 2 aligned, 0 finished before, 0 without a face" in done.stdout
    assert "0 forced, 0 rotated, 1 cropped" in done.stdout
    assert (out / "failures.txt").read_text() == "top.png\n"
    assert cv2.imread(str(out / "top.jpg")).shape == (112, 112, 3)


@pytest.mark.parametrize("wrong", [{"size": 4}, {"format": "gif"}, {"quality": 0}, {"enlarge": 0}, {"fill": "no"}])
def test_settings_out_of_range(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        AlignConfig(**wrong)


def test_table_opens_with_any_csv_reader(photographs, tmp_path):
    root, rows = photographs
    align_folder(root, tmp_path / "out", landmarks=rows)
    with (tmp_path / "out" / "landmarks.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["image"], first["faces"], first["x_left_eye"]) == ("one/a.png", "1", "31.636")
