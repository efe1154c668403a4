"""Batches from data sets: decoded, changed as each source's transform says, made ahead in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, pairwise

import numpy as np
from numpy.typing import NDArray

from fairface.data.image_reader import ImageReader
from fairface.data.loading.draws import Purpose, generator
from fairface.data.loading.source import Source
from fairface.data.loading.transform import Columns, Drawn
from fairface.data.loading.trial import try_transform
from fairface.data.types import UNKNOWN, Batch
from fairface.errors import ConfigError, DataError
from fairface.hardware import usable_cores
from fairface.quantity import agree
from fairface.threads import work_ahead

_SMALLEST_JOB = 16  # images; below that, handing a job to a thread costs more than it gains


@dataclass(frozen=True)
class _Plan:
    """A batch without its pixels, and for each source what happens to its images and the columns beside them."""

    step: int
    batch: Batch
    drawn: list[Drawn | None]
    columns: list[Columns]


class BatchLoader:
    """Batches that are a pure function of (seed, step).

    Rows stand source after source. ``attribute_names`` is the union of the sources' names in order of appearance;
    what a source does not know is -1. So it is with the columns of ``Batch.extra``, where NaN is unknown. Source i's
    transform draws from stream i.

    Args:
        sources: the data sets with their share of the batch.
        image_size: side in pixels; an image of another size is a bad record, unless its source resizes.
        threads: decoding threads; 0 = one for each core that this process may use.
        prefetch: batches made ahead by :meth:`iterate`; 0 makes each when it is asked for, in the caller's thread.
        rows: for every source, which rows of a whole batch are made, as one of several processes does; what is drawn at
            random is that of the whole batch, so a row's pixels do not depend on it. None = all.

    Attributes:
        skipped: name of a bad record to what is wrong with it, of sources with ``on_bad_record=skip``.

    Raises:
        ConfigError: wrong numbers, sources that have a column in different shapes, or a transform that writes a column
            which it does not declare (each transform is tried out on a few rows).
    """

    def __init__(
        self,
        sources: Sequence[Source],
        image_size: int = 112,
        seed: int = 0,
        threads: int = 0,
        prefetch: int = 3,
        rows: Sequence[slice] | None = None,
    ) -> None:
        if not sources or min(threads, prefetch) < 0 or image_size < 1:
            raise ConfigError("the loader needs a source, threads and prefetch of 0 or more and an image size")
        self.sources = tuple(sources)
        self.image_size = image_size
        self.seed = seed
        self.threads = threads or usable_cores()
        self.prefetch = prefetch
        self.skipped: dict[str, str] = {}
        self._bad: set[tuple[int, int]] = set()
        self._readers = [ImageReader(source.dataset, image_size, source.resize, source.crop) for source in sources]
        sizes = [source.batch_size for source in sources]
        self._source = np.repeat(np.arange(len(sources), dtype=np.int16), sizes)
        self._first = np.cumsum([0, *sizes[:-1]]).tolist()
        self._slices = [slice(first, first + size) for first, size in zip(self._first, sizes, strict=True)]
        self._rows = None if rows is None else list(rows)
        # Each source's rows that are made, as they stand in the batch's images, and how far that is from the whole's.
        made = self._slices if rows is None else self._rows or []
        begins = np.cumsum([0, *(part.stop - part.start for part in made)]).tolist()
        self._made = [slice(begin, end) for begin, end in pairwise(begins)]
        self._shifts = [part.start - begin for part, begin in zip(made, begins, strict=False)]
        self._data = [source.dataset for source in sources]
        self.attribute_names = tuple(dict.fromkeys(name for data in self._data for name in data.attribute_names))
        self._attributes = [[self.attribute_names.index(name) for name in data.attribute_names] for data in self._data]
        self._shapes = _shapes(sources)
        for stream, source in enumerate(sources):
            try_transform(source, generator(seed, 0, Purpose.AUGMENT, stream), image_size)

    @property
    def batch_size(self) -> int:
        """Images per whole batch over all sources."""
        return len(self._source)

    @property
    def counts(self) -> list[int]:
        """Each source's rows in a whole batch."""
        return [source.batch_size for source in self.sources]

    @property
    def steps_per_epoch(self) -> float:
        """Steps per epoch of the longest source; shorter ones start over in another order."""
        return max(source.sampler.steps_per_epoch for source in self.sources)

    def batch(self, step: int) -> Batch:
        """The batch of ``step``, made in the caller's thread.

        Raises:
            DataError: a bad record (``stop``), or no good record left (``skip``).
        """
        plan = self._plan(step)
        self._fill(plan, 0, len(plan.batch.images))
        return self._part(plan.batch)

    def iterate(self, start: int = 0, stop: int | None = None) -> Iterator[Batch]:
        """The batches of steps ``start..stop-1`` (endless without ``stop``), made ahead in threads.

        The threads end with the iterator: at its end, at an exception, and when it is closed or dropped.

        Raises:
            DataError: as :meth:`batch`, when the step's turn has come.
        """
        steps: Iterable[int] = count(start) if stop is None else range(start, stop)
        if self.prefetch == 0:
            return map(self.batch, steps)
        whole = work_ahead((self._jobs(step) for step in steps), self.threads, self.prefetch)
        return whole if self._rows is None else self._parts(whole)

    def _parts(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            yield self._part(batch)

    def _part(self, batch: Batch) -> Batch:
        """The rows that are made, where ``batch`` describes the whole one."""
        if self._rows is None:
            return batch
        own = np.concatenate([np.arange(part.start, part.stop) for part in self._rows])
        return Batch(
            batch.images, batch.labels[own], batch.source[own], batch.attributes[own], batch.indices[own],
            {name: values[own] for name, values in batch.extra.items()},
        )  # fmt: skip

    def _jobs(self, step: int) -> tuple[Batch, list[Callable[[], None]]]:
        plan = self._plan(step)
        count = len(plan.batch.images)
        size = max(_SMALLEST_JOB, -(-count // self.threads))
        return plan.batch, [partial(self._fill, plan, i, min(i + size, count)) for i in range(0, count, size)]

    def _plan(self, step: int) -> _Plan:
        """Everything about a batch but its pixels and what transforms write."""
        n, size = self.batch_size, self.image_size
        batch = Batch(
            images=np.empty((self._made[-1].stop, size, size, 3), np.uint8),
            labels=np.empty(n, np.int32),
            source=self._source.copy(),
            attributes=np.full((n, len(self.attribute_names)), UNKNOWN, np.int8),
            indices=np.concatenate([source.sampler.batch(step) for source in self.sources]),
            extra={name: np.full((n, *shape), np.nan, np.float32) for name, shape in self._shapes.items()},
        )
        for source, rows in enumerate(self._slices):
            self._describe(batch, source, rows)
        sources = range(len(self.sources))
        return _Plan(step, batch, [self._draw(step, i) for i in sources], [self._columns(batch, i) for i in sources])

    def _draw(self, step: int, source: int) -> Drawn | None:
        transform = self.sources[source].transform
        if transform is None:
            return None
        rng = generator(self.seed, step, Purpose.AUGMENT, stream=source)
        return transform.draw(rng, self.sources[source].batch_size, self.image_size)

    def _describe(self, batch: Batch, source: int, rows: slice | int) -> None:
        """Write what the data set says of the records at ``batch.indices[rows]``."""
        data, chosen = self._data[source], batch.indices[rows]
        batch.labels[rows] = data.labels[chosen]
        batch.attributes[rows, self._attributes[source]] = data.attributes[chosen]
        for name, values in data.extra.items():
            batch.extra[name][rows] = values[chosen]

    def _columns(self, batch: Batch, source: int) -> Columns:
        """The source's rows of every column it has, writable where its transform declares it."""
        views = {name: batch.extra[name][self._slices[source]] for name in self.sources[source].columns}
        for name, view in views.items():
            view.flags.writeable = name in self.sources[source].writes
        return Columns(views)

    def _fill(self, plan: _Plan, start: int, stop: int) -> None:
        """Write the images ``start..stop-1``."""
        for source, rows in enumerate(self._made):
            begin, end = max(start, rows.start), min(stop, rows.stop)
            if begin < end:
                self._fill_source(plan, source, begin, end)

    def _fill_source(self, plan: _Plan, source: int, start: int, stop: int) -> None:
        # What does not change from row to row is looked up once: at 20,000 images a second it shows.
        images, read, drawn = plan.batch.images, self._readers[source].read, plan.drawn[source]
        apply = None if drawn is None else drawn.apply
        shift, columns = self._shifts[source], plan.columns[source]
        first = self._first[source] - shift
        chosen = plan.batch.indices[start + shift : stop + shift].tolist()
        for row, index in zip(range(start, stop), chosen, strict=True):
            try:
                image = read(index)
            except DataError as error:
                if self.sources[source].on_bad_record == "stop":
                    raise
                image = self._substitute(plan, row + shift, error)
            if apply is None:
                images[row] = image
            else:
                apply(image, row - first, images[row], columns)

    def _substitute(self, plan: _Plan, row: int, error: DataError) -> NDArray[np.uint8]:
        """Note the bad record of ``row`` and put the next good one of its source in its place."""
        batch = plan.batch
        source, bad = int(batch.source[row]), int(batch.indices[row])
        self._note(source, bad, error)
        for index in self.sources[source].sampler.substitutes(bad, plan.step, row):
            if (source, index) in self._bad:
                continue
            try:
                image = self._readers[source].read(index)
            except DataError as other:
                self._note(source, index, other)
                continue
            batch.indices[row] = index
            self._describe(batch, source, row)
            return image
        raise DataError(
            f"no record is left that can be used, {len(self._bad)} {agree(len(self._bad), 'is', 'are')} bad; one of "
            f"them: {error}"
        )

    def _note(self, source: int, index: int, error: DataError) -> None:
        self._bad.add((source, index))
        self.skipped[self._data[source].name(index)] = str(error)


def _shapes(sources: Sequence[Source]) -> dict[str, tuple[int, ...]]:
    """Every column's name and the shape of one row's value."""
    shapes: dict[str, tuple[int, ...]] = {}
    for source in sources:
        for name, shape in source.columns.items():
            if shapes.setdefault(name, shape) != shape:
                raise ConfigError(
                    f"source {source.name}: has the column {name} as {shape}, a source before it as {shapes[name]}"
                )
    return shapes
