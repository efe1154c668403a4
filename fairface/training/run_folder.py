"""A run's folder: checkpoints that are whole or not there, and the manifest that names them.

``models/<run>/``: ``manifest.json``, ``config.yaml``, ``log.jsonl``, ``train.log``, ``metrics.json``,
``model-symbol.json`` and ``model-NNNN.params`` (MXNet's deploy layout), ``blocks-NNNN.params`` (head and whatever
else is trained), ``state-NNNN.params`` (optimizer, method). NNNN is the training step.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fairface.checkpoints import MANIFEST, read_manifest
from fairface.files import atomic_write, sha256, sync, write_json
from fairface.graph.export import export
from fairface.mx import NDArray, gluon
from fairface.parameters import save_arrays
from fairface.training.best import best_whole

STATES = 2  # checkpoints that keep the state of the optimizer
LEFTOVERS = (".part-*", ".*.part")  # of a process that was killed while it wrote
CHECKPOINT_FILES = ("model-*.params", "blocks-*.params", "state-*.params")


def remove(paths: Iterable[Path]) -> None:
    """Remove files, and folders with what is in them."""
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


class RunFolder:
    """Writes a run's checkpoints and reads its manifest.

    Args:
        folder: made when it is not there.
        keep: how many checkpoints are kept in addition to the best one.
        facts: what the manifest says of the run (method, classes, versions …).
        tidy: remove what a killed process left; False for a process that only reads.
    """

    def __init__(self, folder: Path, keep: int, facts: Mapping[str, Any], tidy: bool = True) -> None:
        self.folder = folder
        self.keep = keep
        self.manifest: dict[str, Any] = {"format": 1, "checkpoints": [], "best": None, "sha256": {}}
        self._graph: tuple[Any, str] = (None, "")
        for pattern in LEFTOVERS if tidy else ():
            remove(folder.glob(pattern))
        if (folder / MANIFEST).is_file():
            self.manifest = read_manifest(folder)
        self.manifest.update(facts)

    def write_text(self, name: str, text: str) -> None:
        """Write one of the run's text files, whole."""
        with atomic_write(self.folder / name, "w", encoding="utf-8") as file:
            file.write(text)

    def write_json(self, name: str, value: Any) -> None:
        """Write one of the run's JSON files, whole."""
        write_json(self.folder / name, value)

    def save(
        self,
        step: int,
        inference: gluon.HybridBlock,
        blocks: Mapping[str, Mapping[str, NDArray]],
        state: Mapping[str, NDArray],
        position: Mapping[str, Any],
        score: float | None,
        best_so_far: bool,
    ) -> None:
        """Write the checkpoint of ``step``: the files first, the manifest last, then drop what is no longer kept.

        Args:
            inference: exported as symbol and params; must have run once since it was hybridized.
            blocks: arrays of the other blocks, which go to ``blocks-NNNN.params``, by name.
            state: the step, optimizer and method arrays.
            position: what else a resumed run needs, JSON-ready.
            score: the monitored score, or None when none was measured at this step.
            best_so_far: mark this checkpoint as the best.

        A power cut at any moment leaves a manifest whose files are whole: they are on the disk before it names them.

        Raises:
            DataError: the files cannot be written; earlier checkpoints stay.
        """
        others = {f"{name}.{key}": array for name, arrays in blocks.items() for key, array in arrays.items()}
        files = {"params": f"model-{step:04d}.params", "symbol": "model-symbol.json"}
        self._write_export(inference, files)
        if others:
            files["blocks"] = f"blocks-{step:04d}.params"
            save_arrays(self.folder / files["blocks"], others)
        files["state"] = f"state-{step:04d}.params"
        save_arrays(self.folder / files["state"], state)
        entry = {"step": step, "files": files, "position": dict(position), "score": score}
        entries = [old for old in self.manifest["checkpoints"] if int(old["step"]) != step]
        self.manifest["checkpoints"] = sorted([*entries, entry], key=lambda item: int(item["step"]))
        if best_so_far:
            self.manifest["best"] = step
        for name in files.values():
            self.manifest["sha256"][name] = sha256(self.folder / name)
        self._write_manifest()

    def score(self, step: int, score: float, best_so_far: bool) -> None:
        """Note the score of a checkpoint that was saved without one.

        Raises:
            DataError: the manifest cannot be written.
        """
        for entry in self.manifest["checkpoints"]:
            if int(entry["step"]) == step:
                entry["score"] = score
        if best_so_far:
            self.manifest["best"] = step
        self._write_manifest()

    def forget_after(self, step: int, better: Callable[[float, float], bool]) -> list[str]:
        """Go on from ``step``: checkpoints after it count no more, and their files go with the next one.

        The best is the best of those that are left; a manifest that names another one is replaced. A process that was
        killed before it wrote the manifest left whole files that no manifest names: they are removed.

        Args:
            better: see :func:`fairface.training.best.best_whole`.

        Returns:
            What is wrong with checkpoints that have a better score than the best.

        Raises:
            DataError: the manifest cannot be written.
        """
        named = {name for entry in self.manifest["checkpoints"] for name in entry["files"].values()}
        files = [file for pattern in CHECKPOINT_FILES for file in self.folder.glob(pattern)]
        remove(file for file in files if file.name not in named)
        kept = [entry for entry in self.manifest["checkpoints"] if int(entry["step"]) <= step]
        self.manifest["checkpoints"] = kept
        before = self.manifest["best"]
        self.manifest["best"], problems = best_whole(self.folder, self.manifest, better)
        if self.manifest["best"] != before:
            self._write_manifest()
        return problems

    def last_step(self) -> int | None:
        """Step of the newest checkpoint, None when there is none."""
        steps = [int(entry["step"]) for entry in self.manifest["checkpoints"]]
        return steps[-1] if steps else None

    def best_score(self) -> float | None:
        """Score of the best checkpoint, None when none was scored."""
        for entry in self.manifest["checkpoints"]:
            if entry["step"] == self.manifest["best"]:
                return None if entry["score"] is None else float(entry["score"])
        return None

    def _write_manifest(self) -> None:
        """Name what is kept, safe from a power cut; only then remove what is not."""
        dropped = self._forget_old()
        sync(self.folder)
        self.write_json(MANIFEST, self.manifest)
        sync(self.folder)
        for name in dropped:
            (self.folder / name).unlink(missing_ok=True)

    def _forget_old(self) -> list[str]:
        """Take all but the newest ``keep`` and the best checkpoint from the manifest; returns their files.

        The newest ``STATES`` keep their optimizer state: where the newest is damaged, the one before can be resumed.
        """
        entries = self.manifest["checkpoints"]
        kept = [e for i, e in enumerate(entries) if i >= len(entries) - self.keep or e["step"] == self.manifest["best"]]
        for entry in kept[:-STATES]:
            entry["files"].pop("state", None)
        self.manifest["checkpoints"] = kept
        used = {name for entry in kept for name in entry["files"].values()}
        dropped = [name for name in self.manifest["sha256"] if name not in used]
        for name in dropped:
            del self.manifest["sha256"][name]
        return dropped

    def _write_export(self, inference: gluon.HybridBlock, files: Mapping[str, str]) -> None:
        symbol, arrays = export(inference)
        self._write_symbol(files["symbol"], self._text_of(symbol))
        save_arrays(self.folder / files["params"], arrays)

    def _text_of(self, symbol: Any) -> str:
        """The graph as JSON. MXNet loses memory each time it writes one: a run's graph is written as text once."""
        key = (symbol.get_internals().list_outputs(), symbol.attr_dict())
        if self._graph[0] != key:
            self._graph = (key, symbol.tojson())
        return self._graph[1]

    def _write_symbol(self, name: str, text: str) -> None:
        """Earlier checkpoints share the file: where it is whole and says the same, it stays as the manifest has it."""
        path = self.folder / name
        with suppress(OSError, ValueError, KeyError, TypeError):
            whole = sha256(path) == self.manifest["sha256"].get(name)
            if whole and _unnamed(path.read_text(encoding="utf-8")) == _unnamed(text):
                return
        self.write_text(name, text)


def _unnamed(symbol: str) -> Any:
    """A graph without the names of its operators, which depend on what else the process has built."""
    graph = json.loads(symbol)
    for node in graph["nodes"]:
        if node["op"] != "null":
            del node["name"]
    return graph
