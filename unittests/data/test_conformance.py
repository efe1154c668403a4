"""What every data set of every format must do: fairface.data.formats, opening, pread_file, bin_dataset, unlabeled."""

import multiprocessing
import os
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.data import images as images_module
from fairface.data.folder import FolderDataset
from fairface.data.formats import OpenOptions
from fairface.data.images import decode
from fairface.data.listfile import ListDataset
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.source import Source
from fairface.data.opening import open_dataset
from fairface.data.types import Dataset
from fairface.data.unlabeled import ZeroUnlabeled
from fairface.errors import DataError
from unittests.data.builders import BUILDERS, LABELS, images, list_file, tfrecord
from unittests.data.in_order import InOrder


@pytest.fixture(params=BUILDERS)
def built(request, tmp_path):
    return BUILDERS[request.param](tmp_path, images())


@pytest.fixture
def data(built):
    return open_dataset(built.path)


def same_pixels(one, other) -> bool:
    return np.array_equal(decode(one, "one"), decode(other, "other"))


def test_contract(data, built):
    assert isinstance(data, Dataset)
    assert len(data) == len(built.labels)
    assert data.labels.dtype == np.int32
    assert data.labels.tolist() == built.labels
    assert data.attributes.shape == (len(data), len(data.attribute_names))
    assert data.attributes.dtype == np.int8
    assert data.class_names == built.class_names
    assert data.num_classes == max(built.labels) + 1
    assert data.title
    assert all(isinstance(texts, tuple) for texts in (data.notes, data.missing, data.attribute_names))
    assert set(data.attribute_values) <= set(data.attribute_names)
    assert dict(data.extra) == {}
    assert len({data.record_name(i) for i in range(len(data))}) == len(data)
    assert len({data.name(i) for i in range(len(data))}) == len(data)
    for i, sample in enumerate(data):
        assert sample.image.dtype == np.uint8
        assert sample.image.shape == (16, 16, 3)
        assert np.array_equal(sample.image, decode(built.images[i], "x"))
        assert np.array_equal(data.decoded(i), sample.image)
        assert (sample.label, sample.name) == (built.labels[i], data.name(i))
        assert same_pixels(data.encoded(i), built.images[i])


def test_labels_without_decoding(built, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("an image was decoded")

    monkeypatch.setattr(cv2, "imdecode", refuse)
    monkeypatch.setattr(images_module, "decode", refuse)
    data = open_dataset(built.path)
    assert data.labels.tolist() == built.labels
    assert data.subset([3, 1]).labels.tolist() == [built.labels[3], built.labels[1]]


def test_subset(data, built):
    part = data.subset(np.array([4, 0, 0]))
    assert part.labels.tolist() == [built.labels[i] for i in (4, 0, 0)]
    assert part.num_classes == data.num_classes
    assert (part.class_names, part.notes) == (data.class_names, data.notes)
    assert part.encoded(0) == data.encoded(4)
    assert (part.name(1), part.record_name(1)) == (data.name(0), data.record_name(0))
    assert (part.title, part.missing, part.attribute_values) == (data.title, data.missing, data.attribute_values)
    assert np.array_equal(part.decoded(0), data.decoded(4))
    again = part.subset([2, 0])
    assert [again.name(i) for i in range(2)] == [data.name(0), data.name(4)]
    assert np.array_equal(again[1].image, data[4].image)
    for indices in ([6], [-1], [0.5]):
        with pytest.raises(DataError):
            data.subset(indices)
    for index in (6, -1):
        for read in (data.decoded, data.record_name, part.decoded, part.encoded):
            with pytest.raises(DataError, match="record"):
                read(index)
        with pytest.raises(DataError, match="record"):
            data.encoded(index)
        with pytest.raises(DataError, match="record"):
            data.name(index)


def read_all(data) -> list[bytes]:
    return [data.encoded(i) for i in range(len(data))]


def send_all(data, connection) -> None:
    connection.send(read_all(data))
    connection.close()


def test_threads_fork_and_pickle(data):
    expected = read_all(data)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(read_all, [data] * 8))
    assert read_all(pickle.loads(pickle.dumps(data))) == expected
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=send_all, args=(data, there))
    child.start()
    assert here.poll(20)
    assert here.recv() == expected
    child.join()
    assert read_all(data) == expected


def test_determinism(data, built):
    again = open_dataset(built.path)
    assert again.labels.tolist() == data.labels.tolist()
    assert [again.name(i) for i in range(6)] == [data.name(i) for i in range(6)]
    assert read_all(again) == read_all(data)


