"""Lists, maps and options of packing: the smallest and largest that is taken, and the words for what is not."""

import os

import numpy as np
import pytest

from fairface.data.array import ArrayDataset
from fairface.data.images import encode_jpeg, encode_png
from fairface.data.inspection.extraction import extract, suffix_of, unpack_identities
from fairface.data.packing.compound import compound
from fairface.data.packing.csv_list import plan_csv
from fairface.data.packing.index_conversion import convert_index
from fairface.data.packing.lst import plan_lst
from fairface.data.packing.memory import make_memory_set
from fairface.data.packing.merge_identities import join_attributes, join_identities, read_identity_map
from fairface.data.packing.merging import merge
from fairface.data.packing.names import plan_names
from fairface.data.packing.plan import Photo, Plan, numbered, photo_path, plan_folder
from fairface.data.packing.recordio import PackOptions, pack_encoded, pack_plan
from fairface.data.packing.tfrecord import RECORDS_PER_SHARD, pack_tfrecords
from fairface.data.pairsets.bin_set import write_bin
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.recordio.notes import AttributeNotes
from fairface.data.types import Batch
from fairface.data.whole_files import whole_files
from fairface.errors import ROOT, SKIP_MISSING, ConfigError, DataError
from unittests.data.builders import folder_of_identities, images, rec, unlabeled_tfrecord


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


def lst(tmp_path, *lines):
    (tmp_path / "x.lst").write_text("\n".join(lines) + "\n")
    return plan_lst(tmp_path / "x.lst", "in")


def test_the_form_of_a_list_is_that_of_its_first_line(tmp_path):
    """A path may be a number: im2rec's stands last and is none, insightface's second."""
    plan = lst(tmp_path, "1\t00012\t3", "1\tb.jpg\t1.000")
    assert [(photo.path, photo.label, photo.line) for photo in plan.photos] == [("in/b.jpg", 0, 2), ("in/00012", 1, 1)]
    assert plan.identities == ("1", "3")
    plan = lst(tmp_path, "0\t3.0\t00012.jpg", "", "7\t0\tb.jpg")
    assert [(photo.path, photo.line) for photo in plan.photos] == [("in/b.jpg", 3), ("in/00012.jpg", 1)]


@pytest.mark.parametrize(
    ("lines", "number", "said"),
    [
        (["1\ta.jpg"], 1, "is not `aligned<tab>path<tab>label`"),
        (["1"], 1, "is not `aligned<tab>path<tab>label`"),
        (["x\ta.jpg\t1"], 1, "is not `aligned"),
        (["1\ta.jpg\tx"], 1, "is not `aligned"),
        (["1\ta.jpg\t-1"], 1, "the label is -1, not a whole number from 0; correct it"),
        (["1\ta.jpg\t0", "1\ta.jpg\t0.5"], 2, "the label is 0.5, not a whole number from 0"),
        (["1\ta.jpg\tinf"], 1, "the label is inf, not"),
        (["1\ta.jpg\tnan"], 1, "the label is nan, not"),
        (["0\ta.jpg\t0"], 1, "a.jpg is not aligned and has no landmarks; add them"),
        (["0\ta.jpg\t0\t1\t2\t3\t4"], 1, "a.jpg is not aligned and has no landmarks"),
        (["0\ta.jpg\t0\t1\t2\t3\t4" + "\t5" * 9], 1, "is not `aligned"),
        (["0\ta.jpg\t0\t1\t2\t3\t4" + "\t5" * 9 + "\tx"], 1, "is not `aligned"),
        (["0\t1\ta.jpg", "1\ta.jpg\t2"], 2, "is not `index<tab>label<tab>path` with one label, as im2rec writes it"),
        (["0\t1\t2\ta.jpg"], 1, "is not `index<tab>label<tab>path` with one label"),
        (["0\t1\ta.jpg", "3\t1\t2\ta.jpg"], 2, "is not `index<tab>label<tab>path` with one label"),
        (["1\t/../a.jpg\t0"], 1, ""),
        (["1\t../a.jpg\t0"], 1, "../a.jpg is not below in; make it relative to that folder"),
    ],
)
def test_what_is_no_line_of_a_list(tmp_path, lines, number, said):
    if not said:  # an absolute path is taken as it is
        assert lst(tmp_path, *lines).photos[0].path == "/../a.jpg"
        return
    with pytest.raises(DataError) as caught:
        lst(tmp_path, *lines)
    assert str(caught.value).startswith(f"{tmp_path / 'x.lst'}: line {number}: {said}")


