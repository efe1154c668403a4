import gc
import threading

import cv2
import numpy as np
import pytest

from fairface.config.schema import AugmentConfig
from fairface.data.loading.augment import Augmenter
from fairface.data.loading.cached import decode_all
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.pk_sampler import PKSampler
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.recordio.files import RecordWriter
from fairface.data.view import IndexedDataset
from fairface.errors import ConfigError, DataError
from unittests.data.in_order import InOrder

SIZE = 24


class MemorySet(IndexedDataset):
    """PNG files of blurred noise in memory; ``files`` may be damaged and ``fail`` made to raise."""

    def __init__(self, labels, size=SIZE, first=0, attributes=None, attribute_names=(), title="memory"):
        labels = np.asarray(labels, np.int32)
        super().__init__(title, labels, int(labels.max(initial=0)) + 1, attributes, attribute_names)
        self.pixels = [blurred_noise(first + i, size) for i in range(len(labels))]
        self.files = [cv2.imencode(".png", image[..., ::-1])[1].tobytes() for image in self.pixels]
        self.reads = 0
        self.fail = {}

    def name(self, index):
        return f"{self.title} {index}"

    def encoded(self, index):
        self.reads += 1
        if index in self.fail:
            raise self.fail[index]
        return self.files[index]


def blurred_noise(seed, size):
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (size, size), interpolation=cv2.INTER_CUBIC)


def loader(dataset=None, batch_size=8, seed=3, augment=None, **options):
    dataset = MemorySet(np.arange(20) % 5) if dataset is None else dataset
    sampler = RandomSampler(len(dataset), batch_size, seed)
    augmenter = Augmenter(AugmentConfig(mirror=0.5) if augment is None else augment)
    of_source = {key: options.pop(key) for key in ("resize", "on_bad_record") if key in options}
    options = {"image_size": SIZE, "threads": 2, **options}
    return BatchLoader([Source(dataset, batch_size, sampler, augmenter, **of_source)], seed=seed, **options)


def same(a, b):
    return all((getattr(a, k) == getattr(b, k)).all() for k in ("images", "labels", "source", "attributes", "indices"))


