"""Do all workers train the same thing? Asked before the first step; a difference would spoil the run in silence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import fairface
from fairface.config.load import as_dict
from fairface.config.schema import TrainConfig
from fairface.errors import ConfigError
from fairface.parallel import World
from fairface.protocols.verification_set import VerificationSet
from fairface.training.resumable import shaping
from fairface.training.setup import sampled

CODE, DATA, IMAGES, SETS = "code", "labels or attributes", "images", "verification or test sets"
REMEDY = {
    CODE: "install the same version on all machines",
    DATA: "give all of them the same data",
    IMAGES: "give all of them the same images",
    SETS: "give all of them the same sets, or let worker 0 alone score them with verify.split=false",
}


def fingerprints(
    config: TrainConfig, facts: Mapping[str, Any], sets: Sequence[VerificationSet] = ()
) -> dict[str, str]:
    """What must be the same on all workers, by name: sums of code and data, and every key that shapes the result.

    ``sets`` are those that the workers score together; with ``verify.split=false`` each may have others.
    """
    keys = {name: repr(value) for name, value in shaping(as_dict(config))}
    keys["verify.split"] = repr(config.verify.split)
    images = hashlib.sha256("".join(facts["content"]).encode()).hexdigest()
    found = {CODE: code_sum(), DATA: facts["data_fingerprint"], IMAGES: images, **keys}
    return {**found, SETS: _sum_of(sets)} if config.verify.split else found


def _sum_of(sets: Sequence[VerificationSet]) -> str:
    """Of the sizes and of some images; comparisons are worker 0's."""
    facts = [[len(item.images), sampled(item.images)] for item in sets]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def check_alike(world: World, own: Mapping[str, str]) -> None:
    """Raise :class:`ConfigError` on all workers where one has other :func:`fingerprints` than worker 0."""
    told = [json.loads(text) for text in world.texts(json.dumps(dict(own)))]
    for rank, other in enumerate(told):
        for name in [name for name in told[0] | other if told[0].get(name) != other.get(name)][:1]:
            if name in REMEDY:
                raise ConfigError(f"worker {rank} has other {name} than worker 0; {REMEDY[name]}")
            raise ConfigError(
                f"worker {rank} has {name}={other.get(name)}, worker 0 has {told[0].get(name)}; "
                "start all of them with the same configuration"
            )


def code_sum() -> str:
    """A sum over this package's source files."""
    digest = hashlib.sha256()
    root = Path(fairface.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