def test_landmarks_of_a_list_are_five_points(tmp_path):
    """insightface writes all x, then all y; what follows is not looked at."""
    numbers = "\t".join(map(str, range(10, 20)))
    (photo,) = lst(tmp_path, f"0\ta.jpg\t0\t1\t2\t3\t4\t{numbers}\t99").photos
    assert photo.landmarks.tolist() == [[10 + i, 15 + i] for i in range(5)]
    assert photo.landmarks.dtype == np.float32
    (photo,) = lst(tmp_path, f"1\ta.jpg\t0\t1\t2\t3\t4\t{numbers}").photos
    assert photo.landmarks is None


def test_backslashes_separate_folders_unless_a_file_has_one(tmp_path):
    assert lst(tmp_path, "1\ta\\b.jpg\t0").photos[0].path == "in/a/b.jpg"
    (tmp_path / "a\\b.jpg").touch()
    (tmp_path / "x.lst").write_text("1\ta\\b.jpg\t0\n1\tc.jpg\t0\n")
    plan = plan_lst(tmp_path / "x.lst")
    assert [photo.path for photo in plan.photos] == [f"{tmp_path}/a\\b.jpg", f"{tmp_path}/c.jpg"]


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


def csv(tmp_path, text, **arguments):
    (tmp_path / "x.csv").write_text(text)
    return plan_csv(tmp_path / "x.csv", **arguments)


def test_attributes_of_a_table(tmp_path):
    text = "sex,identity,age,image\nm,b,30,1.jpg\nf,a,,2.jpg\n,b,5,3.jpg\n"
    plan = csv(tmp_path, text)
    assert plan.attributes == AttributeNotes(("sex", "age"), {"sex": ("f", "m"), "age": ("5", "30")})
    assert [(photo.path, photo.label, photo.line, photo.attributes) for photo in plan.photos] == [
        (f"{tmp_path}/2.jpg", 0, 3, (0, -1)), (f"{tmp_path}/1.jpg", 1, 2, (1, 1)), (f"{tmp_path}/3.jpg", 1, 4, (-1, 0))
    ]  # fmt: skip
    plan = csv(tmp_path, text, root="in", attributes=["age"], values={"age": ["30", "5", "9"]})
    assert plan.attributes == AttributeNotes(("age",), {"age": ("30", "5", "9")})
    assert [(photo.path, photo.attributes) for photo in plan.photos] == [
        ("in/2.jpg", (-1,)), ("in/1.jpg", (0,)), ("in/3.jpg", (1,))]  # fmt: skip
    assert csv(tmp_path, text, attributes=[]).attributes == AttributeNotes((), {})
    many = "image,identity,n\n" + "".join(f"a.jpg,b,{i}\n" for i in range(128))
    assert len(csv(tmp_path, many).attributes.values["n"]) == 128
    for arguments, said in (
        ({"values": {"sex": ["f"]}}, "line 2: sex is 'm', not one of f; correct it"),
        ({"attributes": ["sex", "hat"]}, "line 1 names the columns sex,identity,age,image; hat missing"),
    ):
        with pytest.raises(DataError) as caught:
            csv(tmp_path, text, **arguments)
        assert str(caught.value) == f"{tmp_path / 'x.csv'}: {said}"
    for row in (",b,,1.jpg", "m,b,,"):
        complete = "line 3: image or identity is empty; fill it in"
        text = f"sex,identity,age,image\nm,b,,1.jpg\n{row if row[-1] == ',' else 'm,,,1.jpg'}\n"
        with pytest.raises(DataError, match=complete):
            csv(tmp_path, text)
    with pytest.raises(DataError, match=r"none\.csv: cannot be read \(No such file or directory\); correct the path"):
        plan_csv(tmp_path / "none.csv")


