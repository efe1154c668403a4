"""Embeddings and landmarks: readable by their owner only, found by what they hold, removed from their folder only."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from fairface.cli import run
from fairface.embedding.personal_files import find_personal
from fairface.embedding.store import Embeddings, load_embeddings, save_embeddings
from fairface.errors import ConfigError
from fairface.faces.journal import Journal
from fairface.faces.landmarks import Landmarks, read_landmarks, write_landmarks
from fairface.faces.masks.log import MaskRow, read_log, write_log
from fairface.faces.masks.textures import Textures
from fairface.faces.point_list import read_point_list, write_point_list
from fairface.files import atomic_write
from fairface.programs.purge import main

POINTS = np.arange(10, dtype=np.float32).reshape(5, 2)
ROWS = [Landmarks("ada/1.jpg", 1, 0.9, POINTS), Landmarks("bo/1.jpg", 0, None, None)]


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def write_all(folder):
    """One file of each kind that our programs write."""
    folder.mkdir(parents=True, exist_ok=True)
    save_embeddings(folder / "e.npz", Embeddings(np.ones((2, 3), np.float32), ("a", "b")))
    write_landmarks(folder / "landmarks.csv", ROWS)
    write_point_list(folder / "points.txt", ROWS)
    write_log(folder / "masks.jsonl", [MaskRow("ada/1.jpg", "unmasked")], Textures())
    with Journal(folder, "other.csv", resume=True) as journal:
        journal.add(ROWS)
    return ["masks.jsonl", "e.npz", "landmarks.csv", "points.txt", ".other.csv.journal"]


@pytest.mark.usefixtures("open_umask")
def test_only_the_owner_can_read_them(tmp_path):
    for name in write_all(tmp_path):
        assert mode(tmp_path / name) == 0o600, name
    with atomic_write(tmp_path / "plain.txt", "w") as file:
        file.write("x")
    assert mode(tmp_path / "plain.txt") == 0o666
    # They are what they were, and a file of an earlier version that others could read is closed when it is written.
    assert len(load_embeddings(tmp_path / "e.npz")) == 2
    assert [row.image for row in read_log(tmp_path / "masks.jsonl")] == ["ada/1.jpg"]
    assert read_point_list(tmp_path / "points.txt")["ada/1.jpg"].tolist() == POINTS.tolist()
    for name in ("landmarks.csv", ".other.csv.journal"):
        os.chmod(tmp_path / name, 0o644)
    write_landmarks(tmp_path / "landmarks.csv", ROWS)
    with Journal(tmp_path, "other.csv", resume=True) as journal:
        assert set(journal.rows) == {"ada/1.jpg", "bo/1.jpg"}
    assert mode(tmp_path / "landmarks.csv") == mode(tmp_path / ".other.csv.journal") == 0o600
    assert set(read_landmarks(tmp_path / "landmarks.csv")) == {"ada/1.jpg", "bo/1.jpg"}


@pytest.mark.usefixtures("open_umask")
def test_nobody_can_read_them_while_they_are_written(tmp_path):
    with atomic_write(tmp_path / "e.npz", personal=True) as file:
        (part,) = tmp_path.iterdir()
        assert mode(part) == 0o600
        file.write(b"x")


def call(capsys, *words):
    with pytest.raises(SystemExit) as left:
        run(main, [str(word) for word in words])
    return left.value.code, *capsys.readouterr()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """results/ with personal files at two depths and others, and a folder outside."""
    (tmp_path / "clone").mkdir()
    monkeypatch.chdir(tmp_path / "clone")
    write_all(Path("results"))
    write_all(Path("results/run/deep"))
    write_all(tmp_path / "outside")
    Path("results/.e.npz.abc.part").write_bytes(b"PK")
    for name in ("predictions.csv", "notes.txt", "damaged.npz"):
        Path("results", name).write_text("image,score\nada/1.jpg,0.5\n")
    Path("results/log.jsonl").write_text('{"step": 1, "loss": 2.0}\n')
    np.savez("results/hashes.npz", hashes=np.zeros(3))
    Path("results/points_of_others.txt").write_text(Path("results/points.txt").read_text())
    os.chmod("results/points_of_others.txt", 0o644)
    Path("results/ijbc_name_5pts_score.txt").write_text(Path("results/points.txt").read_text())
    os.chmod("results/ijbc_name_5pts_score.txt", 0o600)
    Path("results/linked").symlink_to(tmp_path / "outside")
    Path("results/linked.npz").symlink_to(tmp_path / "outside" / "e.npz")
    return tmp_path


def all_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or path.is_symlink())


WANTED = [".e.npz.abc.part", ".other.csv.journal", "e.npz", "landmarks.csv", "masks.jsonl", "points.txt",
          "run/deep/.other.csv.journal", "run/deep/e.npz", "run/deep/landmarks.csv", "run/deep/masks.jsonl",
          "run/deep/points.txt"]  # fmt: skip


def test_a_dry_run_lists_and_removes_nothing(place, capsys):
    before = all_files(place)
    code, out, err = call(capsys)
    assert (code, err) == (0, "")
    listed = [line.split(":")[0].removeprefix("results/") for line in out.splitlines()[: len(WANTED)]]
    assert listed == WANTED
    assert out.splitlines()[-1].startswith("11 files with embeddings or landmarks")
    assert out.splitlines()[-1].endswith("nothing is removed without --remove")
    assert out.count("a link, not followed") == 2
    assert all_files(place) == before


def test_remove_removes_these_and_says_so(place, capsys):
    before = all_files(place)
    sizes = sum(os.path.getsize(Path("results", name)) for name in WANTED)
    code, out, err = call(capsys, "--remove", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["removed"] is True
    assert [file["path"].removeprefix("results/") for file in told["files"]] == WANTED
    assert sum(file["size"] for file in told["files"]) == sizes
    assert told["links_not_followed"] == ["results/linked", "results/linked.npz"]
    assert set(before) - set(all_files(place)) == {f"clone/results/{name}" for name in WANTED}
    code, out, _ = call(capsys, "--remove")
    assert out.splitlines()[-1] == "removed 0 files with embeddings or landmarks, 0 bytes"


def test_a_folder_that_is_a_link_is_not_followed(place, capsys):
    Path("models").symlink_to(place / "outside")
    _, out, _ = call(capsys, "models", "--remove")
    assert "models: a link, not followed" in out
    assert (place / "outside" / "e.npz").exists()


def test_named_folders_only_and_never_the_place_itself(place, capsys):
    _, out, _ = call(capsys, "../outside", "--remove")
    assert out.splitlines()[-1].startswith("removed 5 files")
    assert Path("results/e.npz").exists()
    for folder in (".", "..", "/", "../clone", str(place)):
        code, out, err = call(capsys, folder, "--remove")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "holds the current folder" in err
    with pytest.raises(ConfigError):
        find_personal(["results/.."])
    assert Path("results/e.npz").exists()


def test_what_cannot_be_removed_is_counted_and_the_rest_goes(place, capsys, monkeypatch):
    unlink = os.unlink

    def refuse(path, **kwargs):
        if str(path).endswith("deep/e.npz"):
            raise PermissionError(13, "Permission denied")
        unlink(path, **kwargs)

    monkeypatch.setattr(os, "unlink", refuse)
    code, out, err = call(capsys, "--remove")
    assert (code, out) == (2, "")
    assert "results/run/deep/e.npz: cannot be removed (Permission denied), 1 of 11 files is still there" in err
    assert not Path("results/run/deep/points.txt").exists()
