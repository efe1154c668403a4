"""MODEL_CARD.md: what a model is, what it learnt from, how well it does, and what it is not for.

Facts come from the run's folder: ``manifest.json``, ``config.yaml``, ``metrics.json``, ``group.json``. What they do not
say is "not stated": a model of which only the weights are known gets a card that says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fairface.checkpoints import CheckpointFiles, run_and_step, run_folder
from fairface.errors import CheckpointError
from fairface.interop.dlib.published import DATA, ORIGIN, is_published
from fairface.interop.onnx.alignment import alignment
from fairface.interop.onnx.metadata import Metadata
from fairface.parsing import parse_json, parse_yaml
from fairface.quantity import quantity

NOT_STATED = "not stated"
_LONGEST_CHAIN = 10  # runs that started from one another
_LIMITS = """\
- Error rates differ between groups of people. Without figures by group here, nobody knows by how much; measure them on
  people like those it is used on (`test/fairness.py`) before you rely on it.
- A threshold holds for photographs like those it was set on, found and aligned the same way. Pose, masks, age, low
  resolution and other cameras raise the error rates.
- It says how alike two faces are. It does not detect faces, forged or printed photographs, or who somebody is.
- Embeddings are personal data: they find a person again. Store and share them as you would the photographs."""
_USE = """\
Research, and measuring face recognition, on photographs of people who agreed or where the law allows it. Not for
decisions about a person without a human who checks them, and not for watching people in public."""


def model_card(
    files: CheckpointFiles, metadata: Metadata, difference: float, int8: Sequence[str] = (), output: str = "models"
) -> str:
    """The card of an exported checkpoint, as Markdown.

    Args:
        files: the checkpoint.
        metadata: of the export.
        difference: of the fp32 export's unit embeddings from MXNet's.
        int8: sentences on what int8 changed.
        output: the folder of runs, where the run that this one started from is looked for.
    """
    folder = files.params.parent if files.manifest else None
    config = _config(folder)
    metrics = _json(folder, "metrics.json")
    sections = {
        "Model": _list(_model(files, metadata, config)),
        "Training data": _list(_data(files, config)),
        "Training": _stages(folder, config, output),
        "Groups of people": _list(_groups(folder, config)),
        "Figures": "\n".join([*_figures(metrics), *_thresholds(metadata), *(f"- {line}" for line in int8)]),
        "Same as the original": f"- unit embeddings differ from MXNet's by {difference:.1e} at most (fp32)",
        "Limits": _LIMITS,
        "Intended use": _USE,
    }
    parts = [f"# Model card: {metadata.model}"]
    return "\n\n".join([*parts, *(f"## {title}\n\n{text}" for title, text in sections.items())]) + "\n"


def _model(files: CheckpointFiles, metadata: Metadata, config: Mapping[str, Any]) -> dict[str, Any]:
    backbone, manifest = config.get("backbone", {}), files.manifest
    return {
        "checkpoint": f"{metadata.model}, step {metadata.step}",
        "backbone": backbone.get("name") or manifest.get("backbone"),
        "input": f"RGB, 0 to 255, {metadata.image_size} x {metadata.image_size}, {alignment(metadata)}",
        "output": f"one embedding of {metadata.dimensions} values, not normalised; compare by cosine",
        "precision": metadata.precision,
        "written by": f"fairface {metadata.version}",
        "licence": "see MODEL.LICENSE",
        **({"origin": ORIGIN} if is_published(files) else {}),
    }


def _data(files: CheckpointFiles, config: Mapping[str, Any]) -> Mapping[str, Any]:
    if is_published(files):
        return DATA
    named = [config.get("data", {}), *(source.get("data", source) for source in config.get("sources") or [])]
    names = [str(data.get("dataset") or Path(str(data.get("path", ""))).name) for data in named if data]
    return {
        "data sets": ", ".join(name for name in names if name),
        "identities": _numbers(files.manifest.get("classes")),
        "images": _numbers(files.manifest.get("images")),
        "fingerprint": files.manifest.get("data_fingerprint"),
    }


def _stages(folder: Path | None, config: Mapping[str, Any], output: str) -> str:
    """A line a run, the last first: each started from the next."""
    lines: list[str] = []
    while config and len(lines) < _LONGEST_CHAIN:
        start = str(config.get("start_from") or "")
        epochs = f"{config.get('epochs', NOT_STATED)} epochs"
        steps = quantity(config["steps"], "step") if config.get("steps") else epochs
        lines.append(
            f"- {config.get('name', NOT_STATED)}: method {config.get('method', NOT_STATED)}, stage "
            f"{config.get('stage', NOT_STATED)}, head {config.get('head', {}).get('name', NOT_STATED)}, {steps}, seed "
            f"{config.get('seed', NOT_STATED)}, starts from {Path(start).name if start else 'random weights'}"
        )
        try:
            config = _config(run_folder(run_and_step(start)[0], output)) if start else {}
        except CheckpointError:  # a model that is no run, or gone
            config = {}
    return "\n".join(lines) or f"- {NOT_STATED}"


def _groups(folder: Path | None, config: Mapping[str, Any]) -> dict[str, Any]:
    worst = _json(folder, "group.json")
    return {
        "attributes that were watched": ", ".join(config.get("verify", {}).get("protected") or []),
        "group that the last step was trained for": worst.get("where"),
    }


def _figures(metrics: Mapping[str, Any]) -> list[str]:
    sets: Mapping[str, Any] = metrics.get("sets") or ({metrics["set"]: metrics} if "set" in metrics else {})
    lines = []
    for name, of in sets.items():
        tar = ", ".join(f"TAR {value:.4f} at FMR {target}" for target, value in (of.get("tar") or {}).items())
        lines.append(
            f"- test set {name}: {of.get('genuine')} genuine and {of.get('impostor')} impostor comparisons of "
            f"{of.get('subjects') or NOT_STATED} people; accuracy {of['accuracy']:.4f}, AUC {of['auc']:.4f}, {tar}"
        )
    return lines or [f"- test sets: {NOT_STATED}"]


def _thresholds(metadata: Metadata) -> list[str]:
    lines = [
        f"- threshold {point['threshold']:.4f}: set for FMR {point['target']:g}; there FMR {point['fmr']:.2g} "
        f"({point['level']:.0%} interval {point['low']:.2g} to {point['high']:.2g}) and FNMR {point['fnmr']:.2g}"
        for point in parse_json(metadata.thresholds)
    ]
    return lines or [f"- thresholds: {NOT_STATED}"]


def _list(facts: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {NOT_STATED if value in (None, '', []) else value}" for name, value in facts.items())


def _numbers(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _config(folder: Path | None) -> dict[str, Any]:
    try:
        tree = parse_yaml((folder / "config.yaml").read_text(encoding="utf-8")) if folder else {}
    except (OSError, yaml.YAMLError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _json(folder: Path | None, name: str) -> dict[str, Any]:
    try:
        content = parse_json((folder / name).read_text(encoding="utf-8")) if folder else {}
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
