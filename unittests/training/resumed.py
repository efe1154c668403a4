"""A run that breaks off and goes on, and what there is to compare with one that did not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fairface.checkpoints import resolve
from fairface.config.schema import TrainConfig
from fairface.errors import TrainingError
from fairface.methods.base import Method, StepReport
from fairface.parallel import Shard, World
from fairface.parameters import load_arrays
from fairface.training.run import train


def broken_and_resumed(config: TrainConfig, method: type[Method]) -> Path:
    """The folder of a run of ``config`` that ends in its fourth call of ``method``'s losses, and is then resumed."""
    calls = iter(range(100))
    real = method.losses

    def losses(self: Method, shards: Sequence[Shard], world: World) -> StepReport:
        if next(calls) == 3:
            raise TrainingError("killed")
        return real(self, shards, world)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(method, "losses", losses)
        with pytest.raises(TrainingError, match="killed"):
            train(config, quiet=True)
    assert train(config, resume=True, quiet=True) == 0
    return Path(config.output) / config.name


def everything(run: Path) -> dict[str, bytes]:
    """Every array of a run's last checkpoint, by file and name."""
    files = resolve(f"{run}@last", with_state=True)
    found = {}
    for file in (files.params, files.blocks, files.state):
        found.update({f"{file.name}:{key}": value.asnumpy().tobytes() for key, value in load_arrays(str(file)).items()})
    return found
