"""The best checkpoint is the best of those that are left, whichever of them was damaged."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from fairface.checkpoints import resolve
from fairface.files import sha256
from fairface.training.run import train
from fairface.training.run_folder import RunFolder
from unittests.training.helpers import make_people, tiny_config

STEPS = (2, 4, 6, 8)


def write_run(folder: Path, scores: tuple[float | None, ...], best: int | None) -> None:
    """A run of four checkpoints with these scores; its files hold no arrays, only what their sums are of."""
    folder.mkdir()
    entries, sums = [], {}
    for step, score in zip(STEPS, scores, strict=True):
        files = {role: f"{kind}-{step:04d}.params" for role, kind in (("params", "model"), ("blocks", "blocks"))}
        for name in files.values():
            (folder / name).write_text(name)
            sums[name] = sha256(folder / name)
        files["symbol"] = "model-symbol.json"
        entries.append({"step": step, "files": files, "score": score})
    (folder / "model-symbol.json").write_text("{}")
    sums["model-symbol.json"] = sha256(folder / "model-symbol.json")
    (folder / "manifest.json").write_text(json.dumps({"checkpoints": entries, "best": best, "sha256": sums}))


@pytest.mark.parametrize("lower", [False, True])
def test_the_best_is_of_those_that_are_left(tmp_path: Path, lower: bool) -> None:
    """Scores, the checkpoint that the run falls back to, and one damaged before it or none: a part of all choices."""
    better: Callable[[float, float], bool] = float.__le__ if lower else float.__ge__
    choices = itertools.product((0.25, 0.5, None, math.nan), repeat=4)
    tried = list(itertools.product(choices, (4, 6, 8), (None, 2, 4)))[::31]
    for number, (scores, start, damaged) in enumerate(tried):
        folder = tmp_path / str(number)
        write_run(folder, scores, best=8)
        if damaged is not None:
            (folder / f"blocks-{damaged:04d}.params").write_text("damaged")
        run = RunFolder(folder, 4, {})
        problems = run.forget_after(start, better)
        whole = [
            (-score if lower else score, step)
            for step, score in zip(STEPS, scores, strict=True)
            if step <= start and step != damaged and score is not None and not math.isnan(score)
        ]
        wanted = max(whole)[1] if whole else None
        assert run.manifest["best"] == wanted, (scores, start, damaged)
        assert json.loads((folder / "manifest.json").read_text())["best"] == wanted
        if wanted is not None:
            assert resolve(f"{folder}@best").step == wanted
        assert all(f"blocks-{damaged:04d}.params: changed" in problem for problem in problems)
        assert len(problems) <= 1
    assert len(tried) > 70


def test_a_damaged_best_is_said(tmp_path: Path) -> None:
    write_run(tmp_path / "run", (0.1, 0.9, 0.5, None), best=4)
    (tmp_path / "run" / "model-0004.params").unlink()
    problems = RunFolder(tmp_path / "run", 2, {}).forget_after(8, float.__ge__)
    assert len(problems) == 1
    assert "model-0004.params: cannot be read" in problems[0]
    assert resolve(str(tmp_path / "run")).step == 6


@pytest.mark.parametrize(
    ("monitor", "good", "bad"), [("auc", 9.0, -1.0), ("eer", -1.0, 9.0)], ids=["higher is better", "lower is better"]
)
def test_a_resumed_run_keeps_the_best(tmp_path: Path, monitor: str, good: float, bad: float) -> None:
    """The newest checkpoint is damaged; of the two that are left, the first has the better score."""
    people = make_people(tmp_path / "people", people=3, images=3)
    config = tiny_config(tmp_path, people, "steps=3", "save_every=1", "verify.every=1", f"verify.monitor={monitor}")
    run = tmp_path / "models" / "tiny"
    assert train(config, quiet=True) == 0
    manifest = json.loads((run / "manifest.json").read_text())
    for entry, score in zip(manifest["checkpoints"], (good, bad, good), strict=True):
        entry["score"] = score
    (run / "manifest.json").write_text(json.dumps(manifest | {"best": 3}))
    (run / "model-0003.params").write_bytes(b"damaged")
    assert train(config, resume=True, quiet=True) == 0
    assert resolve(str(run)).step == 1
    assert [entry["step"] for entry in json.loads((run / "manifest.json").read_text())["checkpoints"]] == [1, 2, 3]
