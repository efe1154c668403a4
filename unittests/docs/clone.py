"""A folder laid out like a fresh clone beside a reader's photographs, and pages typed in it from top to bottom.

Commands are run as they are printed. What makes them quick enough for a test stands here and nowhere else:

- the configurations of the clone are smaller ones of the same names (:func:`small`);
- the photographs are drawn (``unittests/docs/drawn_faces.py``), 24 people to train on and 8 to test on;
- the embedded data set is prepared already, from noise instead of the photographs that would have to be fetched;
- ``.venv/bin/activate`` leads to the Python that runs the tests;
- ``make test`` finds one file of tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from fairface.faces import folder_worker
from fairface.faces.align import TEMPLATE_112
from fairface.faces.landmarks import Landmarks
from fairface.recipes import orl
from fairface.recipes.orl_source import NAMES
from unittests.docs.blocks import ROOT, Block
from unittests.docs.drawn_faces import draw_people

# Women and men in turn.
TRAIN_PEOPLE = ("ada", "alan", "barbara", "bernhard", "carolyn", "claude", "cynthia", "dennis", "evelyn", "edsger",
                "frances", "george", "grace", "john", "karen", "kurt", "lenore", "lotfi", "mary", "niklaus", "olga",
                "peter", "ruth", "rudolf")  # fmt: skip
TEST_PEOPLE = ("radia", "robin", "shafi", "tony", "sophie", "vint", "wendy", "yann")
PROGRAMS = ("train", "test", "data_process", "scripts", "datasets", "experiments")
ONE_TEST = "unittests/test_errors_cli.py"


def lay_out(folder: Path) -> Path:
    """Programs, small configurations, an environment to activate and the reader's photographs, in ``folder``."""
    for name in PROGRAMS:  # copies, since programs and scripts write to the folder that they really lie in
        unwanted = shutil.ignore_patterns("__pycache__", "tmp_data", "final_eval_models", "orl")
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    for path in (*ROOT.glob("*.sh"), *(ROOT / name for name in ("Makefile", "pyproject.toml", "requirements.lock"))):
        shutil.copy(path, folder)
    (folder / "fairface").symlink_to(ROOT / "fairface")
    (folder / ONE_TEST).parent.mkdir()
    shutil.copy(ROOT / ONE_TEST, folder / ONE_TEST)
    for path in (folder / "train" / "configs").glob("*.yaml"):
        path.write_text(yaml.safe_dump(small(yaml.safe_load(path.read_text(encoding="utf-8")))))
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "activate").write_text(f'export PATH="{Path(sys.executable).parent}:$PATH"\n')
    draw_people(folder / "photos", TRAIN_PEOPLE, 2)
    draw_people(folder / "photos_test", TEST_PEOPLE, 3, first=len(TRAIN_PEOPLE))
    people = [f"{name},{'fm'[i % 2]}" for i, name in enumerate(TRAIN_PEOPLE + TEST_PEOPLE)]
    (folder / "people.csv").write_text("\n".join(["person,sex", *people, ""]))
    return folder


def small(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with a few steps of a narrow net, and groups of the few people that there are."""
    stages = config.get("steps")
    changes: dict[str, Any] = {"batch_size": 8, "devices": "cpu0"} | ({} if isinstance(stages, list) else {"steps": 2})
    config = {key: value for key, value in config.items() if key != "epochs"} | changes
    for stage in stages if isinstance(stages, list) else ():
        stage.pop("epochs", None)
        stage["steps"] = 2
    config["backbone"] = {**config.get("backbone", {}), "width": 0.25}
    config["log"] = {**config.get("log", {}), "tensorboard": False, "sheet": False}
    if "test" in config:
        config["test"]["bootstrap"] = 20
    if "fairness" in config:
        config["fairness"] |= {"min_subjects": 2, "fmr": 0.1}
    return config


def prepare_embedded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``datasets/orl`` as ``data_process/prepare_orl.py`` makes it, of smooth noise with a face in the same place."""
    source, target = ROOT / "datasets" / "orl", folder / "datasets" / "orl"
    target.mkdir()
    shutil.copy(source / "attributes.csv", target)
    rng = np.random.default_rng(0)
    subjects = {name.split("/")[0]: rng.integers(60, 200, (112, 92)) for name in NAMES}
    noise = {name: subjects[name.split("/")[0]] + rng.integers(-40, 40, (112, 92)) for name in NAMES}
    photographs = {name: b"P5\n92 112\n255\n" + pixels.astype(np.uint8).tobytes() for name, pixels in noise.items()}
    points = TEMPLATE_112 * np.float32(0.8)
    with monkeypatch.context() as patched:
        patched.setattr(orl, "orl_photographs", lambda wheel: photographs)
        patched.setattr(folder_worker, "find_main", lambda detector, rgb, name, *_: Landmarks(name, 1, 0.9, points))
        orl.prepare_orl(target, target / "attributes.csv")


def typed(blocks: list[Block], folder: Path) -> list[str]:
    """Run the blocks one after the other in one shell and ``folder``; what each printed.

    The first command that fails ends the page, and the test with its block and output.
    """
    out = folder / ".printed"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    script = ["set -eo pipefail"]
    for number, block in enumerate(blocks):
        path = out / f"block{number}.{'py' if block.language == 'python' else 'sh'}"
        path.write_text(block.text, encoding="utf-8")
        command = f"python - < {path}" if block.language == "python" else f". {path}"
        script.append(f"{{ {command}; }} > {out}/{number}.txt 2>&1")
    kept = ("HOME", "LANG", "OMP_NUM_THREADS", "TMPDIR")  # none of pytest's
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, "PIP_NO_INDEX": "1"}
    done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, env=environment, check=False)
    printed = [path.read_text(encoding="utf-8") for path in sorted(out.glob("*.txt"), key=lambda path: int(path.stem))]
    assert done.returncode == 0, f"exit {done.returncode} in\n{blocks[len(printed) - 1].text}\n{printed[-1][-3000:]}"
    return printed
