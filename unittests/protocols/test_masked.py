"""fairface.protocols.masked: which images show a mask."""

import pytest

from fairface.errors import DataError
from fairface.protocols.masked import mask_word, masked_images, pku_folder, read_mask_labels, read_masked


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("ann/1_mask.jpg", True), ("ann/MASKED-1.png", True), ("ann/mask001.jpg", True), ("masked/ann/1.jpg", True),
        ("ann/surgical mask.png", True), ("ann\\1_mask.jpg", True), ("AFDB_masked_face_dataset/ann/1.jpg", True),
        ("ann/facemask_2.jpg", True), ("masks/ann/1.jpg", True), ("ann/1.jpg", False), ("ann/unmasked.jpg", False),
        ("ann/no-mask_1.jpg", False), ("ann/nomask.jpg", False), ("ann/without_mask.jpg", False),
        ("ann/nonmasked.jpg", False), ("maskell/1.jpg", False), ("damask/1.jpg", False),
        ("masked/ann/1_unmasked.jpg", False), ("unmasked/ann/1_mask.jpg", True), ("ann/non-masked 3.jpg", False),
    ],
)  # fmt: skip
def test_names(name, masked):
    assert (mask_word(name) is True) is masked
    assert masked_images([name], "names").tolist() == [masked]


def test_a_name_without_the_word_says_nothing():
    assert [mask_word(name) for name in ("ann/15.jpg", "ann/unmasked.jpg", "ann/mask.jpg")] == [None, False, True]


def test_pku_folders():
    assert pku_folder("images/12_0/front_1.png") == ("12", False)
    assert pku_folder("a_b_1/x.png") == ("a_b", True)
    assert pku_folder("12_2/x.png") is None
    assert pku_folder("x.png") is None
    assert masked_images(["1_0/a.png", "1_1/a.png"], "pku").tolist() == [False, True]
    with pytest.raises(DataError, match=r"ann/a.png: its folder is not <identity>_0"):
        masked_images(["1_0/a.png", "ann/a.png"], "pku")


def test_lists(tmp_path):
    path = tmp_path / "masks.csv"
    path.write_text("image,masked\nann/1.jpg,yes\nann/2.jpg,common\nbo/1.jpg,1\nann/1.jpg,masked\n")
    assert read_masked(path) == {"ann/1.jpg": True, "ann/2.jpg": False, "bo/1.jpg": True}
    assert masked_images(["ann/2.png", "bo/1.jpg"], str(path)).tolist() == [False, True]
    with pytest.raises(DataError, match=r"masks.csv: does not say of 1 of 2 images .*\(cy/1.jpg\)"):
        masked_images(["cy/1.jpg", "bo/1.jpg"], str(path))
    path.write_text("image,masked\nann/1.jpg,perhaps\n")
    with pytest.raises(DataError, match=r"line 2.*'perhaps' does not say"):
        read_masked(path)
    path.write_text("image,masked\nann/1.jpg,1\nann/1.jpg,0\n")
    with pytest.raises(DataError, match=r"line 3.*ann/1.jpg is masked in one line"):
        read_masked(path)


def test_mfr2s_labels(tmp_path):
    path = tmp_path / "mfr2_labels.txt"
    path.write_text("Ann Lee, 1, no-mask\n\nAnn Lee, 12, Surgical_white\n")
    one, two = "Ann Lee/Ann Lee_0001.png", "Ann Lee/Ann Lee_0012.png"
    assert read_mask_labels(path) == {one: "no-mask", two: "surgical_white"}
    assert read_masked(path) == {one: False, two: True}
    for text, message in (
        ("Ann, one, cloth\n", "line 1 is 'Ann, one, cloth'"),
        ("Ann, 1, cloth\nAnn, 1, N95\n", "line 2 gives Ann/Ann_0001"),
        ("\n", "holds no lines"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            read_mask_labels(path)
