"""The user's own pictures of masks."""

import cv2
import numpy as np
import pytest

from fairface.errors import DataError
from fairface.faces.masks import MaskChoice, draw_mask
from fairface.faces.masks.textures import read_textures
from unittests.faces.masks.heads import face, turned


def write(folder, name, picture):
    folder.mkdir(exist_ok=True)
    cv2.imwrite(str(folder / name), cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA))


def red(hole=False):
    picture = np.full((60, 100, 4), (200, 20, 20, 255), np.uint8)
    if hole:
        picture[20:40, 40:60, 3] = 0
    return picture


def only(textures, image, seed=0):
    """A mask of the only texture."""
    choice = MaskChoice(("black",), 0, 0, textures)
    rng = np.random.default_rng(seed)
    style, picture = choice.kinds[-1]
    return draw_mask(image, turned(), choice.draw_as(rng, style, picture), textures=textures)


def test_a_picture_is_seen_with_its_colours_and_holes(tmp_path):
    write(tmp_path / "in", "red.png", red())
    write(tmp_path / "holes", "red.png", red(hole=True))
    whole, holed = (only(read_textures(tmp_path / name), face()) for name in ("in", "holes"))
    assert whole.style == "texture"
    assert whole.parameters.texture == "red.png"
    at = whole.image[70, 70].astype(int)
    assert at[0] > at[1] + 60
    y, x = 87, 56  # the middle of the mask
    assert whole.image[y, x, 0] > whole.image[y, x, 1].astype(int) + 60
    assert np.abs(holed.image[y, x].astype(int) - face()[y, x]).max() < 40  # skin, in the shadow of the rim at most
    grey = np.repeat(face()[..., :1], 3, axis=2)
    assert (np.ptp(only(read_textures(tmp_path / "in"), grey).image.astype(int), axis=2) <= 1).all()


def test_each_picture_is_drawn_as_often_as_a_style(tmp_path):
    for name in ("a.png", "b.png"):
        write(tmp_path / "in", name, red())
    choice = MaskChoice(("n95",), textures=read_textures(tmp_path / "in"))
    rng = np.random.default_rng(0)
    drawn = [choice.draw(rng).texture for _ in range(900)]
    assert {name: drawn.count(name) for name in ("", "a.png", "b.png")} == pytest.approx(
        {"": 300, "a.png": 300, "b.png": 300}, rel=0.15
    )


def test_what_cannot_be_used_is_one_line(tmp_path):
    with pytest.raises(DataError, match="no mask texture in it; name a folder of PNG files"):
        read_textures(tmp_path / "nowhere")
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "flat.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DataError, match=r"flat\.png: has no alpha channel of 8 bits.*save it as PNG with transparency"):
        read_textures(tmp_path / "in")
    (tmp_path / "in" / "flat.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"flat\.png: not a PNG image"):
        read_textures(tmp_path / "in")
    write(tmp_path / "other", "red.png", red())
    mask = only(read_textures(tmp_path / "other"), face()).parameters
    with pytest.raises(DataError, match=r"no mask texture 'red\.png' \(there are: none\)"):
        draw_mask(face(), turned(), mask)
