"""Everything a run needs, made from its configuration and checked before the first step."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fairface
from fairface.config.load import as_dict
from fairface.config.schema import TrainConfig
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.source import Source
from fairface.errors import CheckpointError, ConfigError
from fairface.files import sha256
from fairface.hardware import usable_cores
from fairface.methods.base import Method
from fairface.methods.build import build_method
from fairface.mx import Context, mx
from fairface.parallel import contexts_of
from fairface.precision import enable
from fairface.training.schedule import steps_of

SAVES_PER_RUN = 10


@dataclass(frozen=True)
class Prepared:
    """A run before its first step.

    Attributes:
        total: steps of the whole run.
        save_every, verify_every: in steps.
        facts: what the manifest says of the run.
    """

    config: TrainConfig
    contexts: list[Context]
    method: Method
    loader: BatchLoader
    folder: Path
    total: int
    save_every: int
    verify_every: int
    facts: dict[str, Any]

    @property
    def images(self) -> int:
        """Images over all sources."""
        return sum(len(source.dataset) for source in self.method.sources())


def prepare(config: TrainConfig) -> Prepared:
    """Open the data, make the blocks (without parameters yet) and the loader.

    Raises:
        ConfigError, DataError, DeviceError: whatever is wrong with the configuration, the data or the devices.
    """
    contexts = contexts_of(config.devices, config.gpus)
    on_gpu = contexts[0].device_type == "gpu"
    enable(config.precision, on_gpu, config.backbone.prelu)
    if config.batch_size < len(contexts):
        raise ConfigError(f"batch_size {config.batch_size} is less than one image for each of {len(contexts)} devices")
    method = build_method(config, on_gpu)
    if config.stage not in method.stages:
        raise ConfigError(f"stage is {config.stage!r}; method {config.method} knows: {', '.join(method.stages)}")
    sources = list(method.sources())
    total = total_steps(config, sources)
    loader = BatchLoader(
        sources,
        image_size=config.data.image_size,
        seed=config.seed,
        threads=config.data.threads or usable_cores(),
        prefetch=config.data.prefetch,
    )
    return Prepared(
        config=config,
        contexts=contexts,
        method=method,
        loader=loader,
        folder=Path(config.output) / config.name,
        total=total,
        save_every=config.save_every or max(1, -(-total // SAVES_PER_RUN)),
        verify_every=steps_of(config.verify.every, total),
        facts={**_facts(config, sources), "head": config.head.name if "head" in method.blocks() else None},
    )


def total_steps(config: TrainConfig, sources: Sequence[Source]) -> int:
    """Steps of the whole run: ``steps`` when it is set, else ``epochs`` of the longest source.

    Raises:
        ConfigError: both are 0.
    """
    longest = max(source.sampler.steps_per_epoch for source in sources)
    total = config.steps or int(np.ceil(config.epochs * longest - 1e-9))
    if total < 1:
        raise ConfigError("epochs and steps are both 0; set one of them")
    return total


def fingerprint(sources: Sequence[Source]) -> str:
    """A sum over labels and attributes of all sources: the same data in the same order gives the same text."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(np.ascontiguousarray(source.dataset.labels).tobytes())
        digest.update(np.ascontiguousarray(source.dataset.attributes).tobytes())
    return digest.hexdigest()


def check_resumable(config: TrainConfig, saved: dict[str, Any]) -> None:
    """Raise :class:`CheckpointError` when a key that shapes the result differs from the run's own configuration.

    Devices, logging, verification, thread counts and where the data lie may change.
    """
    free = {"devices", "gpus", "kvstore", "output", "save_every", "keep", "verify", "test", "log"}
    free_data = {"path", "root", "checksums", "threads", "prefetch", "in_memory"}
    for key, value in as_dict(config).items():
        before = saved.get(key)
        if key in free or before is None:
            continue
        if isinstance(value, dict) and isinstance(before, dict):
            inner = [k for k in value if k in before and not (key == "data" and k in free_data)]
            changed = [(f"{key}.{k}", before[k], value[k]) for k in inner if before[k] != value[k]]
        else:
            changed = [(key, before, value)] if before != value else []
        for name, was, now in changed[:1]:
            raise CheckpointError(
                f"{config.output}/{config.name}: {name} was {was!r} and is now {now!r}; a resumed run "
                "keeps its configuration, for another one give it another name and start_from"
            )


def _facts(config: TrainConfig, sources: Sequence[Source]) -> dict[str, Any]:
    return {
        "method": config.method,
        "stage": config.stage,
        "backbone": config.backbone.name,
        "embedding": config.backbone.embedding,
        "image_size": config.data.image_size,
        "classes": [source.dataset.num_classes for source in sources],
        "images": [len(source.dataset) for source in sources],
        "data_fingerprint": fingerprint(sources),
        "only_sha256": sha256(Path(config.data.only)) if config.data.only else None,
        "seed": config.seed,
        "versions": {
            "fairface": fairface.__version__,
            "mxnet": mx.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "git_commit": git_commit(),
    }


def git_commit() -> str | None:
    """The commit of the source tree this package runs from, or None outside a checkout."""
    root = Path(fairface.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        result = subprocess.run(
            ["git", "-C", os.fspath(root), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() or None