def threads_of_ours():
    return [thread for thread in threading.enumerate() if thread.name.startswith("fairface")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    assert not threads_of_ours()
    yield
    gc.collect()
    assert not threads_of_ours()


def test_a_batch_holds_the_pixels_it_says():
    dataset = MemorySet(np.arange(20) % 5)
    batch = loader(dataset, augment=AugmentConfig(mirror=0.5)).batch(1)
    assert batch.images.shape == (8, SIZE, SIZE, 3)
    assert batch.images.dtype == np.uint8
    assert [batch.labels.dtype, batch.source.dtype, batch.attributes.dtype, batch.indices.dtype] == [
        np.int32, np.int16, np.int8, np.int64]  # fmt: skip
    mirrored = 0
    for image, index, label in zip(batch.images, batch.indices, batch.labels, strict=True):
        assert label == index % 5
        plain = dataset.pixels[index]
        mirrored += (image == plain[:, ::-1]).all()
        assert (image == plain).all() or (image == plain[:, ::-1]).all()
    assert 0 < mirrored < 8
    assert len(batch) == 8
    assert batch.attributes.shape == (8, 0)
    assert not batch.extra


EVERYTHING = AugmentConfig(0.5, 0.5, 0.3, 0.5, (2, 20), 0.5, 8, 0.5, crop=0.3, low_res=0.3, photometric=0.3)


def test_batches_are_pure_in_seed_and_step():
    whole = list(loader(augment=EVERYTHING).iterate(0, 9))
    for step in (8, 0, 4):
        assert same(loader(augment=EVERYTHING).batch(step), whole[step])
    assert not (loader(seed=4).batch(0).indices == whole[0].indices).all()
    assert not same(whole[0], whole[1])


@pytest.mark.parametrize("options", [{"prefetch": 0}, {"threads": 1}, {"threads": 5, "prefetch": 1}, {"prefetch": 20}])
def test_threads_and_prefetch_change_nothing(options):
    expected = [loader(augment=EVERYTHING, batch_size=40).batch(step) for step in range(2, 7)]
    found = list(loader(augment=EVERYTHING, batch_size=40, **options).iterate(2, 7))
    assert len(found) == 5
    assert all(map(same, found, expected))


def test_resuming_at_a_step_gives_the_same_batches():
    whole = list(loader().iterate(0, 8))
    assert all(map(same, loader().iterate(5, 8), whole[5:]))


def test_every_epoch_visits_every_image_once_and_no_batch_is_short():
    batches = list(loader().iterate(0, 10))
    indices = np.concatenate([batch.indices for batch in batches])
    for epoch in range(4):
        assert sorted(indices[epoch * 20 : (epoch + 1) * 20]) == list(range(20))
    assert loader().steps_per_epoch == 2.5


def test_iterate_without_stop_is_endless_and_a_batch_stays_as_it_was():
    batches = loader().iterate()
    kept = [next(batches) for _ in range(12)]
    batches.close()
    assert all(same(batch, loader().batch(step)) for step, batch in enumerate(kept))


def two_sources():
    labeled = MemorySet(
        np.arange(12) % 4,
        attributes=np.tile(np.int8([[0, 1]]), (12, 1)),
        attribute_names=("sex", "glasses"),
        title="labeled",
    )
    unlabeled = MemorySet(
        np.full(9, -1),
        first=50,
        attributes=np.full((9, 2), 3, np.int8),
        attribute_names=("age", "sex"),
        title="unlabeled",
    )
    sources = [
        Source(labeled, 6, PKSampler(labeled.labels, 6, 2, seed=1)),
        Source(unlabeled, 3, RandomSampler(9, 3, seed=1, stream=1)),
    ]
    return labeled, unlabeled, BatchLoader(sources, image_size=SIZE, threads=2)


def test_mixed_sources_stand_one_after_the_other():
    labeled, unlabeled, both = two_sources()
    assert both.batch_size == 9
    assert both.attribute_names == ("sex", "glasses", "age")
    for step, batch in enumerate(both.iterate(0, 5)):
        assert batch.source.tolist() == [0] * 6 + [1] * 3
        assert (batch.labels[6:] == -1).all()
        assert (batch.labels[:6] == labeled.labels[batch.indices[:6]]).all()
        assert len(set(batch.labels[:6:2])) == 3
        assert (batch.labels[:6:2] == batch.labels[1:6:2]).all()
        assert (batch.attributes[:6] == [0, 1, -1]).all()
        assert (batch.attributes[6:] == [3, -1, 3]).all()
        for row in range(9):
            dataset = (labeled, unlabeled)[batch.source[row]]
            assert (batch.images[row] == dataset.pixels[batch.indices[row]]).all()
        assert same(batch, both.batch(step))


def test_grey_jpeg_and_grey_png_become_rgb():
    dataset = MemorySet([0, 1])
    grey = blurred_noise(7, SIZE)[..., 0]
    dataset.files = [cv2.imencode(suffix, grey)[1].tobytes() for suffix in (".jpg", ".png")]
    images = BatchLoader([Source(dataset, 2, InOrder(2, 2))], image_size=SIZE).batch(0).images
    assert (images == images[..., :1]).all()
    assert (images[1, ..., 0] == grey).all()


def test_records_come_from_a_rec_file_as_opencv_decodes_them(tmp_path):
    files = [cv2.imencode(".jpg", blurred_noise(i, SIZE))[1].tobytes() for i in range(6)]
    with RecordWriter(tmp_path / "train.rec") as writer:
        for key, data in enumerate(files):
            writer.write(key, float(key % 3), b"no image" if key == 4 else data)
    dataset = RecordDataset(tmp_path)
    batch = BatchLoader([Source(dataset, 4, InOrder(6, 4))], image_size=SIZE).batch(0)
    for image, data in zip(batch.images, files, strict=False):
        assert (image == cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]).all()
    assert batch.labels.tolist() == [0, 1, 2, 0]
    with pytest.raises(DataError, match=r"train\.rec: record 4: not an image"):
        BatchLoader([Source(dataset, 6, InOrder(6, 6))], image_size=SIZE).batch(0)


