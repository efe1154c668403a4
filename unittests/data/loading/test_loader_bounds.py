"""Batches at their edges: jobs, substitutes, samplers, and the words for what does not fit."""

import numpy as np
import pytest

from fairface.config.schema import SamplerConfig
from fairface.data.array import ArrayDataset
from fairface.data.loading import cached
from fairface.data.loading.cached import decode_all
from fairface.data.loading.draws import Purpose, generator
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.pk_sampler import PKSampler
from fairface.data.loading.samplers import RandomSampler, build_sampler
from fairface.data.loading.source import Source
from fairface.data.types import Sample
from fairface.errors import ConfigError, DataError

LABELS = np.array([3, 0, 0, 3, 1, 0, 3, 1, -1, 3], np.int32)


def test_generators_are_philox_keyed_by_seed_and_index():
    """So a step can be drawn without those before it; two purposes or streams never share numbers."""
    drawn = generator(7, 3, Purpose.SUBSTITUTE, 5).random(4)
    key, counter = np.array([7, 3], np.uint64), np.array([0, 0, 5, 3], np.uint64)
    assert (drawn == np.random.Generator(np.random.Philox(key=key, counter=counter)).random(4)).all()
    assert (generator(-1, 0, Purpose.ORDER).random(3) == generator(2**64 - 1, 0, Purpose.ORDER).random(3)).all()
    assert (generator(1, -2, Purpose.ORDER, -3).random(3) == generator(
        1, 2**64 - 2, Purpose.ORDER, 2**64 - 3).random(3)).all()  # fmt: skip
    assert [purpose.value for purpose in Purpose] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert Purpose.ORDER.name == "ORDER"


def test_random_batches_are_permutations_end_to_end():
    sampler = RandomSampler(5, 3, 9, stream=2)
    orders = [generator(9, epoch, Purpose.ORDER, 2).permutation(5) for epoch in range(4)]
    whole = np.concatenate(orders)
    for step in (5, 0, 1, 2, 3, 4):
        assert sampler.batch(step).tolist() == whole[3 * step : 3 * step + 3].tolist()
    assert sampler.steps_per_epoch == 5 / 3
    large = RandomSampler(2, 5, 9, stream=2)
    assert (
        large.batch(0).tolist()
        == np.concatenate([generator(9, epoch, Purpose.ORDER, 2).permutation(2) for epoch in range(3)])[:5].tolist()
    )


def test_substitutes_are_sixteen_at_random_and_then_all():
    for length in (1, 2, 7):
        sampler = RandomSampler(length, 1, 4)
        found = list(sampler.substitutes(length - 1, 6, 2))
        drawn = generator(4, 6, Purpose.SUBSTITUTE, 2).integers(length, size=16).tolist()
        assert found == [*drawn, *range(length - 1)]
    sampler = PKSampler(LABELS, 4, 2, seed=4)
    found = list(sampler.substitutes(6, 5, 1))
    order = [1, 2, 5, 4, 7, 0, 3, 6, 9]  # labeled images by identity
    drawn = generator(4, 5, Purpose.SUBSTITUTE, 1).integers(9, size=16)
    assert found == [9, 0, 3, *(order[i] for i in drawn), *order]


def test_identities_with_fewer_images_than_wanted_give_all_and_some_again():
    sampler = PKSampler(LABELS, 9, 3, seed=1)
    assert sampler.steps_per_epoch == 1.0
    for step in range(20):
        batch = sampler.batch(step).reshape(3, 3)
        assert (LABELS[batch] == LABELS[batch][:, :1]).all()
        assert sorted(LABELS[batch][:, 0].tolist()) == [0, 1, 3]
        for row in batch.tolist():
            assert len(set(row)) == min(3, (LABELS[row[0]] == LABELS).sum())


