"""A tiny labeled data set and a tiny configuration."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fairface.config.load import with_inherited
from fairface.config.schema import TrainConfig
from fairface.config.tree import apply_override
from fairface.config.typed import build

SIZE = 32


def make_people(root: Path, people: int = 4, images: int = 6, size: int = SIZE) -> Path:
    """One folder a person; a person is a fixed smooth pattern, an image is that with noise. PNG, no photographs."""
    for person in range(people):
        rng = np.random.default_rng(person)
        pattern = cv2.resize(
            rng.integers(0, 256, (4, 4, 3), dtype=np.uint8), (size, size), interpolation=cv2.INTER_CUBIC
        )
        folder = root / f"person{person}"
        folder.mkdir(parents=True)
        for image in range(images):
            noisy = np.clip(pattern + rng.normal(0, 20, pattern.shape), 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"{image}.png"), noisy)
    return root


def tiny_config(folder: Path, data: Path, *overrides: str, **values: object) -> TrainConfig:
    """A run of a few steps with a very small net, written below ``folder``."""
    tree = {
        "name": "tiny",
        "output": str(folder / "models"),
        "devices": "cpu0",
        "batch_size": 8,
        "steps": 6,
        "data": {"path": str(data), "image_size": SIZE, "threads": 1},
        "augment": {"mirror": 0.5},
        "backbone": {"name": "fresnet_tiny", "embedding": 8, "width": 0.25, "dropout": 0.2},
        "head": {"name": "cosface", "s": 8, "m3": 0.1},
        "optimizer": {"lr": 0.05, "schedule": "cosine", "warmup": 1},
        "verify": {"sets": [str(data)], "every": 3, "batch_size": 8},
        "log": {"every": 2, "tensorboard": False, "sheet": False},
        "save_every": 3,
        **values,
    }
    if "method=triplet" in overrides:  # it has no classifier, and takes no keys of one
        del tree["head"]
    for override in overrides:
        apply_override(tree, override)
    return build(TrainConfig, with_inherited(tree), "tiny")  # unchecked: some tests want what is out of range