def test_batches(data, built):
    loader = BatchLoader([Source(data, 6, InOrder(6, 6))], image_size=16, threads=2)
    batch = loader.batch(0)
    assert batch.labels.tolist() == built.labels
    assert np.array_equal(batch.images[2], data[2].image)


def test_what_is_not_there(built):
    missing = built.path.with_name("none" + built.path.suffix)
    with pytest.raises(DataError, match="none"):
        open_dataset(missing)


def test_empty_files(built):
    """Every file of the set in turn cut down to nothing: an error that names a file, when it is opened or read."""
    whole = built.path if built.path.is_dir() else built.path.parent
    files = [path for path in whole.rglob("*") if path.is_file() and path.suffix != ".npz"]
    for path in files:
        kept = path.read_bytes()
        path.write_bytes(b"")
        for cache in whole.rglob("*.index.npz"):
            cache.unlink()
        if path.name not in ("id_to_path.txt", "set.bin") or path == built.path:
            with pytest.raises(DataError, match=str(whole.name)):
                read_all_pixels(built.path)
        path.write_bytes(kept)
    read_all_pixels(built.path)


def read_all_pixels(path: Path) -> None:
    for _ in open_dataset(path):
        pass


def test_data_that_went_away(built):
    data = open_dataset(built.path)
    shutil.rmtree(built.path if built.path.is_dir() else built.path.parent)
    if isinstance(data, FolderDataset | ListDataset):
        with pytest.raises(DataError, match="cannot be read"):
            read_all(data)
    else:
        assert len(read_all(data)) == 6  # what is open stays readable
    with pytest.raises(DataError):
        open_dataset(built.path)


def test_relative_paths(built, monkeypatch):
    monkeypatch.chdir(built.path.parent)
    assert open_dataset(built.path.name).labels.tolist() == built.labels
    monkeypatch.chdir(built.path.parent.parent)
    assert open_dataset(os.path.join(built.path.parent.name, built.path.name)).labels.tolist() == built.labels


@pytest.mark.parametrize("name", BUILDERS)
def test_zero_is_unlabeled(name, tmp_path):
    """Only a class that the files call 0 becomes -1; the other classes move down."""
    built = BUILDERS[name](tmp_path, images())
    data = open_dataset(built.path, options=OpenOptions(zero_is_unlabeled=True))
    zero = name == "plain_rec"  # the one whose classes are called 0, 1, 2
    expected = [label - 1 for label in LABELS] if zero else built.labels
    assert data.labels.tolist() == expected
    assert data.num_classes == max(expected) + 1
    assert [sample.label for sample in data] == expected
    assert data.subset([1]).labels.tolist() == expected[1:2]
    assert f"{3 if zero else 0} of 6 images have the label 0 and became unlabeled" in data.notes[-1 - zero]
    assert zero == data.notes[-1].startswith("warning")
    assert isinstance(data, ZeroUnlabeled)
    assert data.encoded(3) == open_dataset(built.path).encoded(3)


def test_zero_without_the_warning(tmp_path):
    data = open_dataset(
        tfrecord(tmp_path, images(), (0, 0, 9, 30, 30, 0)).path, options=OpenOptions(zero_is_unlabeled=True)
    )
    assert data.labels.tolist() == [-1, -1, 0, 1, 1, -1]
    assert data.class_names == ("9", "30")
    assert not any("if 0 is an identity" in note for note in data.notes)
    warned = open_dataset(
        tfrecord(tmp_path / "b", images(), (0, 0, 1, 2, 2, 0)).path, options=OpenOptions(zero_is_unlabeled=True)
    )
    assert "the labels are 0 to 2 without a gap" in warned.notes[-1]
    assert "label 0 has 3 images, other identities 1.5 each" in warned.notes[-1]


def test_root_of_a_list_and_of_an_index(tmp_path):
    listed = list_file(tmp_path / "a", images()).path
    moved = tmp_path / "elsewhere" / "list.txt"
    moved.parent.mkdir()
    moved.write_bytes(b"\xef\xbb\xbf" + listed.read_bytes().replace(b"\n", b"\r\n"))  # as Windows' editor saves it
    with pytest.raises(DataError, match="6 of 6 files are missing"):
        open_dataset(moved)
    assert len(open_dataset(moved, options=OpenOptions(root=str(listed.parent)))) == 6
    index = tfrecord(tmp_path / "b", images()).path
    index.rename(moved.with_name("train.txt"))
    with pytest.raises(DataError, match=r"2 of 2 files are missing: .*TFR-00000\.tfrecord \(4 images\)"):
        open_dataset(moved.with_name("train.txt"))
    assert len(open_dataset(moved.with_name("train.txt"), options=OpenOptions(root=str(index.parent)))) == 6