def test_the_last_step_of_an_epoch_is_filled_from_its_beginning():
    sampler = PKSampler(LABELS, 4, 2, seed=3)
    assert sampler.steps_per_epoch == 2.0
    for epoch in range(5):
        order = generator(3, epoch, Purpose.ORDER).permutation(3).tolist()
        people = [[0, 1, 3][i] for i in order]
        drawn = [LABELS[sampler.batch(2 * epoch + i)].tolist()[::2] for i in range(2)]
        assert drawn == [people[:2], [people[2], people[0]]]


@pytest.mark.parametrize(("batch", "images"), [(4, 3), (0, 1), (3, 0), (-2, 1), (2, 4)])
def test_batches_that_are_no_groups(batch, images):
    with pytest.raises(ConfigError, match=f"images_per_class: {images} does not divide the batch size {batch};"):
        PKSampler(LABELS, batch, images, 0)


def test_samplers_need_enough():
    PKSampler(LABELS, 3, 1, 0)
    with pytest.raises(DataError, match="a batch needs 4 identities and the data has 3 with a label; choose a smaller"):
        PKSampler(LABELS, 4, 1, 0)
    assert RandomSampler(1, 1, 0).batch(0).tolist() == [0]
    with pytest.raises(DataError, match="the data set holds no images; check"):
        RandomSampler(0, 1, 0)
    with pytest.raises(ConfigError, match="batch_size: 0 is not a number of images; choose 1 or more"):
        RandomSampler(1, 0, 0)
    assert build_sampler(SamplerConfig(kind="pk", images_per_class=3), LABELS, 9, 0).images_per_class == 3


class Numbered(ArrayDataset):
    """Images of one value each; some records cannot be used."""

    def __init__(self, count, bad=(), size=4, labels=None):
        images = np.arange(count, dtype=np.uint8)[:, None, None, None].repeat(size, 1).repeat(size, 2).repeat(3, 3)
        super().__init__(images, np.arange(count) if labels is None else labels, np.arange(count)[:, None], ("n",))
        self.bad = set(bad)
        self.read = []

    def decoded(self, index):
        self.read.append(index)
        if index in self.bad:
            raise DataError(f"record {index} is bad")
        return super().decoded(index)

    def __getitem__(self, index):
        return Sample(self.decoded(index), int(self.labels[index]), self.attributes[index], self.name(index))


@pytest.mark.parametrize("batch", [1, 15, 16, 17, 33, 48, 50])
@pytest.mark.parametrize("threads", [1, 3])
def test_every_row_of_a_batch_is_filled_once_by_its_jobs(batch, threads):
    data, other = Numbered(60), Numbered(60)
    sources = [Source(data, batch, RandomSampler(60, batch, 1)), Source(other, 5, RandomSampler(60, 5, 1, 1), name="b")]
    loader = BatchLoader(sources, 4, threads=threads, prefetch=2)
    for step, made in enumerate(loader.iterate(3, 5), 3):
        assert (made.images[:, 0, 0, 0] == made.indices).all()
        assert (made.attributes[:, 0] == made.indices).all()
        assert made.source.tolist() == [0] * batch + [1] * 5
        whole = loader.batch(step)
        assert (whole.images == made.images).all()
    assert sorted(data.read) == sorted(
        [*sources[0].sampler.batch(3).tolist(), *sources[0].sampler.batch(4).tolist()] * 2
    )


def test_a_substitute_is_found_without_asking_a_bad_record_again():
    data = Numbered(6, bad=[0, 2, 4], labels=[0, 0, 0, 1, 1, 1])
    loader = BatchLoader([Source(data, 6, RandomSampler(6, 6, 1), on_bad_record="skip")], 4, threads=1)
    batch = loader.batch(0)
    assert set(batch.indices.tolist()) == {1, 3, 5}
    assert (batch.images[:, 0, 0, 0] == batch.indices).all()
    assert batch.labels.tolist() == data.labels[batch.indices].tolist()
    assert batch.attributes[:, 0].tolist() == batch.indices.tolist()
    assert loader.skipped == {f"image {i}": f"record {i} is bad" for i in (0, 2, 4)}
    assert all(data.read.count(i) <= 2 for i in (0, 2, 4))  # once in its own row, once as a substitute at most
    all_bad = Numbered(2, bad=[0, 1])
    loader = BatchLoader([Source(all_bad, 1, RandomSampler(2, 1, 1), on_bad_record="skip")], 4, threads=1)
    with pytest.raises(
        DataError, match=r"no record is left that can be used, 2 are bad; one of them: record [01] is bad"
    ):
        loader.batch(0)