def test_a_list_of_names_with_landmarks(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "l.txt").write_text("a.jpg\n\nb.jpg\nc.jpg\n")
    points = {"a.jpg": np.ones((5, 2), np.float32), "c.jpg": np.zeros((5, 2), np.float32)}
    found = plan_names(tmp_path / "l.txt", tmp_path, points, "skip")
    assert (found.names, found.photos[0].path, found.photos[0].line) == (("a.jpg",), f"{tmp_path}/a.jpg", 1)
    assert found.photos[0].landmarks is points["a.jpg"]
    assert [note.split("missing and were left out: ")[1] for note in found.notes] == ["line 4: c.jpg", "line 3: b.jpg"]
    with pytest.raises(DataError, match=r"1 of 3 files are missing: line 4: c\.jpg; correct the list") as caught:
        plan_names(tmp_path / "l.txt", tmp_path)
    assert caught.value.settings == (ROOT, SKIP_MISSING)
    (tmp_path / "l.txt").write_text("a.jpg\nb.jpg\n")
    with pytest.raises(DataError, match=r"landmarks: 1 of 2 files are missing: line 2: b\.jpg; add them"):
        plan_names(tmp_path / "l.txt", tmp_path, points)
    plain = plan_names(tmp_path / "l.txt", tmp_path)
    assert [(photo.landmarks, photo.line) for photo in plain.photos] == [(None, 1), (None, 2)]
    assert plain.notes == ()


def test_a_map_of_identities(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("source,label,identity\n1, a ,X\n2,b,\n1,a,X\n1,c,\n", encoding="utf-8-sig")
    assert read_identity_map(path) == {(0, "a"): "X", (1, "b"): "", (0, "c"): ""}
    for line in ("0,a,X", "-1,a,X", "²,a,X", "1.0,a,X", ",a,X", "1,,X", "1"):
        path.write_text(f"source,label,identity\n1,z,Z\n{line}\n", encoding="utf-8")
        with pytest.raises(DataError, match=r"map\.csv: line 3: source must be 1, 2 …, and label must not be empty"):
            read_identity_map(path)
    path.write_bytes(b"source,label,identity\n1,\xff,X\n")
    with pytest.raises(DataError, match=r"map\.csv: cannot be read as CSV in UTF-8 \(.*\); save it in that form"):
        read_identity_map(path)
    path.write_text("")
    with pytest.raises(DataError, match="line 1 must name the columns source,label,identity; source is missing"):
        read_identity_map(path)


def people(labels, classes, names=(), codes=None, attributes=()):
    data = ArrayDataset(np.zeros((len(labels), 4, 4, 3), np.uint8), labels, codes, attributes, num_classes=classes)
    data.class_names = tuple(names)
    return data


def test_identities_of_several_sets():
    one, two = people([0, 1, 2], 3, "abc"), people([0, 1], 2, "cb")
    labels, identities = join_identities([one, two], "offset", {})
    assert [array.tolist() for array in labels] == [[0, 1, 2], [3, 4]]
    assert identities == {"1/a": {0}, "1/b": {0}, "1/c": {0}, "2/c": {1}, "2/b": {1}}
    labels, identities = join_identities([one, two], "names", {(0, "b"): "", (1, "b"): "a"})
    assert [array.tolist() for array in labels] == [[0, -1, 1], [1, 0]]
    assert identities == {"a": {0, 1}, "c": {0, 1}}
    labels, identities = join_identities([people([0], 2), people([0], 1)], "offset", {(1, "0"): "1/1"})
    assert [array.tolist() for array in labels] == [[0, 1], [1]]
    assert identities == {"1/0": {0}, "1/1": {0, 1}}
    for sets, join, mapped, said in (
        ([one], "name", {}, "join is 'name'; it can be offset or names"),
        ([one, people([0], 1)], "names", {}, "images in memory: its identities have no names to join by"),
        ([one], "offset", {(0, "d"): "x"}, "the map names label d of source 1, which is not there; correct the map"),
        ([one], "offset", {(2, "a"): "x"}, "the map names label a of source 3, which is not there"),
    ):
        with pytest.raises((ConfigError, DataError)) as caught:
            join_identities(sets, join, mapped)
        assert said in str(caught.value)


def test_attributes_that_sets_code_differently():
    one = people([0], 1, codes=[[1, 2]], attributes=("sex", "age"))
    two = people([0], 1, codes=[[0, 1]], attributes=("hat", "sex"))
    one.attribute_values, two.attribute_values = {"sex": ("f", "m")}, {"sex": ("f", "m"), "hat": ("n", "y")}
    notes, codes = join_attributes([one, two])
    assert (notes.names, notes.values) == (("sex", "age", "hat"), {"sex": ("f", "m"), "hat": ("n", "y")})
    assert [table.tolist() for table in codes] == [[[1, 2, -1]], [[1, -1, 0]]]
    two.attribute_values = {"sex": ("m", "f")}
    with pytest.raises(DataError, match="the attribute sex has the values m, f, in another set f, m; pack one of them"):
        join_attributes([one, two])


def test_merging_counts_what_it_leaves_out(tmp_path):
    one = people([0, -1, 1, 0], 2, "ab")
    one.images[:] = np.arange(4)[:, None, None, None]
    options = PackOptions(size=4)
    done = merge([one, people([0, 0], 1, "b")], tmp_path / "out", options, "names", {(0, "a"): ""})
    assert (done.images, done.identities, done.shared, done.left_out) == (3, 1, 1, 3)
    data = RecordDataset(tmp_path / "out")
    assert [int(data[i].image[0, 0, 0]) for i in range(3)] == [2, 0, 0]
    assert "1, image 2" in (tmp_path / "out" / "id_to_path.txt").read_text()
    with pytest.raises(DataError, match="out: no labeled image is left to write; correct the map or the data sets"):
        merge([one], tmp_path / "out", options, "names", {(0, "a"): "", (0, "b"): ""})


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


def test_one_set_shares_nobody_and_that_is_no_warning(tmp_path):
    built = folder_of_identities(tmp_path, images())
    done = compound([built.path], tmp_path / "out")
    assert (done.shared, done.identities, done.notes) == (0, 3, ())
    with pytest.raises(DataError, match=r"\d files there are in none of the data sets: .*; remove them or choose"):
        (tmp_path / "out" / "note.txt").touch()
        compound([built.path], tmp_path / "out")


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, " …")])
def test_files_of_other_sets_are_counted_and_named(tmp_path, count, more):
    built = folder_of_identities(tmp_path, images())
    (tmp_path / "out" / "x").mkdir(parents=True)
    for i in range(count):
        (tmp_path / "out" / "x" / f"{i}").touch()
    (tmp_path / "out" / "x" / "9.part").touch()
    with pytest.raises(DataError) as caught:
        compound([built.path], tmp_path / "out")
    shown = ", ".join(f"x/{i}" for i in range(5))
    said = f"{count} files there are in none of the data sets: {shown}{more}; remove them or choose another folder"
    assert str(caught.value) == f"{tmp_path / 'out'}: {said}"


