"""What lists and stored embeddings call the records of each format."""

import cv2
import numpy as np

from fairface.data.array import ArrayDataset
from fairface.data.folder import FolderDataset
from fairface.data.listfile import ListDataset


def record_names(dataset):
    return tuple(dataset.record_name(index) for index in range(len(dataset)))


def test_files_are_named_below_their_folder(tmp_path):
    for name in ("s1/1.png", "s1/2.png", "s2/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4, 3), np.uint8))
    dataset = FolderDataset(tmp_path)
    assert record_names(dataset) == ("s1/1.png", "s1/2.png", "s2/1.png")
    assert record_names(dataset.subset([2, 0])) == ("s2/1.png", "s1/1.png")
    (tmp_path / "list.txt").write_text("./s2//1.png 1\ns1/1.png 0\n")
    assert record_names(ListDataset(tmp_path / "list.txt")) == ("s2/1.png", "s1/1.png")


def test_other_data_sets_keep_their_own_names():
    images = np.zeros((2, 4, 4, 3), np.uint8)
    assert record_names(ArrayDataset(images, [0, 1], names=["a", "b"])) == ("a", "b")
