"""Folders of runs that were finetuned one from the other, of a few bytes each: nothing loads their nets."""

import json
from pathlib import Path

from fairface.checkpoints import MANIFEST, STARTED_FROM, identity
from fairface.files import sha256


def lay_run(folder, start="", steps=(3,)):
    """The run ``folder``, which began with the checkpoint ``start``; its last step is the best."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    (folder / "model-symbol.json").write_text("{}")
    entries = []
    for step in steps:
        (folder / f"model-{step:04d}.params").write_text(f"{folder.name} {step}")
        files = {"params": f"model-{step:04d}.params", "symbol": "model-symbol.json"}
        entries.append({"step": step, "files": files, "position": {}, "score": None})
    sums = {path.name: sha256(path) for path in folder.iterdir()}
    manifest = {"format": 1, "checkpoints": entries, "best": steps[-1], "sha256": sums}
    if start:
        manifest[STARTED_FROM] = identity(start, "models")
    (folder / MANIFEST).write_text(json.dumps(manifest))


def tell_start(run, start):
    """Say in the manifest of ``run`` that it began with ``start``."""
    path = Path(run) / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {STARTED_FROM: identity(start, "models")}))


def lay_finetuning(name="fair"):
    """``base`` and three steps from it, below ``models``."""
    lay_run("models/base", steps=(2, 5))
    for number, start in ((1, "base@2"), (2, f"models/{name}_step1"), (3, f"models/{name}_step2")):
        lay_run(f"models/{name}_step{number}", start)