def test_an_output_that_cannot_be_written(tmp_path, monkeypatch):
    built = folder_of_identities(tmp_path, images())

    def refuse(source, target):
        raise OSError(28, "No space left on device", target)

    monkeypatch.setattr("os.symlink", refuse)
    with pytest.raises(DataError, match=r"out/.*: cannot be written \(No space left on device\); free space or choose"):
        compound([built.path], tmp_path / "out")


def test_files_appear_together_once_all_are_on_the_disk(tmp_path, monkeypatch):
    """A power cut or a full disk never leaves a new file beside an old one."""
    first, second = tmp_path / "a.rec", tmp_path / "a.idx"
    done = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (done.append("sync"), sync(handle)))
    monkeypatch.setattr(os, "replace", lambda source, target: (done.append("rename"), replace(source, target)))
    with whole_files({first: "wb", second: "w"}) as (rec_file, idx_file):
        rec_file.write(b"\xff")
        idx_file.write("é\n")
    assert done.index("rename") >= 2
    assert done[:2] == ["sync", "sync"]
    assert (first.read_bytes(), second.read_bytes()) == (b"\xff", "é\n".encode())

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError) as caught, whole_files({first: "wb", second: "w"}) as (rec_file, _):
        rec_file.write(b"new")
    said = "cannot be written (No space left on device); free space or choose another folder"
    assert str(caught.value) == f"{first}: {said}"
    assert sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir()) == [
        ("a.idx", "é\n".encode()), ("a.rec", b"\xff")]  # fmt: skip


