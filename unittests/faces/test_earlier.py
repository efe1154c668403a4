"""A folder that holds aligned photographs of other people already: refused, or added to with all rows kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.errors import DataError
from fairface.faces.align import template
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig
from fairface.faces.landmarks import Landmarks, read_landmarks

ROOT = Path(__file__).parents[2]
POINTS = template(112).astype(np.float32) + 4


def program(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "data_process" / "align.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def photographs(root: Path, *names: str) -> tuple[Path, dict[str, Landmarks]]:
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        image = np.random.default_rng(number).integers(0, 256, (120, 120, 3), dtype=np.uint8)
        cv2.imwrite(str(root / name), image)
    return root, {name: Landmarks(name, 1, 0.9, POINTS) for name in names if "none" not in name}


@pytest.fixture
def first(tmp_path: Path) -> tuple[Path, Path, dict[str, Landmarks]]:
    root, rows = photographs(tmp_path / "train", "ann/1.png", "ann/none.png", "bo/1.png")
    (root / "bo" / "bad.png").write_bytes(b"")
    align_folder(root, tmp_path / "out", landmarks=rows)
    return root, tmp_path / "out", rows


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_other_photographs_are_refused_and_nothing_is_changed(first: tuple, tmp_path: Path) -> None:
    root, out, rows = first
    before = contents(out)
    other, given = photographs(tmp_path / "test", "cy/1.png")
    with pytest.raises(DataError, match=r"holds 3 images of other photographs .*ann/1 first\); .*--add") as caught:
        align_folder(other, out, landmarks=given)
    assert "\n" not in str(caught.value)
    assert contents(out) == before
    # The same photographs are aligned again, in another format too.
    align_folder(root, out, AlignConfig(format="png"), landmarks=rows)
    (tmp_path / "mixed").mkdir()
    cv2.imwrite(str(tmp_path / "mixed" / "by_hand.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DataError, match="holds 1 image of other photographs"):
        align_folder(root, tmp_path / "mixed", landmarks=rows)


def test_added_photographs_keep_all_rows_and_lists(first: tuple, tmp_path: Path) -> None:
    _, out, _ = first
    before = contents(out)
    other, given = photographs(tmp_path / "test", "cy/1.png", "cy/none.png")
    report = align_folder(other, out, landmarks=given, add=True)
    assert (report.photographs, report.aligned, report.no_face) == (2, 1, ("cy/none.png",))
    found = read_landmarks(out / "landmarks.csv")
    assert list(found) == ["ann/1.png", "ann/none.png", "bo/1.png", "cy/1.png", "cy/none.png"]
    assert (out / "no_face.txt").read_text() == "ann/none.png\ncy/none.png\n"
    assert (out / "unreadable.txt").read_text().startswith("bo/bad.png\t")
    assert {name: after for name, after in contents(out).items() if name.startswith(("ann", "bo"))} == {
        name: content for name, content in before.items() if name.startswith(("ann", "bo"))
    }
    with pytest.raises(DataError, match=r"cy/1.png is there already \(2 such photographs\); .*--resume"):
        align_folder(other, out, landmarks=given, add=True)
    assert align_folder(other, out, landmarks=given, add=True, resume=True).finished == 2
    with pytest.raises(DataError, match="other settings"):
        align_folder(photographs(tmp_path / "more", "di/1.png")[0], out, AlignConfig(size=96), landmarks={}, add=True)


def test_the_program_says_how(first: tuple, tmp_path: Path) -> None:
    _, out, _ = first
    other, _ = photographs(tmp_path / "test", "cy/none.png")
    table = tmp_path / "none.csv"
    table.write_text((out / "landmarks.csv").read_text().splitlines()[0] + "\n")
    failed = program(other, out, "--landmarks", table)
    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1
    assert "--add" in failed.stderr
    assert program(other, out, "--landmarks", table, "--add").returncode == 0
    assert "ann/1.png" in read_landmarks(out / "landmarks.csv")
