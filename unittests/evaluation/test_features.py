import numpy as np
import pytest

from fairface.errors import DataError
from fairface.evaluation.features import read_features

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)
IMAGES = ["b.jpg", "a.jpg", "b.jpg"]


def test_rows_in_the_lists_order_are_mapped_not_loaded(tmp_path):
    np.save(tmp_path / "f.npy", ROWS)
    found = read_features(tmp_path / "f.npy", list("abcd"), "list.txt")
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, ROWS)
    np.save(tmp_path / "i.npy", ROWS.astype(np.int16))
    assert read_features(tmp_path / "i.npy", list("abcd"), "list.txt").dtype == np.float32


@pytest.mark.parametrize("names", [["x.jpg", "a.jpg", "b.jpg", "c.jpg"], ["1/x.jpg", "2/a.jpg", "1/b.jpg", "c.jpg"]])
def test_rows_are_found_by_name_with_or_without_folder(tmp_path, names):
    np.savez(tmp_path / "f.npz", embeddings=ROWS, names=np.array(names), meta=np.array("{}"))
    np.testing.assert_array_equal(read_features(tmp_path / "f.npz", IMAGES, "list.txt"), ROWS[[2, 1, 2]])


def test_an_archive_of_one_array_needs_no_name(tmp_path):
    np.savez(tmp_path / "f.npz", anything=ROWS)
    np.testing.assert_array_equal(read_features(tmp_path / "f.npz", list("abcd"), "list.txt"), ROWS)


def test_names_that_are_alike_without_their_folder_are_not_mixed_up(tmp_path):
    np.savez(tmp_path / "f.npz", embeddings=ROWS, names=np.array(["1/a.jpg", "2/a.jpg", "b.jpg", "c.jpg"]))
    with pytest.raises(DataError, match=r"1 of 3 images of list\.txt has no features \(a\.jpg\)"):
        read_features(tmp_path / "f.npz", IMAGES, "list.txt")


def test_images_without_a_row_are_counted(tmp_path):
    np.savez(tmp_path / "f.npz", embeddings=ROWS, names=np.array(list("abcd")))
    with pytest.raises(DataError, match=r"4 of 6 images of list\.txt have no features \(w, x, y, …\)"):
        read_features(tmp_path / "f.npz", ["a", "w", "x", "y", "z", "a"], "list.txt")
    (tmp_path / "g.npz").write_bytes((tmp_path / "f.npz").read_bytes()[:200])
    with pytest.raises(DataError, match=r"g\.npz: cannot be read as \.npz or \.npy"):
        read_features(tmp_path / "g.npz", ["a"], "list.txt")
