"""Batches from data sets: decoded, changed as the configuration asks, made ahead in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

import numpy as np
from numpy.typing import NDArray

from fairface.data.image_reader import ImageReader
from fairface.data.loading.augment import Augmenter, Draws
from fairface.data.loading.draws import Purpose, generator
from fairface.data.loading.samplers import Sampler
from fairface.data.types import UNKNOWN, UNLABELED, Batch, Dataset
from fairface.errors import ConfigError, DataError
from fairface.hardware import usable_cores
from fairface.threads import work_ahead

_SMALLEST_JOB = 16  # images; below that, handing a job to a thread costs more than it gains


@dataclass(frozen=True)
class Source:
    """One data set's part of every batch: ``batch_size`` images, chosen by ``sampler``.

    Raises:
        ConfigError: the sampler draws another number of images.
        DataError: a label outside -1..num_classes-1.
    """

    dataset: Dataset
    batch_size: int
    sampler: Sampler

    def __post_init__(self) -> None:
        if self.sampler.batch_size != self.batch_size:
            raise ConfigError(f"the sampler draws {self.sampler.batch_size} images and the source {self.batch_size}")
        labels, classes = self.dataset.labels, self.dataset.num_classes
        wrong = np.flatnonzero((labels < UNLABELED) | (labels >= classes))
        if len(wrong):
            first = int(wrong[0])
            raise DataError(
                f"{self.dataset.name(first)}: label {labels[first]} is outside 0..{classes - 1} ({len(wrong)} such "
                "records); fix the labels or the number of classes beside the data"
            )


@dataclass(frozen=True)
class _Plan:
    step: int
    batch: Batch
    draws: Draws


class BatchLoader:
    """Batches that are a pure function of (seed, step).

    Rows stand source after source. ``attribute_names`` is the union of the sources' names in order of appearance;
    what a source does not know is -1.

    Args:
        sources: the data sets with their share of the batch.
        augmenter: what is done to the images; ``None`` leaves them as they are.
        image_size: side in pixels; an image of another size is a bad record, unless ``resize``.
        threads: decoding threads; 0 = one for each core that this process may use.
        prefetch: batches made ahead by :meth:`iterate`; 0 makes each when it is asked for, in the caller's thread.
        on_bad_record: ``stop`` raises DataError; ``skip`` takes another record and notes the bad one in ``skipped``.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        augmenter: Augmenter | None = None,
        image_size: int = 112,
        seed: int = 0,
        threads: int = 0,
        prefetch: int = 3,
        on_bad_record: str = "stop",
        resize: bool = False,
    ) -> None:
        if on_bad_record not in ("stop", "skip"):
            raise ConfigError(f"data.on_bad_record: {on_bad_record!r} is not known; choose stop or skip")
        if not sources or min(threads, prefetch) < 0 or image_size < 1:
            raise ConfigError("the loader needs a source, threads and prefetch of 0 or more and an image size")
        self.sources = tuple(sources)
        self.augmenter = augmenter
        self.image_size = image_size
        self.seed = seed
        self.threads = threads or usable_cores()
        self.prefetch = prefetch
        self.on_bad_record = on_bad_record
        self.skipped: dict[str, str] = {}  # name of a bad record -> what is wrong with it
        self._bad: set[tuple[int, int]] = set()
        self._readers = [ImageReader(source.dataset, image_size, may_resize=resize) for source in sources]
        self._sizes = [source.batch_size for source in sources]
        self._source = np.repeat(np.arange(len(sources), dtype=np.int16), self._sizes)
        self._labels = [source.dataset.labels for source in sources]
        self.attribute_names = tuple(dict.fromkeys(n for source in sources for n in source.dataset.attribute_names))
        self._attributes = [source.dataset.attributes for source in sources]
        self._columns = [[self.attribute_names.index(n) for n in s.dataset.attribute_names] for s in sources]

    @property
    def batch_size(self) -> int:
        """Images per batch over all sources."""
        return len(self._source)

    @property
    def steps_per_epoch(self) -> float:
        """Steps per epoch of the first source."""
        return self.sources[0].sampler.steps_per_epoch

    def epoch(self, step: int) -> int:
        """The first source's epoch at ``step``."""
        return self.sources[0].sampler.epoch(step)

    def batch(self, step: int) -> Batch:
        """The batch of ``step``, made in the caller's thread.

        Raises:
            DataError: a bad record (``stop``), or no good record left (``skip``).
        """
        plan = self._plan(step)
        self._fill(plan, 0, self.batch_size)
        return plan.batch

    def iterate(self, start: int = 0, stop: int | None = None) -> Iterator[Batch]:
        """The batches of steps ``start..stop-1`` (endless without ``stop``), made ahead in threads.

        The threads end with the iterator: at its end, at an exception, and when it is closed or dropped.

        Raises:
            DataError: as :meth:`batch`, when the step's turn has come.
        """
        steps: Iterable[int] = count(start) if stop is None else range(start, stop)
        if self.prefetch == 0:
            return map(self.batch, steps)
        return work_ahead((self._jobs(step) for step in steps), self.threads, self.prefetch)

    def _jobs(self, step: int) -> tuple[Batch, list[Callable[[], None]]]:
        plan = self._plan(step)
        size = max(_SMALLEST_JOB, -(-self.batch_size // self.threads))
        starts = range(0, self.batch_size, size)
        return plan.batch, [partial(self._fill, plan, i, min(i + size, self.batch_size)) for i in starts]

    def _plan(self, step: int) -> _Plan:
        """Everything about a batch but its pixels."""
        n = self.batch_size
        rows = [source.sampler.batch(step) for source in self.sources]
        attributes = np.full((n, len(self.attribute_names)), UNKNOWN, np.int8)
        first = 0
        for chosen, values, columns in zip(rows, self._attributes, self._columns, strict=True):
            attributes[first : first + len(chosen), columns] = values[chosen]
            first += len(chosen)
        batch = Batch(
            images=np.empty((n, self.image_size, self.image_size, 3), np.uint8),
            labels=np.concatenate([labels[i] for labels, i in zip(self._labels, rows, strict=True)]),
            source=self._source.copy(),
            attributes=attributes,
            indices=np.concatenate(rows),
        )
        return _Plan(step, batch, self._draw(step))

    def _draw(self, step: int) -> Draws:
        if self.augmenter is None:
            return Draws.none(self.batch_size)
        return self.augmenter.draw(generator(self.seed, step, Purpose.AUGMENT), self.batch_size, self.image_size)

    def _fill(self, plan: _Plan, start: int, stop: int) -> None:
        """Write the pixels of rows ``start..stop-1``."""
        images, apply = plan.batch.images, plan.draws.apply
        sources = plan.batch.source[start:stop].tolist()
        indices = plan.batch.indices[start:stop].tolist()
        for row, source, index in zip(range(start, stop), sources, indices, strict=True):
            try:
                image = self._readers[source].read(index)
            except DataError as error:
                if self.on_bad_record == "stop":
                    raise
                image = self._substitute(plan, row, error)
            apply(image, row, images[row])

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
            batch.labels[row] = self._labels[source][index]
            batch.attributes[row, self._columns[source]] = self._attributes[source][index]
            return image
        raise DataError(f"no record is left that can be used, {len(self._bad)} are bad; one of them: {error}")

    def _note(self, source: int, index: int, error: DataError) -> None:
        self._bad.add((source, index))
        self.skipped[self.sources[source].dataset.name(index)] = str(error)