def test_identities_are_unpacked_once_from_one_file(tmp_path):
    data = RecordDataset(rec(tmp_path, images()).path)
    (tmp_path / "out" / ".imgs.part").mkdir(parents=True)  # of a run that was killed
    seen = []
    assert unpack_identities(data, tmp_path / "out", watch=lambda items: (seen.append(1) or item for item in items))
    assert len(seen) == 6
    assert not unpack_identities(data, tmp_path / "out")
    names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("[!.]*.*"))
    assert names == ["imgs/0/1.jpg", "imgs/0/2.jpg", "imgs/0/3.jpg", "imgs/1/4.jpg", "imgs/2/5.jpg", "imgs/2/6.jpg"]
    assert (tmp_path / "out" / "imgs" / "0" / "1.jpg").read_bytes() == data.encoded(0)
    for stamp in (None, "{", '{"source": "train.rec"}'):
        file = tmp_path / "out" / "imgs" / ".unpacked.json"
        file.unlink()
        if stamp is not None:
            file.write_text(stamp)
        with pytest.raises(
            DataError, match=r"imgs: is there already and was not made from train\.rec; remove or rename"
        ):
            unpack_identities(data, tmp_path / "out")
        file.touch()


def test_unpacking_on_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    data = RecordDataset(rec(tmp_path, images()).path)

    def full(self, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(DataError, match=r"imgs: cannot be written \(No space left on device\); free space"):
        unpack_identities(data, tmp_path / "rec")
    assert not [path for path in (tmp_path / "rec").iterdir() if "imgs" in path.name]


def test_the_first_images_and_all_of_them(tmp_path):
    data_set = unlabeled_tfrecord(tmp_path / "in", images())
    from fairface.data.opening import open_dataset

    data = open_dataset(data_set.path)
    for limit, count in ((1, 1), (5, 5), (6, 6), (7, 6), (0, 6)):
        written = extract(data, tmp_path / str(limit), limit)
        assert [path.read_bytes() for path in written] == data_set.images[:count]
        assert len([path for path in (tmp_path / str(limit)).rglob("*") if path.is_file()]) == count
    taken = tmp_path / "0" / "my images" / "é 0.jpg"
    taken.unlink()
    taken.mkdir()
    assert extract(data, tmp_path / "0", 1)[0].name == "é 0_2.jpg"


def test_suffixes_fit_the_content():
    jpeg, png = images()[0], images(png=True)[0]
    for data, name, suffix in (
        (jpeg, "", ".jpg"), (jpeg, "a.JPG", ".JPG"), (jpeg, "a.jpe", ".jpg"), (png, "", ".png"), (png, "a.PNG", ".png"),
        (b"BM", "", ".img"), (b"BM", "a.b.bmp", ".bmp"),
    ):  # fmt: skip
        assert suffix_of(data, name) == suffix


def test_a_set_in_memory_clears_what_a_killed_run_left(tmp_path):
    write_bin(tmp_path / "lfw.bin", images()[:4], [True, False])
    assert make_memory_set(tmp_path / "lfw.bin")
    leftover = tmp_path / "lfw" / "memfile" / ".mem_file.dat.1234.part"
    leftover.touch()
    other = tmp_path / "lfw" / "memfile" / "mine.part"
    other.touch()
    seen = []
    watched = make_memory_set(tmp_path / "lfw.bin", True, lambda items, total: (seen.append(total), items)[1])
    assert (watched, seen, leftover.exists(), other.exists()) == (True, [4], False, True)
    assert not make_memory_set(tmp_path / "lfw.bin", True)
    write_bin(tmp_path / "b.bin", [images()[0], images(24)[1]], [True])
    said = r"b\.bin, image 1: is 24x24 pixels, but the first image is 16x16; make the set again"
    with pytest.raises(DataError, match=said):
        make_memory_set(tmp_path / "b.bin")
    with pytest.raises(DataError, match=r"none\.bin: cannot be read \(No such file or directory\); correct the path"):
        make_memory_set(tmp_path / "none.bin")


def test_a_folder_as_a_plan(tmp_path):
    built = folder_of_identities(tmp_path, images())
    (built.path / "imgs" / "note.txt").touch()
    plan = plan_folder(built.path)
    assert [photo.label for photo in plan.photos] == built.labels
    assert plan.identities == built.class_names
    assert (plan.skipped, len(plan.notes), plan.attributes) == (("note.txt",), 1, AttributeNotes())
