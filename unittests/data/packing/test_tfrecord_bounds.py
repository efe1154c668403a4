"""Shards of so many records, and indexes with labels made of those without."""

import pytest

from fairface.data.packing.index_conversion import convert_index
from fairface.data.packing.plan import Photo
from fairface.data.packing.recordio import PackOptions
from fairface.data.packing.tfrecord import pack_tfrecords
from fairface.errors import DataError
from unittests.data.builders import images


@pytest.mark.parametrize(("per_shard", "counts"), [(1, [1] * 4), (2, [2, 2]), (3, [3, 1]), (4, [4]), (5, [4])])
def test_shards_hold_so_many_records(tmp_path, per_shard, counts):
    jpeg = images()[0]
    for i in range(4):
        (tmp_path / f"{i}.jpg").write_bytes(jpeg)
    names = [f"{i}.jpg" for i in range(4)]
    photos = [Photo(str(tmp_path / name), 0) for name in names]
    made = pack_tfrecords(names, photos, tmp_path / "T", PackOptions(size=16), per_shard=per_shard)
    assert [path.name for path in made] == [f"T-{i:05d}.tfrecord" for i in range(len(counts))]
    size = made[0].stat().st_size // counts[0]
    assert [path.stat().st_size for path in made] == [size * count for count in counts]
    lines = [line.rstrip("\n").split("\t") for line in (tmp_path / "T" / "T.index").open()]
    assert lines == [[names[i], str(i // per_shard), str(i % per_shard * size)] for i in range(4)]
    (tmp_path / "T" / "T-00009.tfrecord").touch()
    with pytest.raises(DataError, match=r"T-00009\.tfrecord: is there from other data; remove it or choose another"):
        pack_tfrecords(names, photos, tmp_path / "T", PackOptions(size=16), per_shard=per_shard)
    for wrong, said in (([], "no photograph to pack"), (["a\tb"], "a tab or a control"), (["a", "a"], "named twice")):
        with pytest.raises(DataError, match=said):
            pack_tfrecords(wrong, photos[: len(wrong)], tmp_path / "U", PackOptions(size=16))


def test_a_conversion_counts_each_record_once(tmp_path):
    (tmp_path / "T.index").write_text("".join(f"{name} x.jpg\t0\t{i * 10}\n" for i, name in enumerate("abcd")))
    (tmp_path / "old.txt").write_text("c x.jpg 5\nnone.jpg 2\na x.jpg 1.0\nc x.jpg 5\n")
    done = convert_index(tmp_path / "old.txt", tmp_path / "T.index", tmp_path / "new.txt")
    assert (done.written, done.unknown, done.unused) == (3, ("none.jpg",), 2)
    assert (tmp_path / "new.txt").read_text() == "T\t0\t20\t5\nT\t0\t0\t1\nT\t0\t20\t5\n"
    for line in ("b", "b x"):
        (tmp_path / "old.txt").write_text(f"c x.jpg 5\n{line}\na\n")
        with pytest.raises(DataError, match=rf"old\.txt: line 2 is '{line}', not `image label` with a whole number;"):
            convert_index(tmp_path / "old.txt", tmp_path / "T.index", tmp_path / "new.txt")
