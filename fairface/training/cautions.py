"""What should make a user look again before training: other sizes than the net takes, people trained and tested on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fairface.config.schema import TrainConfig
from fairface.data.loading.source import Source
from fairface.errors import DataError
from fairface.quantity import agree, quantity

LOOKED_AT = 64  # images of a source, spread evenly
SHOWN = 3


def cautions(config: TrainConfig, sources: Sequence[Source]) -> Iterator[str]:
    """One line for each thing that is odd; none where all is as it should be."""
    for source in sources:
        if source.resize and source.crop is None:
            yield from _other_sizes(source, config.data.image_size)
    yield from _tested_on(config)


def _other_sizes(source: Source, size: int) -> Iterator[str]:
    """Photographs that will be resized are often not aligned; squares of one size are."""
    sizes: Counter[tuple[int, int]] = Counter()
    dataset = source.dataset
    for index in np.unique(np.linspace(0, len(dataset) - 1, LOOKED_AT).astype(np.int64)).tolist():
        try:
            height, width, _ = dataset.decoded(index).shape
        except DataError:  # data.on_bad_record says what becomes of it
            continue
        sizes[height, width] += 1
    other = sum(count for shape, count in sizes.items() if shape != (size, size))
    (height, width), most = sizes.most_common(1)[0] if sizes else ((0, 0), 0)
    if other and height == width and most == other == sum(sizes.values()):
        yield f"note: {dataset.title}: images of {width} x {width} are resized to {size} x {size}"
    elif other:
        shown = ", ".join(f"{count} of {width} x {height}" for (height, width), count in sizes.most_common(SHOWN))
        more = f" and {quantity(len(sizes) - SHOWN, 'other size')}" if len(sizes) > SHOWN else ""
        yield (
            f"warning: {dataset.title}: {other} of {quantity(sum(sizes.values()), 'image')} looked at "
            f"{agree(other, 'is', 'are')} not {size} x {size} and {agree(other, 'is', 'are')} resized ({shown}{more}); "
            "are they aligned? A net learns little from faces that are not: data_process/align.py"
        )


def _tested_on(config: TrainConfig) -> Iterator[str]:
    """Sets whose score is that of memory."""
    trained = {Path(source.data.path).resolve() for source in config.all_sources() if source.data.path}
    for role, sets in (("verification", config.verify.sets), ("test", config.test.sets)):
        for name in sets:
            if Path(name).resolve() in trained:
                yield (
                    f"warning: {name} is training data and a {role} set: its score tells what the net remembers, not "
                    "how it does with other people; name a set of people who are not trained on"
                )
