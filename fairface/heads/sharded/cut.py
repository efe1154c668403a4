"""Which classes lie on which device."""

from __future__ import annotations

from itertools import pairwise

from fairface.errors import ConfigError
from fairface.quantity import quantity

LARGEST_ARRAY = 2**31 - 1  # values; MXNet's packages count them with 32 bits


def cut_classes(classes: int, devices: int, embedding: int = 1) -> list[range]:
    """Each device's classes, in order; the first ``classes % devices`` devices have one more than the others.

    Args:
        classes: C.
        devices: G.
        embedding: D, for the size of a device's array.

    Raises:
        ConfigError: more devices than classes, or a part that MXNet has no array for.
    """
    if devices > classes:
        raise ConfigError(
            f"{quantity(classes, 'class')} cannot be split over {quantity(devices, 'device')}; name "
            f"{quantity(classes, 'device')} or fewer"
        )
    each, more = divmod(classes, devices)
    starts = [number * each + min(number, more) for number in range(devices + 1)]
    if (each + bool(more)) * embedding > LARGEST_ARRAY:
        least = -(-classes // (LARGEST_ARRAY // embedding))
        raise ConfigError(
            f"{quantity(classes, 'class')} of {quantity(embedding, 'value')} on {quantity(devices, 'device')} are more "
            f"than MXNet's arrays hold (2^31 values); name {quantity(least, 'device')} or more, or set a smaller "
            "backbone.embedding"
        )
    return [range(start, stop) for start, stop in pairwise(starts)]
