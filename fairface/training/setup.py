"""Everything a run needs, made from its configuration and checked before the first step."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fairface
from fairface.config.schema import TrainConfig
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.source import Source
from fairface.data.types import Dataset
from fairface.errors import ConfigError, DataError
from fairface.faces.masks.transform import masked_sources
from fairface.files import sha256
from fairface.hardware import usable_cores
from fairface.heads.sharded import ShardedClassifier, cut_classes
from fairface.methods.base import Method
from fairface.methods.build import build_method
from fairface.mx import mx
from fairface.parallel import World, contexts_of, cut_sources
from fairface.precision import enable
from fairface.protocols.verification_set import VerificationSet
from fairface.training.columns import check_columns
from fairface.training.comparison_sets import evaluation_crop, open_sets, verification_names
from fairface.training.schedule import steps_of
from fairface.training.worker_checks import check_workers

Join = Callable[[TrainConfig], World]

SAVES_PER_RUN = 10
SAMPLED = 64  # records of a source whose bytes a resumed run compares


@dataclass(frozen=True)
class Prepared:
    """A run before its first step.

    Attributes:
        total: steps of the whole run.
        verification, test: the sets that are scored while it trains, and at its end; opened once. None where this
            worker does not take part in it.
        save_every, verify_every: in steps.
        facts: what the manifest says of the run.
    """

    config: TrainConfig
    world: World
    method: Method
    loader: BatchLoader
    folder: Path
    total: int
    save_every: int
    verify_every: int
    facts: dict[str, Any]
    verification: tuple[VerificationSet, ...]
    test: tuple[VerificationSet, ...]

    @property
    def images(self) -> int:
        """Images over all sources."""
        return sum(len(source.dataset) for source in self.method.sources())


def prepare(config: TrainConfig, join: Join | None = None) -> Prepared:
    """Open the data, make the blocks (without parameters yet) and the loader.

    Args:
        join: makes the world of one of several workers; None = this process trains alone.

    Raises:
        ConfigError, DataError, DeviceError: whatever is wrong with the configuration, the data or the devices.
    """
    world = World(tuple(contexts_of(config.devices, config.gpus))) if join is None else join(config)
    on_gpu = world.contexts[0].device_type == "gpu"
    enable(config.precision, on_gpu, config.backbone.prelu)
    method = build_method(config, on_gpu)
    for head in method.blocks().values():
        if isinstance(head, ShardedClassifier):
            cut_classes(head.classes, world.devices, head.embedding)  # refuses what does not fit the devices
            head.join(world)
    if config.stage not in method.stages:
        raise ConfigError(f"stage is {config.stage!r}; method {config.method} knows: {', '.join(method.stages)}")
    sources = masked_sources(method.sources(), config)
    check_workers(config, sources, world)
    counts = [source.batch_size for source in sources]
    cut_sources(counts, world.devices)  # refuses what does not fit the devices
    check_columns(method.reads, sources, config.method)
    total = total_steps(config, sources)
    crop = evaluation_crop(config)
    scores = world.leads or config.verify.split
    loader = BatchLoader(
        sources,
        image_size=config.data.image_size,
        seed=config.seed,
        threads=config.data.threads or usable_cores(),
        prefetch=config.data.prefetch,
        rows=None if world.size == 1 else world.rows(counts),
    )
    return Prepared(
        config=config,
        world=world,
        method=method,
        loader=loader,
        folder=Path(config.output) / config.name,
        total=total,
        save_every=config.save_every or max(1, -(-total // SAVES_PER_RUN)),
        verify_every=steps_of(config.verify.every, total),
        facts={
            **_facts(config, sources),
            "devices": [name for names in world.texts(" ".join(map(str, world.contexts))) for name in names.split()],
            **({"workers": world.size} if world.size > 1 else {}),
            "head": _head_names(config, method),
        },
        verification=open_sets(
            verification_names(config) if scores else (), config.data.image_size, config.verify.protected, crop
        ),
        test=open_sets(config.test.sets if scores else (), config.data.image_size, crop=crop),
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


def content(sources: Sequence[Source]) -> list[str]:
    """Short sums of the encoded images of ``SAMPLED`` records of each source, spread evenly."""
    return [part for source in sources for part in sampled(source.dataset)]


def sampled(dataset: Dataset) -> list[str]:
    """Short sums of the encoded images of up to ``SAMPLED`` records, spread evenly."""
    sums = []
    for index in np.unique(np.linspace(0, len(dataset) - 1, SAMPLED).astype(np.int64)).tolist():
        try:
            sums.append(hashlib.sha256(dataset.encoded(index)).hexdigest()[:16])
        except DataError:  # data.on_bad_record says what becomes of it
            sums.append("bad")
    return sums


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
        "content": content(sources),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
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


def _head_names(config: TrainConfig, method: Method) -> str | dict[str, str] | None:
    """The head of the labeled source; where there are several, by the source's name; None without a classifier."""
    if not any(block.split("_")[0] == "head" for block in method.blocks()):
        return None
    names = {
        source.name: config.head_of(number).name for number, source in enumerate(method.sources()) if source.is_labeled
    }
    return next(iter(names.values())) if len(names) == 1 else names


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
