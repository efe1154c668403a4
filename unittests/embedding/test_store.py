import dataclasses
import io
import zipfile

import numpy as np
import pytest

from fairface.embedding.store import Embeddings, load_embeddings, save_embeddings
from fairface.errors import DataError


@pytest.fixture
def stored():
    rng = np.random.default_rng(0)
    return Embeddings(
        embeddings=rng.standard_normal((4, 3)).astype(np.float32),
        names=("s1/1.jpg", "s1/2.jpg", "grüße/1.jpg", "s3/1.jpg"),
        meta={"model": "models/x", "flip": True, "of": [1, 2]},
        labels=np.array([0, 0, 1, -1], np.int32),
        attributes=np.array([[0, 1], [1, -1], [0, 0], [-1, -1]], np.int8),
        attribute_names=("sex", "glasses"),
    )


def test_what_is_written_is_read(tmp_path, stored):
    path = tmp_path / "new" / "embeddings.npz"
    save_embeddings(path, stored)
    loaded = load_embeddings(path)
    for array in ("embeddings", "labels", "attributes"):
        np.testing.assert_array_equal(getattr(loaded, array), getattr(stored, array))
        assert getattr(loaded, array).dtype == getattr(stored, array).dtype
    assert (loaded.names, loaded.meta, loaded.attribute_names) == (stored.names, stored.meta, stored.attribute_names)
    assert [file.name for file in path.parent.iterdir()] == ["embeddings.npz"]


def test_only_embeddings_and_names_are_needed(tmp_path, stored):
    np.savez(tmp_path / "e.npz", embeddings=stored.embeddings.astype(np.float64), names=np.array(stored.names))
    loaded = load_embeddings(tmp_path / "e.npz")
    assert loaded.embeddings.dtype == np.float32
    assert (loaded.meta, len(loaded.labels), loaded.attributes.shape) == ({}, 0, (0, 0))
    save_embeddings(tmp_path / "again.npz", loaded)
    assert load_embeddings(tmp_path / "again.npz").names == stored.names


def test_a_plain_array_with_names_beside_it(tmp_path, stored):
    np.save(tmp_path / "e.npy", stored.embeddings)
    with pytest.raises(DataError, match=r"names.txt: is missing"):
        load_embeddings(tmp_path / "e.npy")
    (tmp_path / "names.txt").write_text("\n".join(stored.names) + "\n", encoding="utf-8")
    assert load_embeddings(tmp_path / "e.npy").names == stored.names
    (tmp_path / "names.txt").write_text("one\n")
    with pytest.raises(DataError, match="4 embeddings but 1 name"):
        load_embeddings(tmp_path / "e.npy")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ("a",)}, "4 embeddings but 1 name"),
        ({"names": ()}, "4 embeddings but 0 names"),
        ({"labels": np.zeros(3, np.int32)}, "4 embeddings but 3 labels"),
        ({"embeddings": np.zeros((4, 0), np.float32)}, r"shape \(4, 0\)"),
        ({"embeddings": np.zeros(4, np.float32)}, r"shape \(4,\)"),
        ({"attribute_names": ("sex",)}, "but there is 1 attribute name"),
        ({"embeddings": np.full((4, 3), np.nan, np.float32)}, r"4 of 4 .* not finite \(s1/1.jpg, s1/2.jpg, .*, …\)"),
    ],
)
def test_bad_embeddings_are_neither_written_nor_read(tmp_path, stored, change, message):
    bad = dataclasses.replace(stored, **change)
    with pytest.raises(DataError, match=message):
        save_embeddings(tmp_path / "e.npz", bad)
    assert list(tmp_path.iterdir()) == []
    arrays = {
        "embeddings": bad.embeddings,
        "names": np.array(bad.names, np.str_),
        "labels": bad.labels,
        "attributes": bad.attributes,
        "attribute_names": np.array(bad.attribute_names),
    }
    np.savez(tmp_path / "e.npz", **arrays)
    with pytest.raises(DataError, match=message) as caught:
        load_embeddings(tmp_path / "e.npz")
    assert str(tmp_path / "e.npz") in str(caught.value)