def test_what_a_loader_is_made_of():
    source = Source(Numbered(3), 2, RandomSampler(3, 2, 0))
    plain = BatchLoader([source])
    assert (plain.image_size, plain.seed, plain.prefetch, plain.batch_size) == (112, 0, 3, 2)
    assert plain.threads >= 1
    BatchLoader([source], 1, threads=0, prefetch=0)
    for wrong in ({"sources": []}, {"threads": -1}, {"prefetch": -1}, {"image_size": 0}):
        with pytest.raises(ConfigError, match="the loader needs a source, threads and prefetch of 0 or more"):
            BatchLoader(**{"sources": [source], **wrong})
    assert (source.transform, source.name, source.resize, source.on_bad_record) == (None, "data", False, "stop")
    with pytest.raises(ConfigError, match="source data: the sampler draws 3 images, not 2"):
        Source(Numbered(3), 2, RandomSampler(3, 3, 0))


@pytest.mark.parametrize("labels", [[0, 1, 3], [0, -2, 1]])
def test_labels_beyond_the_classes_are_counted(labels):
    data = Numbered(3)
    data._labels = np.array(labels, np.int32)
    wrong = next(i for i, label in enumerate(labels) if label not in (-1, 0, 1, 2))
    with pytest.raises(DataError) as caught:
        Source(data, 1, RandomSampler(3, 1, 0))
    said = f"image {wrong}: label {labels[wrong]} is outside 0..2 (1 such record); fix the labels"
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(("labels", "labeled"), [([-1, -1], False), ([-1, 0], True), ([0, 0], True)])
def test_a_source_is_labeled_where_any_record_is(labels, labeled):
    data = ArrayDataset(np.zeros((2, 4, 4, 3), np.uint8), labels)
    assert Source(data, 1, RandomSampler(2, 1, 0)).is_labeled == labeled


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_all_images_are_decoded_whatever_the_chunks_are(monkeypatch, count):
    monkeypatch.setattr(cached, "_CHUNK", 2)
    data = decode_all(Numbered(count), 4, threads=2)
    assert data.holds_pixels
    assert [int(data.decoded(i)[0, 0, 0]) for i in range(count)] == list(range(count))
    assert [(data[i].label, data[i].name, data[i].attributes.tolist()) for i in range(count)] == [
        (i, f"image {i}", [i]) for i in range(count)]  # fmt: skip
    with pytest.raises(ValueError, match="read-only"):
        data.decoded(0)[0] = 1
    with pytest.raises(DataError, match=f"record {count} was asked for"):
        data.decoded(count)


def test_bad_records_in_memory():
    with pytest.raises(DataError, match="record 1 is bad"):
        decode_all(Numbered(3, bad=[1]), 4, threads=1)
    data = decode_all(Numbered(3, bad=[1]), 4, threads=1, skip_bad=True).subset([2, 1])
    assert int(data.decoded(0)[0, 0, 0]) == 2
    with pytest.raises(DataError, match="record 1 is bad"):
        data.decoded(1)
    with pytest.raises(DataError, match="the image is 4x4 pixels, not 5x5"):
        decode_all(Numbered(1), 5, threads=1)
    assert decode_all(Numbered(1), 5, may_resize=True).decoded(0).shape == (5, 5, 3)


def test_more_images_than_memory_holds(monkeypatch):
    def refuse(*arguments):
        raise MemoryError

    monkeypatch.setattr(np, "empty", refuse)
    said = "3 images of 4x4 pixels do not fit into memory; set data.in_memory=false"
    with pytest.raises(DataError, match=said):
        decode_all(Numbered(3), 4)
