import cv2
import numpy as np
import pytest

from fairface.errors import DataError
from fairface.report.sheet import contact_sheet, save_png


def images(n, height=10, width=12):
    return np.random.default_rng(0).integers(0, 250, (n, height, width, 3), np.uint8)


def test_images_stand_in_rows_with_white_between():
    batch = images(5)
    sheet = contact_sheet(batch, columns=3)
    assert sheet.shape == (2 * 12 + 2, 3 * 14 + 2, 3)
    assert sheet.dtype == np.uint8
    expected = np.full_like(sheet, 255)
    for i, image in enumerate(batch):
        top, left = 2 + (i // 3) * 12, 2 + (i % 3) * 14
        expected[top : top + 10, left : left + 12] = image
    assert (sheet == expected).all()


def test_scale_repeats_pixels_and_few_images_make_a_narrow_sheet():
    batch = images(2)
    sheet = contact_sheet(batch, columns=8, scale=3)
    assert sheet.shape == (34, 2 * 38 + 2, 3)
    assert (sheet[2:32:3, 2:38:3] == batch[0]).all()
    assert (sheet[4:32:3, 4:38:3] == batch[0]).all()


def test_captions_are_written_below_and_stay_in_their_column():
    batch = images(3, 20, 30)
    plain = contact_sheet(batch, columns=3)
    sheet = contact_sheet(batch, columns=3, captions=["7", "", "a caption that is much too wide"])
    assert sheet.shape == (plain.shape[0] + 14, plain.shape[1], 3)
    assert (sheet[:22] == plain[:22]).all()
    below = sheet[22:]
    assert below[:, 2:32].min() < 128
    assert below[:, 34:64].min() == 255
    assert below[:, 66:96].min() < 128
    assert below[:, 96:].min() == 255


def test_wrong_input_is_named():
    for wrong in (images(0), images(2)[..., :1], images(2)[0], images(2).astype(np.float32)):
        with pytest.raises(DataError, match="uint8 images"):
            contact_sheet(wrong)
    with pytest.raises(DataError, match="2 images needs as many captions, not 1"):
        contact_sheet(images(2), captions=["a"])
    with pytest.raises(DataError, match="columns"):
        contact_sheet(images(2), columns=0)


def test_png_is_rgb_and_whole_or_absent(tmp_path):
    sheet = contact_sheet(images(4), columns=2)
    save_png(tmp_path / "deep" / "batch.png", sheet)
    assert (cv2.imread(str(tmp_path / "deep" / "batch.png"))[..., ::-1] == sheet).all()
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        save_png(tmp_path / "file" / "batch.png", sheet)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["batch.png", "deep", "file"]