def test_damaged_and_dangerous_files(tmp_path, stored):
    path = tmp_path / "e.npz"
    save_embeddings(path, stored)
    whole = path.read_bytes()
    for damaged in (b"", b"no zip", whole[: len(whole) // 2], whole[:200] + b"\x55" * 8 + whole[208:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"e\.npz: .*; write it again"):
            load_embeddings(path)
    np.savez(path, embeddings=stored.embeddings[:0], names=np.zeros(0, np.str_))
    with pytest.raises(
        DataError, match=r"e\.npz: embeddings have shape \(0, .*so there is none; give one image at least"
    ):
        load_embeddings(path)
    np.savez(path, embeddings=stored.embeddings, names=np.array([{"code": 1}] * 4, dtype=object))
    with pytest.raises(DataError, match="without pickled objects"):
        load_embeddings(path)
    np.savez(path, names=np.array(stored.names))
    with pytest.raises(DataError, match=r"has no array 'embeddings' \(it holds names\)"):
        load_embeddings(path)
    np.savez(path, embeddings=np.array([["x"]]), names=np.array(["a"]))
    with pytest.raises(DataError, match="must be numbers"):
        load_embeddings(path)
    for meta, message in (("{", "is not JSON"), ("[1]", "not a JSON object")):
        np.savez(path, embeddings=stored.embeddings, names=np.array(stored.names), meta=np.array(meta))
        with pytest.raises(DataError, match=message):
            load_embeddings(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    with pytest.raises(DataError, match="has no array"):
        load_embeddings(path)


def test_other_names_and_missing_files(tmp_path, stored):
    with pytest.raises(DataError, match=r"written as \.npz"):
        save_embeddings(tmp_path / "e.npy", stored)
    with pytest.raises(FileNotFoundError):
        load_embeddings(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("what", "values", "message"),
    [
        ("labels", [0, 1.5, 2, 3], r"labels\[1\] is 1\.5 \(1 of 4 values"),
        ("labels", [0, 1, np.inf, 3], r"labels\[2\] is inf"),
        ("labels", [0, 1, 2, 2**31], r"labels\[3\] is 2147483648 .* from 0 to 2147483647"),
        ("labels", [-2, 1, 2, 3], r"labels\[0\] is -2"),
        ("labels", ["ann", "bo", "cy", "di"], "labels are of type <U3; they must be whole numbers"),
        ("labels", [[0], [1], [2], [3]], r"labels have shape \(4, 1\)"),
        ("attributes", [[0, 0], [0, 128], [1, 1], [300, 1]], r"attributes\[1, 1\] is 128 \(2 of 8 .* from 0 to 127"),
        ("attributes", [[0, 0], [0, 0], [0.5, 1], [1, 1]], r"attributes\[2, 0\] is 0\.5"),
        ("attributes", [["f", "y"]] * 4, "attributes are of type <U1"),
    ],
)
def test_codes_that_would_become_others_are_refused(tmp_path, stored, what, values, message):
    arrays = {"embeddings": stored.embeddings, "names": np.array(stored.names), "attribute_names": np.array(["a", "b"])}
    arrays["attributes"] = np.zeros((4, 2), np.int8)
    np.savez(tmp_path / "e.npz", **(arrays | {what: np.array(values)}))
    with pytest.raises(DataError, match=message) as caught:
        load_embeddings(tmp_path / "e.npz")
    assert str(caught.value).startswith(str(tmp_path / "e.npz"))
    assert "\n" not in str(caught.value)
    given = {"labels": stored.labels, "attributes": arrays["attributes"], "attribute_names": ("a", "b")}
    with pytest.raises(DataError, match=message):
        save_embeddings(tmp_path / "again.npz", dataclasses.replace(stored, **(given | {what: np.array(values)})))
    assert not (tmp_path / "again.npz").exists()


def test_codes_of_any_type_are_kept_and_nan_is_unknown(tmp_path, stored):
    arrays = {"embeddings": stored.embeddings, "names": np.array(stored.names), "attribute_names": np.array(["a", "b"])}
    labels = {
        "floats": np.array([0, np.nan, 2**31 - 1, -1]), "unsigned": np.array([0, 5, 7, 2**31 - 1], np.uint64),
        "small": np.array([0, -1, 127, 3], np.int8), "yes or no": np.array([True, False, True, True]),
    }  # fmt: skip
    for given in labels.values():
        codes = np.array([[0, np.nan], [127, -1], [1, 1], [5, 0]], np.float16)
        np.savez(tmp_path / "e.npz", **arrays, labels=given, attributes=codes)
        loaded = load_embeddings(tmp_path / "e.npz")
        assert loaded.labels.dtype == np.int32
        assert loaded.attributes.dtype == np.int8
        assert loaded.labels.tolist() == [-1 if value != value else int(value) for value in given.tolist()]
        assert loaded.attributes.tolist() == [[0, -1], [127, -1], [1, 1], [5, 0]]


def test_names_of_values_are_lists_by_attribute(tmp_path, stored):
    for values in ('[["f", "m"]]', '{"sex": "fm"}', "3"):
        np.savez(tmp_path / "e.npz", embeddings=stored.embeddings, names=np.array(stored.names),
                 meta=np.array(f"{{\"attribute_values\": {values}}}"))  # fmt: skip
        with pytest.raises(DataError, match=r"e\.npz: 'attribute_values' in 'meta' is .*write an object with a list"):
            load_embeddings(tmp_path / "e.npz")


def claiming(shape):
    """The start of an array in numpy's format."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue()


def test_an_archive_that_grows_out_of_all_proportion(tmp_path, stored):
    """A megabyte of zeros packed into a kilobyte, many times over; float32 embeddings hardly shrink."""
    path = tmp_path / "e.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("embeddings.npy", "w", force_zip64=True) as entry:
            entry.write(claiming((300 * 250, 1024)))
            for _ in range(300):
                entry.write(bytes(1_024_000))
        archive.writestr("names.npy", claiming((2,)) + bytes(8))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(DataError, match=r"e\.npz: 0\.3 MB that grow to 307 MB, which embeddings do not do"):
        load_embeddings(path)
    np.savez_compressed(path, embeddings=np.zeros((1000, 64), np.float32), names=[f"{i}.jpg" for i in range(1000)])
    assert len(load_embeddings(path)) == 1000  # small ones may shrink as they like


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_shape_that_no_memory_holds(tmp_path, suffix):
    path = tmp_path / f"e{suffix}"
    content = claiming((10**9, 10**6)) + bytes(100)
    if suffix == ".npy":
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("embeddings.npy", content)
    with pytest.raises(DataError, match=r"e\.np[yz]: cannot be read as \.npz or \.npy"):
        load_embeddings(path)
