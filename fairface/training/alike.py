"""Do all workers train the same thing? Asked before the first step; a difference would spoil the run in silence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import fairface
from fairface.config.load import as_dict
from fairface.config.schema import TrainConfig
from fairface.errors import ConfigError
from fairface.parallel import World
from fairface.protocols.verification_set import VerificationSet
from fairface.training.resumable import FREE_DATA
from fairface.training.setup import sampled

# Keys that may differ: they name what a machine has or where it lies, or how it reads. The sets are compared as such.
OWN = ("devices", "gpus", "output", "head.scratch", "verify.sets", "test.sets")
CODE, DATA, IMAGES, SETS = "code", "labels or attributes", "images", "verification or test sets"
REMEDY = {
    CODE: "install the same version on all machines",
    DATA: "give all of them the same data",
    IMAGES: "give all of them the same images",
    SETS: "give all of them the same sets, or let worker 0 alone score them with verify.split=false",
}


def fingerprints(config: TrainConfig, facts: Mapping[str, Any], sets: Sequence[VerificationSet] = ()) -> dict[str, str]:
    """What must be the same on all workers, by name: sums of code and data, and every key but :data:`OWN`.

    Keys that shape no result count too: all workers meet where a step is logged, verified or saved. ``sets`` are
    those that the workers score together; with ``verify.split=false`` each may have others.
    """
    keys = {name: repr(value) for name, value in every_key(as_dict(config))}
    images = hashlib.sha256("".join(facts["content"]).encode()).hexdigest()
    found = {CODE: code_sum(), DATA: facts["data_fingerprint"], IMAGES: images, **keys}
    return {**found, SETS: _sum_of(sets)} if config.verify.split else found


def every_key(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key that must be the same on all workers, with its value; of a list of groups by their numbers."""
    if isinstance(tree, list) and any(isinstance(item, dict) for item in tree):
        tree = dict(enumerate(tree))
    if not isinstance(tree, dict) or not tree:
        yield prefix, tree
        return
    for key, value in tree.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if name not in OWN and not (".data." in f".{name}" and str(key) in FREE_DATA):
            yield from every_key(value, name)


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
