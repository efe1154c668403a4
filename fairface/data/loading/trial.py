"""Trying out a transform before the first step, so that one that breaks its contract is refused at once."""

from __future__ import annotations

import numpy as np

from fairface.data.loading.source import Source
from fairface.data.loading.transform import Columns
from fairface.errors import ConfigError

_ROWS = 16  # enough that a transform which touches one image in four is seen at work (99 %)
_GREY = 128


def try_transform(source: Source, rng: np.random.Generator, size: int) -> None:
    """Apply the source's transform to grey images with the columns of its first records.

    A transform that writes what it does not declare, but only now and then, may pass; it meets the same error later.

    Raises:
        ConfigError: it asks for or writes a column that it does not declare.
    """
    if source.transform is None:
        return
    n = source.batch_size
    records = np.arange(n) % len(source.dataset)
    columns = {name: np.full((n, *shape), np.nan, np.float32) for name, shape in source.columns.items()}
    for name, values in source.dataset.extra.items():
        columns[name][:] = values[records]
    for name in set(columns) - set(source.writes):
        columns[name].flags.writeable = False
    drawn = source.transform.draw(rng, n, size)
    image = np.full((size, size, 3), _GREY, np.uint8)
    image.flags.writeable = False
    try:
        for row in range(min(n, _ROWS)):
            drawn.apply(image, row, np.empty_like(image), Columns(columns))
    except ConfigError as error:
        raise ConfigError(f"source {source.name}: {error}") from error
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        kept = ", ".join(sorted(set(columns) - set(source.writes)))
        raise ConfigError(
            f"source {source.name}: the transform writes to what it may only read (the image or {kept}); "
            "name the columns that it writes with their shapes in writes"
        ) from error
