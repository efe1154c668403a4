import numpy as np
import pytest

from fairface.config.schema import SamplerConfig
from fairface.data.loading.draws import Purpose, generator
from fairface.data.loading.pk_sampler import PKSampler
from fairface.data.loading.samplers import DistinctSampler, RandomSampler, build_sampler
from fairface.errors import ConfigError, DataError


def test_generators_repeat_and_differ_by_every_argument():
    base = generator(1, 2, Purpose.ORDER, 3).random(8)
    assert (base == generator(1, 2, Purpose.ORDER, 3).random(8)).all()
    others = [(9, 2, Purpose.ORDER, 3), (1, 9, Purpose.ORDER, 3), (1, 2, Purpose.AUGMENT, 3), (1, 2, Purpose.ORDER, 9)]
    for arguments in [*others, (-1, 2, Purpose.ORDER, 3)]:
        assert not (base == generator(*arguments).random(8)).any()


@pytest.mark.parametrize(("length", "batch_size"), [(10, 3), (7, 7), (3, 8), (1, 4), (50, 1)])
def test_random_sampler_visits_every_image_once_an_epoch(length, batch_size):
    sampler = RandomSampler(length, batch_size, seed=5)
    steps = 4 * length
    stream = np.concatenate([sampler.batch(step) for step in range(steps)])
    assert stream.shape == (steps * batch_size,)
    assert stream.dtype == np.int64
    for epoch in range(len(stream) // length):
        assert sorted(stream[epoch * length : (epoch + 1) * length]) == list(range(length))
    assert sampler.steps_per_epoch == length / batch_size


@pytest.mark.parametrize(("length", "batch_size", "steps"), [(10, 4, 3), (7, 7, 1), (9, 5, 2), (12, 4, 3)])
def test_distinct_sampler_repeats_nothing_in_a_batch_and_leaves_nothing_out(length, batch_size, steps):
    sampler = build_sampler(SamplerConfig("distinct"), np.zeros(length, np.int32), batch_size, seed=5, stream=1)
    assert sampler.steps_per_epoch == steps
    batches = [sampler.batch(step) for step in range(3 * steps)]
    assert all(len(set(batch.tolist())) == batch_size for batch in batches)
    epochs = [np.concatenate(batches[i * steps : (i + 1) * steps]) for i in range(3)]
    assert all(set(epoch.tolist()) == set(range(length)) for epoch in epochs)
    assert length < 4 or not (epochs[0] == epochs[1]).all()
    orders = RandomSampler(length, batch_size, seed=5, stream=1)
    assert all((epoch[:length] == orders.indices(i)).all() for i, epoch in enumerate(epochs))


def test_distinct_sampler_stands_in_with_what_the_batch_does_not_hold():
    sampler = DistinctSampler(8, 5, seed=0)
    held = set(sampler.batch(3).tolist())
    index = int(sampler.batch(3)[2])
    assert set(sampler.substitutes(index, 3, 2)) == set(range(8)) - held
    with pytest.raises(DataError, match="there are 4 images, fewer than the 5 of a batch"):
        DistinctSampler(4, 5, seed=0)


@pytest.mark.parametrize(("length", "first_row"), [(24, 0), (40, 5), (17, 3)])
def test_two_bad_records_of_a_batch_get_different_stand_ins(length, first_row):
    """``first_row`` rows of other sources stand before; eight free images are enough for eight rows."""
    sampler = DistinctSampler(length, 8, seed=4, stream=1)
    for step in range(6):
        held = sampler.batch(step).tolist()
        found = [list(sampler.substitutes(index, step, first_row + row)) for row, index in enumerate(held)]
        assert all(sorted(each) == sorted(set(range(length)) - set(held)) for each in found)
        assert len({each[0] for each in found}) == 8


def test_random_sampler_is_pure_in_seed_stream_and_step():
    order = np.random.default_rng(0).permutation(40)
    whole = RandomSampler(100, 8, seed=1)
    expected = [whole.batch(step) for step in range(40)]
    again = RandomSampler(100, 8, seed=1)
    for step in order:
        assert (again.batch(int(step)) == expected[step]).all()
    assert not (RandomSampler(100, 100, 1).batch(0) == RandomSampler(100, 100, 2).batch(0)).all()
    assert not (RandomSampler(100, 100, 1).batch(0) == RandomSampler(100, 100, 1, stream=1).batch(0)).all()
    assert not (whole.indices(0) == whole.indices(1)).all()


def pk_labels():
    """13 identities (some numbers missing) with 1 to 9 images, unlabeled ones in between, in random order."""
    rng = np.random.default_rng(3)
    identities = np.arange(13) * 2 + 1
    labels = np.concatenate([np.repeat(identities, rng.permutation(13) % 9 + 1), np.full(10, -1)])
    return rng.permutation(labels).astype(np.int32)


def test_pk_batches_are_identities_times_images():
    labels = pk_labels()
    sampler = PKSampler(labels, 20, 4, seed=2)
    seen = set()
    for step in range(3 * int(sampler.steps_per_epoch)):
        groups = sampler.batch(step).reshape(5, 4)
        identities = labels[groups]
        assert (identities == identities[:, :1]).all()
        assert identities.min() >= 0
        assert len(set(identities[:, 0])) == 5
        for group, identity in zip(groups, identities[:, 0], strict=True):
            assert len(set(group)) == min(4, np.count_nonzero(labels == identity))
        seen |= set(identities[:, 0])
        if (step + 1) % sampler.steps_per_epoch == 0:
            assert seen == set(labels[labels >= 0])
            seen = set()
    assert sampler.steps_per_epoch == 3


def test_pk_is_pure_and_changes_with_seed_and_epoch():
    labels = pk_labels()
    expected = [PKSampler(labels, 12, 3, seed=2).batch(step) for step in range(12)]
    again = PKSampler(labels, 12, 3, seed=2)
    for step in (11, 0, 5, 3, 4):
        assert (again.batch(step) == expected[step]).all()
    assert not (PKSampler(labels, 12, 3, seed=3).batch(0) == expected[0]).all()
    assert not (expected[0] == expected[int(again.steps_per_epoch)]).all()


def test_pk_substitutes_come_from_the_identity_first():
    labels = pk_labels()
    sampler = PKSampler(labels, 12, 3, seed=2)
    index = int(sampler.batch(0)[0])
    candidates = list(sampler.substitutes(index, 0, 0))
    mates = set(np.flatnonzero(labels == labels[index])) - {index}
    assert set(candidates[: len(mates)]) == mates
    assert set(candidates) == set(np.flatnonzero(labels >= 0))


def test_random_substitutes_end_with_every_record_and_are_pure():
    sampler = RandomSampler(30, 4, seed=0)
    candidates = list(sampler.substitutes(7, 2, 1))
    assert candidates == list(sampler.substitutes(7, 2, 1)) != list(sampler.substitutes(7, 2, 2))
    assert set(candidates) | {7} == set(range(30))


def test_build_sampler_and_its_errors():
    labels = pk_labels()
    assert isinstance(build_sampler(SamplerConfig(), labels, 8, 0), RandomSampler)
    assert isinstance(build_sampler(SamplerConfig(kind="pk"), labels, 8, 0), PKSampler)
    with pytest.raises(ConfigError, match=r"sampler\.kind is 'odd'"):
        build_sampler(SamplerConfig(kind="odd"), labels, 8, 0)
    with pytest.raises(ConfigError, match="multiple"):
        build_sampler(SamplerConfig(kind="pk", images_per_class=3), labels, 8, 0)
    with pytest.raises(DataError, match="needs 20 identities and the data has 13"):
        build_sampler(SamplerConfig(kind="pk", images_per_class=1), labels, 20, 0)
    with pytest.raises(DataError, match="the data has 0"):
        build_sampler(SamplerConfig(kind="pk"), np.full(9, -1, np.int32), 8, 0)
    with pytest.raises(DataError, match="no images"):
        build_sampler(SamplerConfig(), labels[:0], 8, 0)
    with pytest.raises(ConfigError, match="batch_size: 0"):
        build_sampler(SamplerConfig(), labels, 0, 0)
