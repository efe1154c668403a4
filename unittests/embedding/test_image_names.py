import cv2
import numpy as np

from fairface.data.array import ArrayDataset
from fairface.data.folder import FolderDataset
from fairface.data.listfile import ListDataset
from fairface.embedding.image_names import image_names


def test_files_are_named_below_their_folder(tmp_path):
    for name in ("s1/1.png", "s1/2.png", "s2/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4, 3), np.uint8))
    dataset = FolderDataset(tmp_path)
    assert image_names(dataset) == ("s1/1.png", "s1/2.png", "s2/1.png")
    assert image_names(dataset.subset([2, 0])) == ("s2/1.png", "s1/1.png")
    (tmp_path / "list.txt").write_text("s2/1.png 1\ns1/1.png 0\n")
    assert image_names(ListDataset(tmp_path / "list.txt")) == ("s2/1.png", "s1/1.png")


def test_other_data_sets_keep_their_own_names():
    images = np.zeros((2, 4, 4, 3), np.uint8)
    assert image_names(ArrayDataset(images, [0, 1], names=["a", "b"])) == ("a", "b")
