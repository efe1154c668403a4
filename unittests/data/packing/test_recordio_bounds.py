"""Packing into records: its options, what is cut out, and the records in their order."""

import os

import numpy as np
import pytest

from fairface.data.images import encode_jpeg, encode_png
from fairface.data.packing.plan import Photo, Plan, numbered, photo_path, plan_folder
from fairface.data.packing.recordio import PackOptions, pack_encoded, pack_plan
from fairface.data.packing.tfrecord import RECORDS_PER_SHARD
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.recordio.notes import AttributeNotes
from fairface.data.types import Batch
from fairface.errors import ConfigError, DataError
from unittests.data.builders import folder_of_identities, images


def test_options_of_packing_and_their_bounds():
    plain = PackOptions()
    assert (plain.size, plain.quality, plain.resize, plain.workers, plain.align) == (112, 95, False, 1, None)
    for right in ({"size": 1}, {"quality": 1}, {"quality": 100}, {"workers": 1}):
        PackOptions(**right)
    for wrong in ({"size": 0}, {"quality": 0}, {"quality": 101}, {"workers": 0}):
        with pytest.raises(ConfigError, match="size and workers must be at least 1, quality 1 to 100"):
            PackOptions(**wrong)
    assert RECORDS_PER_SHARD == 500_000  # TFace's


def test_photographs_and_batches_by_default():
    photo, plan = Photo("a.jpg", 3), Plan((), (), AttributeNotes())
    assert (photo.line, photo.attributes, photo.landmarks, photo.name) == (0, (), None, "a.jpg")
    assert Photo("a.jpg", 3, 1).name == "a.jpg (line 1 of the list)"
    assert (plan.skipped, plan.notes) == ((), ())
    none = np.zeros(2, np.int32)
    assert len(Batch(none, none, none, none, none)) == 2
    assert Batch(none, none, none, none, none).extra == {}


def test_identities_are_numbered_in_order_and_photographs_stay_in_theirs(tmp_path):
    rows = [("b", Photo("1", 0)), ("a", Photo("2", 0)), ("b", Photo("3", 0))]
    plan = numbered(tmp_path, rows, AttributeNotes())
    assert [(photo.path, photo.label) for photo in plan.photos] == [("2", 0), ("1", 1), ("3", 1)]
    with pytest.raises(DataError, match="names no photographs; add them"):
        numbered(tmp_path, [], AttributeNotes())
    for name in ("/a.jpg", "../a.jpg"):
        with pytest.raises(DataError, match=r"^here: .*a\.jpg is not below in; make it relative"):
            photo_path("here", "in", name)
    assert photo_path("here", "in", "a..b.jpg") == os.path.join("in", "a..b.jpg")


def test_a_photograph_that_is_not_aligned_is_cut_out_or_named(tmp_path):
    (tmp_path / "1.png").write_bytes(encode_png(np.full((20, 30, 3), 7, np.uint8)))
    points = np.arange(10, dtype=np.float32).reshape(5, 2)
    plan = Plan((Photo(f"{tmp_path}/1.png", 0, 3, (), points),), ("a",), AttributeNotes())
    asked = []

    def align(image, landmarks, size):
        asked.append((image.shape, landmarks.tolist(), size))
        return np.full((size, size, 3), 200, np.uint8)

    pack_plan(plan, tmp_path / "out", PackOptions(size=16, align=align))
    assert asked == [((20, 30, 3), points.tolist(), 16)]
    stored = RecordDataset(tmp_path / "out")
    assert stored.encoded(0) == encode_jpeg(np.full((16, 16, 3), 200, np.uint8), 95)

    def refuse(image, landmarks, size):
        raise DataError("landmarks lie on a line")

    for option, said in ((refuse, "landmarks lie on a line"), (None, "is not aligned; align the photographs first")):
        with pytest.raises(DataError) as caught:
            pack_plan(plan, tmp_path / "out", PackOptions(size=16, align=option))
        assert str(caught.value).startswith(f"{tmp_path}/1.png (line 3 of the list): {said}")


def test_the_records_of_a_packed_set_in_their_order(tmp_path):
    """Images from 1 on, record 0 tells of the first identity and the last, an identity's record of its images."""
    photos = tuple(Photo(name, label) for name, label in (("x", 0), ("y", 0), ("z", 2)))
    seen = []

    def watch(encoded):
        for data in encoded:
            seen.append(data)
            yield data

    pack_encoded(Plan(photos, ("a", "b", "c"), AttributeNotes()), [b"1", b"2", b"3"], tmp_path, 50, watch)
    assert seen == [b"1", b"2", b"3"]
    assert [line.split("\t")[0] for line in (tmp_path / "train.idx").open()] == ["1", "2", "3", "0", "4", "5", "6"]
    assert (tmp_path / "property").read_text() == "3,50,50\n"
    assert (tmp_path / "id_to_path.txt").read_text() == "1, x\n2, y\n3, z\n"
    assert (tmp_path / "identities.txt").read_text() == "a\nb\nc\n"
    from unittests.data.recordio.records import Records

    records = Records(tmp_path / "train.rec")
    told = {key: records.read(key)[0].label.tolist() for key in range(7)}
    assert told == {0: [4, 7], 1: [0, 1], 2: [0, 1], 3: [2, 1], 4: [1, 3], 5: [3, 3], 6: [3, 4]}


def test_a_folder_as_a_plan(tmp_path):
    built = folder_of_identities(tmp_path, images())
    (built.path / "imgs" / "note.txt").touch()
    plan = plan_folder(built.path)
    assert [photo.label for photo in plan.photos] == built.labels
    assert plan.identities == built.class_names
    assert (plan.skipped, len(plan.notes), plan.attributes) == (("note.txt",), 1, AttributeNotes())
