"""A worker's loader makes its rows of the batch, with the pixels that one process would have made."""

from __future__ import annotations

import numpy as np
import pytest

from fairface.config.schema import AugmentConfig
from fairface.data.loading.augment import Augmenter
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.errors import DataError
from fairface.mx import mx
from fairface.workers.world import Workers
from unittests.data.loading.test_loader import SIZE, MemorySet
from unittests.workers.together import Meetings, ThreadExchange

AUGMENT = AugmentConfig(mirror=0.5, color=0.5)


def loader(rows=None, on_bad_record="stop", damaged=(), **options):
    sources = []
    for stream, (images, batch_size) in enumerate([(20, 7), (12, 6)]):
        data = MemorySet(np.arange(images) % 4, first=100 * stream)
        data.fail = {index: DataError(f"{index} is bad") for index in damaged if stream == 0}
        sampler = RandomSampler(images, batch_size, 0, stream=stream)
        sources.append(Source(data, batch_size, sampler, Augmenter(AUGMENT), on_bad_record=on_bad_record))
    return BatchLoader(sources, image_size=SIZE, threads=2, rows=rows, **options)


def rows_of(size, counts):
    return [Workers((mx.cpu(rank),), rank, size, exchange=ThreadExchange(Meetings(size), rank)).rows(counts)
            for rank in range(size)]  # fmt: skip


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("prefetch", [0, 2])
def test_parts_together_are_the_whole(size, prefetch):
    parts = [list(loader(rows, prefetch=prefetch).iterate(0, 4)) for rows in rows_of(size, loader().counts)]
    for step, whole in enumerate(loader().iterate(0, 4)):
        for name in ("images", "labels", "source", "attributes", "indices"):
            joined = np.concatenate([getattr(part[step], name) for part in parts])
            order = np.argsort(np.concatenate([part[step].source for part in parts]), kind="stable")
            np.testing.assert_array_equal(joined[order], getattr(whole, name))


def test_only_its_own_rows_are_read():
    (first, _) = rows_of(2, [7, 6])
    made = loader(first)
    made.batch(0)
    before = [source.dataset.reads for source in made.sources]
    made.batch(1)
    reads = [source.dataset.reads - count for source, count in zip(made.sources, before, strict=True)]
    assert reads == [rows.stop - rows.start for rows in first]


def test_a_bad_record_is_replaced_as_in_one_process():
    whole = loader(on_bad_record="skip", damaged=(3, 5, 11)).batch(2)
    parts = [loader(rows, "skip", (3, 5, 11)).batch(2) for rows in rows_of(2, [7, 6])]
    order = np.argsort(np.concatenate([part.source for part in parts]), kind="stable")
    for name in ("images", "labels", "indices"):
        np.testing.assert_array_equal(
            np.concatenate([getattr(part, name) for part in parts])[order], getattr(whole, name)
        )
    assert set(np.concatenate([part.indices for part in parts])[np.concatenate([p.source for p in parts]) == 0]) & {
        3, 5, 11,
    } == set()  # fmt: skip
