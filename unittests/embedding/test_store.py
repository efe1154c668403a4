import dataclasses
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
    arrays = {"embeddings": bad.embeddings, "names": np.array(bad.names, np.str_), "labels": bad.labels,
              "attributes": bad.attributes, "attribute_names": np.array(bad.attribute_names)}
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
        with pytest.raises(DataError, match=r"e\.npz: "):
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
