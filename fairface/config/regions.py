"""Which part of a face each part of an embedding comes from, in nets that split a face by rows (UFace, Huang 2023)."""

from __future__ import annotations

from dataclasses import dataclass

from fairface.errors import ConfigError

HOLISTIC, UPPER, LOWER = "holistic", "upper", "lower"


@dataclass(frozen=True)
class Split:
    """How a region-split net divides its maps.

    Attributes:
        holistic: quarters of the channels that see the whole face; 0 = no holistic part.
        upper: sevenths of the rows that are the upper part of the rest.
        sizes: quarters of the embedding: holistic, upper, lower.
        shared_shortcut: one shortcut for upper and lower part together, so that they share its BatchNorm's statistics.
        first: the first stage, from 0, whose units are split; those before see the whole face with all channels.
    """

    holistic: int = 1
    upper: int = 4
    sizes: tuple[int, int, int] = (1, 2, 1)
    shared_shortcut: bool = False
    first: int = 0


SPLITS = {
    "": Split(),
    "rows": Split(holistic=0, sizes=(0, 2, 2), shared_shortcut=True),
    "rows_384": Split(holistic=0, sizes=(0, 3, 1), shared_shortcut=True),
    "rows_separate": Split(holistic=0, sizes=(0, 2, 2)),
    "late": Split(first=1),
    "reversed": Split(upper=3),
}


def embedding_regions(split: str, embedding: int) -> dict[str, slice]:
    """Region to its values of an embedding of ``embedding`` values, in their order; a region without any is left out.

    Args:
        split: a name of :data:`SPLITS`, the key ``backbone.regions``.

    Raises:
        ConfigError: a size that cannot be divided by four.
    """
    if embedding % 4:
        raise ConfigError(
            f"backbone.embedding is {embedding}; a region-split net gives each region quarters of it: "
            f"set {max(4, embedding // 4 * 4)}"
        )
    regions, start = {}, 0
    for region, quarters in zip((HOLISTIC, UPPER, LOWER), SPLITS[split].sizes, strict=True):
        if quarters:
            regions[region] = slice(start, start + embedding * quarters // 4)
            start = regions[region].stop
    return regions
