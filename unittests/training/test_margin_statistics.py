"""A fine-tune goes on with the statistics of a margin whose head it takes, and says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fairface.parameters import load_arrays
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

STILL = ("steps=1", "save_every=1", "verify.every=0", "optimizer.lr=0")
HEADS = {"adaface": {"t_alpha": 1e-6}, "curricularface": {"alpha": 1e-6}}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Path:
    """A run with each of the heads whose statistics moved fast."""
    folder = tmp_path_factory.mktemp("margins")
    for name, option in (("adaface", {"t_alpha": 0.5}), ("curricularface", {"alpha": 0.5})):
        head = {"name": name, "s": 8.0, "options": option}
        words = (f"name={name}", "steps=4", "save_every=4", "verify.every=0")
        assert train(tiny_config(folder, people, *words, head=head), quiet=True) == 0
    return folder / "models"


def state_of(run: Path) -> dict[str, float]:
    arrays = load_arrays(str(next(run.glob("state-*.params"))))
    return {key: float(array.asscalar()) for key, array in arrays.items() if key.startswith("method.head.")}


def tuned(folder: Path, people: Path, start: Path, head: str) -> tuple[dict[str, float], str]:
    """The statistics after one step that hardly moves them, and what was said."""
    group = {"name": head, "s": 8.0, "options": HEADS[head]}
    words = ("name=tuned", f"start_from={start}", *STILL)
    assert train(tiny_config(folder, people, *words, head=group), overwrite=True, quiet=True) == 0
    return state_of(folder / "models" / "tuned"), (folder / "models" / "tuned" / "train.log").read_text()


@pytest.mark.parametrize("head", sorted(HEADS))
@pytest.mark.parametrize("without", ["", "note", "state"])
def test_a_head_that_fits_goes_on(tmp_path: Path, people: Path, models: Path, head: str, without: str) -> None:
    """The best checkpoint of a run often has no state; an older run's manifest notes no statistics."""
    start = shutil.copytree(models / head, tmp_path / "models" / head)
    before = state_of(start)
    manifest = json.loads((start / "manifest.json").read_text())
    if without == "note":
        del manifest["checkpoints"][-1]["position"]["statistics"]
    if without == "state":
        next(start.glob("state-*.params")).unlink()
        del manifest["checkpoints"][-1]["files"]["state"]
    (start / "manifest.json").write_text(json.dumps(manifest))
    found, said = tuned(tmp_path, people, start, head)
    assert found == pytest.approx(before, rel=1e-3)
    assert f"head: goes on with the margin's statistics of {start} (" in said


def test_statistics_that_cannot_be_taken_over_are_told(tmp_path: Path, people: Path, models: Path) -> None:
    at_first = {"method.head.batch_mean": 20.0, "method.head.batch_std": 100.0}  # AdaFace's start values
    found, said = tuned(tmp_path, people, models / "curricularface", "adaface")
    assert found == pytest.approx(at_first, rel=1e-3)
    assert "warning: head: " in said
    assert "keeps no batch_mean, batch_std; they start anew (batch_mean 20, batch_std 100)" in said
    more = make_people(tmp_path / "more", people=5)
    found, said = tuned(tmp_path, more, models / "adaface", "adaface")
    assert found == pytest.approx(at_first, rel=1e-3)
    assert "head: the margin's statistics start anew, as the head does (batch_mean 20, batch_std 100)" in said
    start = shutil.copytree(models / "adaface", tmp_path / "models" / "adaface")
    manifest = json.loads((start / "manifest.json").read_text())
    del manifest["checkpoints"][-1]["position"]["statistics"]
    (start / "manifest.json").write_text(json.dumps(manifest))
    next(start.glob("state-*.params")).write_bytes(b"damaged")
    found, said = tuned(tmp_path, people, start, "adaface")
    assert found == pytest.approx(at_first, rel=1e-3)
    assert "changed since it was written" in said
