"""The README's worked example on drawn photographs: align, fine-tune, score. Landmarks come from a file."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from fairface.faces.align import TEMPLATE_112
from fairface.faces.landmarks import Landmarks, write_landmarks

ROOT = Path(__file__).parents[2]


def program(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def draw_photos(root: Path, people: int = 3, images: int = 4) -> Path:
    """Larger than a crop, one folder a person, with a landmarks file beside them."""
    rows = []
    for person in range(people):
        rng = np.random.default_rng(person)
        pattern = cv2.resize(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8), (180, 200), interpolation=cv2.INTER_CUBIC)
        (root / f"person {person}").mkdir(parents=True)
        for image in range(images):
            name = f"person {person}/{image}.jpg"
            noisy = np.clip(pattern + rng.normal(0, 15, pattern.shape), 0, 255).astype(np.uint8)
            cv2.imwrite(str(root / name), noisy)
            points = TEMPLATE_112 + 30 + rng.normal(0, 0.5, (5, 2))
            rows.append(Landmarks(name, 1, 1.0, points.astype(np.float32)))
    landmarks = root.parent / "landmarks.csv"
    write_landmarks(landmarks, rows)
    return landmarks


def test_align_fine_tune_and_score(tmp_path: Path) -> None:
    landmarks = draw_photos(tmp_path / "photos")
    aligned, models = tmp_path / "aligned", tmp_path / "models"
    done = program("data_process/align.py", tmp_path / "photos", aligned, "--landmarks", landmarks)
    assert done.returncode == 0, done.stderr
    small = [f"output={models}", "devices=cpu0", "batch_size=4", "steps=2", "backbone.width=0.25"]
    base = ["name=base", f"data.path={aligned}", "verify.every=0", f"verify.sets={aligned}", "test.sets="]
    done = program("train/train.py", "train/configs/orl_demo.yaml", *small, *base)
    assert done.returncode == 0, done.stderr
    done = program("train/train.py", "train/configs/my_photos.yaml", *small, f"data.path={aligned}", "start_from=base")
    assert done.returncode == 0, done.stderr
    done = program("test/verification.py", "--model", models / "my_photos", "--set", aligned, "--json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"].values()
    assert (result["genuine"], result["impostor"], result["subjects"]) == (18, 48, 3)


def test_one_line_and_exit_code_two() -> None:
    done = program("train/train.py", "train/configs/my_photos.yaml", "data.path=no/such/folder")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: no/such/folder")
    assert "Traceback" in program("train/train.py", "train/configs/my_photos.yaml", "seed=x", "--debug").stderr


def test_dry_run_is_one_object(tmp_path: Path) -> None:
    draw_photos(tmp_path / "photos")
    small = ["backbone.width=0.25", "devices=cpu0,cpu1", f"data.path={tmp_path / 'photos'}", f"output={tmp_path}"]
    done = program("train/train.py", "train/configs/my_photos.yaml", *small, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["images"] == 12
    assert result["identities"] == [3]
    assert result["memory_bytes"] > 0
    assert result["total_seconds"] > 0
    assert not (tmp_path / "my_photos").exists()
