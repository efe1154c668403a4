"""What takes the place of a bad record, in what order; who makes a batch."""

import threading

import numpy as np

from fairface.config.schema import SamplerConfig
from fairface.data.array import ArrayDataset
from fairface.data.loading.loader import BatchLoader, Source
from fairface.data.loading.pk_sampler import PKSampler
from fairface.data.loading.samplers import RandomSampler, build_sampler


def test_a_bad_image_is_never_its_own_first_substitute():
    """The identity's other images come first, each once, from the next one on and round."""
    labels = np.array([2, 0, 0, 2, 1, 0, 2, 2, 0, -1], np.int32)
    sampler = PKSampler(labels, 4, 2, seed=1)
    for image in np.flatnonzero(labels >= 0).tolist():
        mates = [i for i in np.flatnonzero(labels == labels[image]).tolist() if i != image]
        expected = [i for i in mates if i > image] + [i for i in mates if i < image]
        assert list(sampler.substitutes(image, 0, 0))[: len(mates)] == expected


def test_a_sampler_that_is_built_is_the_first_of_its_run():
    labels = np.repeat(np.arange(5, dtype=np.int32), 4)
    for config, first, second in (
        (SamplerConfig(), RandomSampler(20, 20, 7, 0), RandomSampler(20, 20, 7, 1)),
        (SamplerConfig(kind="pk"), PKSampler(labels, 20, 4, 7, 0), PKSampler(labels, 20, 4, 7, 1)),
    ):
        built = build_sampler(config, labels, 20, 7).batch(0)
        np.testing.assert_array_equal(built, first.batch(0))
        assert (built != second.batch(0)).any()


class Watched(ArrayDataset):
    """Remembers which threads read it."""

    def __init__(self):
        super().__init__(np.zeros((8, 4, 4, 3), np.uint8), [0, 0, 1, 1, 2, 2, 3, 3])
        self.readers = set()

    def decoded(self, index):
        self.readers.add(threading.get_ident())
        return super().decoded(index)


def test_batches_are_made_by_the_caller_only_where_none_is_made_ahead():
    for ahead in (0, 1, 2):
        dataset = Watched()
        loader = BatchLoader([Source(dataset, 4, RandomSampler(8, 4, 0))], image_size=4, threads=1, prefetch=ahead)
        assert len(list(loader.iterate(0, 3))) == 3
        assert dataset.readers
        assert (threading.get_ident() in dataset.readers) == (ahead == 0)
