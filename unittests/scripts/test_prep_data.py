"""The scripts that make training folders and validation sets, on drawn photographs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fairface.data.opening import open_dataset
from fairface.data.packing.plan import plan_folder
from fairface.data.packing.recordio import PackOptions, pack_plan
from unittests.training.helpers import make_people

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_people(tmp_path / "aligned", 3, 3, 112)
    pack_plan(plan_folder(tmp_path / "aligned"), tmp_path / "faces_emore", PackOptions())
    (tmp_path / "pairs.csv").write_text(
        "image_a,image_b,same\nperson0/0.png,person0/1.png,1\nperson0/0.png,person1/1.png,0\n"
    )
    (tmp_path / "CASIA-Webface" / "mxnet").mkdir(parents=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # as in an activated environment
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path, "ROOT": str(ROOT)}
    for command in (
        "python $ROOT/data_process/make_bin.py pairs.csv --root aligned --output CASIA-Webface/mxnet/lfw.bin",
        "$ROOT/scripts/prep_data_validation.sh",
        "$ROOT/scripts/prep_data_validation.sh",
        "$ROOT/scripts/prep_data_train_folder.sh aligned",
        "$ROOT/scripts/prep_data_train_folder.sh faces_emore 'all data/emore'",
    ):
        subprocess.run(["bash", "-c", command], check=True, env=environment)
    assert len(open_dataset("all_data/validation/lfw")) == 4
    assert len(open_dataset("all_data/train")) == len(open_dataset("all data/emore")) == 9
    for script in ("prep_data_validation.sh", "prep_data_train_folder.sh"):
        done = subprocess.run([ROOT / "scripts" / script, "none"], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith("error: none: there is no such folder")