def test_another_size_is_an_error_unless_resized():
    dataset = MemorySet(np.arange(4), size=30)
    with pytest.raises(DataError, match=r"memory \d.*30x30.*24x24"):
        loader(dataset).batch(0)
    batch = loader(dataset, augment=AugmentConfig(mirror=0), resize=True).batch(0)
    expected = cv2.resize(dataset.pixels[batch.indices[0]], (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    assert (batch.images[0] == expected).all()


BAD = {"empty": b"", "no image": b"this is text", "cut off": None}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_record_stops_with_its_name(kind):
    dataset = MemorySet(np.arange(20) % 5)
    jpeg = cv2.imencode(".jpg", dataset.pixels[13])[1].tobytes()
    dataset.files[13] = jpeg[: len(jpeg) // 2] if BAD[kind] is None else BAD[kind]
    with pytest.raises(DataError, match="memory 13"):
        list(loader(dataset).iterate(0, 3))
    with pytest.raises(DataError, match="memory 13"):
        [loader(dataset).batch(step) for step in range(3)]


def test_batches_before_the_bad_one_arrive():
    dataset = MemorySet(np.arange(20) % 5)
    order = RandomSampler(20, 8, 3).indices(0)
    dataset.files[order[17]] = b""
    batches = loader(dataset).iterate(0, 5)
    assert same(next(batches), loader().batch(0))
    assert same(next(batches), loader().batch(1))
    with pytest.raises(DataError, match=f"memory {order[17]}"):
        next(batches)


def test_a_bad_record_is_skipped_counted_and_named():
    dataset = MemorySet(np.arange(20) % 5, attributes=np.arange(20, dtype=np.int8)[:, None], attribute_names=("n",))
    dataset.files[13] = b"text"
    dataset.fail[4] = OSError(5, "Input/output error")
    skipping = loader(dataset, augment=AugmentConfig(mirror=0), on_bad_record="skip")
    batches = list(skipping.iterate(0, 5))
    untouched = [loader(MemorySet(np.arange(20) % 5), augment=AugmentConfig(mirror=0)).batch(step) for step in range(5)]
    replaced = 0
    for batch, plain in zip(batches, untouched, strict=True):
        assert not np.isin(batch.indices, [4, 13]).any()
        good = ~np.isin(plain.indices, [4, 13])
        assert (batch.indices[good] == plain.indices[good]).all()
        replaced += np.count_nonzero(~good)
        for image, index, label, (n,) in zip(batch.images, batch.indices, batch.labels, batch.attributes, strict=True):
            assert (image == dataset.pixels[index]).all()
            assert label == index % 5
            assert n == index
    assert replaced == 4
    assert set(skipping.skipped) == {"memory 4", "memory 13"}
    assert "not an image" in skipping.skipped["memory 13"]
    assert "Input/output error" in skipping.skipped["memory 4"]
    other = loader(dataset, augment=AugmentConfig(mirror=0), on_bad_record="skip", threads=1)
    assert all(same(other.batch(step), batches[step]) for step in (4, 1, 0))


def test_a_pk_batch_replaces_within_the_identity():
    dataset = MemorySet(np.arange(24) % 4)
    dataset.files[3] = dataset.files[10] = b""
    source = Source(dataset, 12, PKSampler(dataset.labels, 12, 3, seed=0), on_bad_record="skip")
    skipping = BatchLoader([source], image_size=SIZE)
    for batch in skipping.iterate(0, 6):
        groups = batch.labels.reshape(4, 3)
        assert (groups == groups[:, :1]).all()
        assert len(set(groups[:, 0])) == 4
    assert set(skipping.skipped) == {"memory 3", "memory 10"}


def test_all_bad_stops_and_names_one():
    dataset = MemorySet(np.arange(20) % 5)
    dataset.files = [b"text"] * 20
    skipping = loader(dataset, on_bad_record="skip")
    with pytest.raises(DataError, match=r"no record is left.*memory \d+"):
        next(skipping.iterate())
    assert len(skipping.skipped) == 20


def test_one_good_record_is_enough():
    dataset = MemorySet(np.arange(200) % 5)
    dataset.files = [dataset.files[i] if i == 77 else b"" for i in range(200)]
    assert (loader(dataset, on_bad_record="skip").batch(0).indices == 77).all()


def test_a_fault_of_the_program_is_never_skipped():
    dataset = MemorySet(np.arange(20) % 5)
    dataset.fail[13] = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        list(loader(dataset, on_bad_record="skip").iterate(0, 3))


def test_threads_end_when_the_consumer_leaves_or_fails():
    def consume():
        for _ in loader(batch_size=64, threads=3, prefetch=4).iterate():
            assert threads_of_ours()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    gc.collect()
    assert not threads_of_ours()
    batches = loader().iterate()
    next(batches)
    del batches
    gc.collect()
    assert not threads_of_ours()


def test_in_memory_is_the_same_without_decoding_again():
    dataset = MemorySet(np.arange(20) % 5)
    cached = decode_all(dataset, SIZE, threads=2)
    reads = dataset.reads
    assert reads == 20
    found = list(loader(cached, augment=EVERYTHING).iterate(0, 6))
    assert dataset.reads == reads
    assert all(map(same, found, loader(dataset, augment=EVERYTHING).iterate(0, 6)))
    chosen = cached.subset([7, 2]).subset(np.array([1, 0, 1]))
    assert chosen.labels.tolist() == [2, 2, 2]
    assert chosen.name(1) == "memory 7"
    assert len(chosen) == 3
    assert (chosen[1].image == dataset.pixels[7]).all()
    assert (chosen.decoded(0) == dataset.pixels[2]).all()
    with pytest.raises(ValueError, match="read-only"):
        chosen.decoded(0)[:] = 0


def test_in_memory_with_bad_records():
    dataset = MemorySet(np.arange(20) % 5)
    dataset.files[13] = b"text"
    with pytest.raises(DataError, match="memory 13"):
        decode_all(dataset, SIZE)
    cached = decode_all(dataset, SIZE, skip_bad=True)
    skipping = loader(cached, on_bad_record="skip")
    on_disk = loader(dataset, on_bad_record="skip")
    assert all(map(same, skipping.iterate(0, 5), on_disk.iterate(0, 5)))
    assert skipping.skipped == on_disk.skipped
    assert list(skipping.skipped) == ["memory 13"]


def test_labels_outside_the_classes_and_wrong_options_are_errors():
    dataset = MemorySet(np.arange(20) % 5)
    dataset.labels[6] = 5
    with pytest.raises(DataError, match=r"memory 6: label 5 is outside 0\.\.4 \(1 such"):
        loader(dataset)
    dataset.labels[6] = -2
    with pytest.raises(DataError, match="memory 6: label -2"):
        loader(dataset)
    with pytest.raises(ConfigError, match=r"data\.on_bad_record is 'ignore'; it must be one of: stop, skip"):
        loader(on_bad_record="ignore")
    with pytest.raises(ConfigError, match="prefetch"):
        loader(prefetch=-1)
    with pytest.raises(ConfigError, match="the sampler draws 4 images"):
        Source(MemorySet([0, 1]), 8, RandomSampler(2, 4, 0))


def resident_kilobytes():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def test_memory_stays_flat():
    dataset = MemorySet(np.arange(50) % 5, size=64)
    batches = loader(dataset, batch_size=64, image_size=64, augment=EVERYTHING).iterate(0, 120)
    sizes = []
    for step, _ in enumerate(batches):
        if step in (40, 119):
            sizes.append(resident_kilobytes())
    assert sizes[1] < sizes[0] * 1.02 + 2 * 64 * 64 * 64 * 3 / 1024  # two batches of allowance
