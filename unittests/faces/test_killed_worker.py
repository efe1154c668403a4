"""A worker process of the alignment that the system kills: one line, nothing half-written, and what was done stays."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.cli import run
from fairface.faces import find_points as find_points_module
from fairface.faces import folder
from fairface.faces.align import TEMPLATE_112
from fairface.faces.folder_worker import Outcome, Task, align_task
from fairface.faces.landmarks import Landmarks, read_landmarks, write_landmarks
from fairface.files import atomic_write
from fairface.programs import align, make_pts_list

PHOTOGRAPHS = 24


def killed_in_the_middle(task: Task) -> list[Outcome]:
    """Aligns the first photographs; at the last ones it dies while it writes a crop."""
    if f"{PHOTOGRAPHS - 1:02}.png" in task.names:
        with atomic_write(task.target / "half.jpg") as file:
            file.write(b"half")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    return align_task(task)


def killed(task: object) -> list[Outcome]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    root = tmp_path / "photographs"
    root.mkdir()
    for number in range(PHOTOGRAPHS):
        cv2.imwrite(str(root / f"{number:02}.png"), np.full((30, 30, 3), number, np.uint8))
    return root


def exit_code(main: Callable[[Sequence[str]], int | None], words: list[str]) -> int:
    with pytest.raises(SystemExit) as left:
        run(main, words)
    code = left.value.code
    assert isinstance(code, int)
    return code


def test_align_keeps_what_was_done_and_goes_on(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, table = tmp_path / "out", tmp_path / "given.csv"
    write_landmarks(table, (Landmarks(path.name, 1, 0.9, TEMPLATE_112) for path in sorted(photographs.iterdir())))
    words = [str(photographs), str(out), "--landmarks", str(table), "--jobs", "2", "--quiet"]
    monkeypatch.setattr(folder, "align_task", killed_in_the_middle)
    assert exit_code(align.main, words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"error: {photographs}: a worker process was killed, most likely because memory ran out; use fewer processes "
        "(--jobs, now 2)\n"
    )
    assert not list(out.rglob("*.part"))
    assert not (out / "landmarks.csv").exists()
    journal = out / ".landmarks.csv.journal"
    crops = {path.stem for path in out.glob("*.jpg")}
    assert all(cv2.imread(str(path)) is not None for path in out.glob("*.jpg"))
    done = {Path(name).stem for name in read_landmarks(journal)} if journal.read_text().count("\n") > 1 else set()
    assert done <= crops < {f"{number:02}" for number in range(PHOTOGRAPHS)}
    monkeypatch.setattr(folder, "align_task", align_task)
    assert exit_code(align.main, [*words, "--resume"]) == 0
    assert len(read_landmarks(out / "landmarks.csv")) == len(list(out.glob("*.jpg"))) == PHOTOGRAPHS


def test_what_a_killed_run_left_is_removed(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "deep").mkdir(parents=True)
    (out / "deep" / ".a.jpg.x1y2.part").write_bytes(b"half")
    folder.align_folder(photographs, out, landmarks={})
    assert not list(out.rglob("*.part"))


def test_lists_of_points_end_in_one_line_too(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(find_points_module, "_find", killed)
    names = tmp_path / "list.txt"
    names.write_text("".join(f"{path.name}\n" for path in sorted(photographs.iterdir())))
    before = sorted(tmp_path.rglob("*"))
    words = ["--img_list", str(names), "--pts_list", str(tmp_path / "points.txt")]
    words += ["--root", str(photographs), "--jobs", "2"]
    assert exit_code(make_pts_list.main, words) == 2
    assert capsys.readouterr().err.startswith(f"error: {photographs}: a worker process was killed")
    assert sorted(tmp_path.rglob("*")) == before
