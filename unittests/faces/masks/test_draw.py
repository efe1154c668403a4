"""Masks on drawn faces: what changes, what stays to the bit, and that they are lit as the face is."""

import dataclasses
import json

import numpy as np
import pytest

from fairface.errors import ConfigError, DataError
from fairface.faces.masks import STYLES, MaskChoice, MaskRefusedError, draw_mask
from fairface.faces.masks.draw import nose_height
from fairface.faces.masks.parameters import draw_parameters, from_dict, to_dict
from unittests.faces.masks.heads import face, turned

POINTS = turned()


def as_drawn(style, position="normal", seed=0, **changes):
    mask = draw_parameters(np.random.default_rng(seed), STYLES[style], position)
    return dataclasses.replace(mask, **changes)


def fabric(masked, points=POINTS):
    """Luma where surely fabric is: a patch around the mouth's middle."""
    x, y = np.rint(points[3:].mean(axis=0)).astype(int)
    return masked.image[y - 4 : y + 5, x - 8 : x + 9].astype(float) @ (0.299, 0.587, 0.114)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("yaw", [-35, 0, 15])
def test_outside_the_region_nothing_changes(style, yaw):
    points, before = turned(yaw), face(points=turned(yaw))
    image = before.copy()
    masked = draw_mask(image, points, style, seed=7)
    assert (image == before).all()
    assert (masked.image[~masked.region] == before[~masked.region]).all()
    assert masked.image.dtype == np.uint8
    assert masked.region.dtype == np.bool_
    assert masked.style == style
    for x, y in np.rint(points[2:]).astype(int):  # nose and mouth are covered, eyes are not
        assert masked.region[y, x]
    for x, y in np.rint(points[:2]).astype(int):
        assert not masked.region[y - 3 : y + 4, x - 3 : x + 4].any()
    assert 0.2 < masked.region.mean() < 0.6


def test_seeds_decide_and_nothing_else():
    image = face()
    first, again, other = (draw_mask(image, POINTS, MaskChoice(), seed) for seed in (3, 3, 4))
    assert (first.image == again.image).all()
    assert first.parameters == again.parameters
    assert (first.image != other.image).any()
    looks = {draw_mask(image, POINTS, "surgical_blue", seed).image.tobytes() for seed in range(6)}
    assert len(looks) == 6  # place, size, colour and creases vary


@pytest.mark.parametrize("seed", range(8))
def test_parameters_from_json_draw_the_same_bytes(seed):
    image = face(seed=seed)
    masked = draw_mask(image, POINTS, MaskChoice(nose_out=0.3, chin=0.3), seed)
    kept = from_dict(json.loads(json.dumps(to_dict(masked.parameters))), "here")
    assert kept == masked.parameters
    again = draw_mask(image, POINTS, kept)
    assert (again.image == masked.image).all()
    assert (again.region == masked.region).all()


@pytest.mark.parametrize("size", [(64, 64), (96, 96), (112, 112), (250, 250), (300, 180), (700, 640)])
def test_any_size_of_image(size):
    scale = min(size) / 112
    points = turned() * scale
    image = np.random.default_rng(0).integers(90, 130, (*size, 3)).astype(np.uint8)
    masked = draw_mask(image, points, "surgical_white", seed=1)
    assert masked.image.shape == image.shape
    assert (masked.image[~masked.region] == image[~masked.region]).all()
    x, y = np.rint(points[3:].mean(axis=0)).astype(int)
    assert masked.image[y, x].mean() > 130
    assert masked.region.sum() / scale**2 == pytest.approx(112 * 112 * 0.36, rel=0.3)


def test_a_grey_photograph_stays_grey():
    grey = np.repeat(face()[..., :1], 3, axis=2)
    for style in ("surgical_blue", "cloth", "n95"):
        masked = draw_mask(grey, POINTS, style, seed=2)
        assert (np.ptp(masked.image.astype(int), axis=2) <= 1).all()
    assert np.ptp(draw_mask(face(), POINTS, "surgical_blue", seed=2).image.astype(int), axis=2).max() > 40


def test_black_is_dark_and_white_is_bright_on_the_same_face():
    bright, dark = (fabric(draw_mask(face(), POINTS, style, 1)).mean() for style in ("surgical_white", "black"))
    assert bright > 170
    assert dark < 60


def test_brightness_follows_the_photograph():
    mask = as_drawn("surgical_white")
    levels = [fabric(draw_mask(face(level=level), POINTS, mask)).mean() for level in (30, 80, 150)]
    assert levels == sorted(levels)
    assert levels[0] < 0.65 * levels[2]


def test_a_face_lit_from_one_side_lights_the_mask_there():
    def sides(light):
        image = draw_mask(face(light=light), POINTS, as_drawn("surgical_white")).image.astype(float).mean(axis=2)
        y = round(POINTS[3, 1])
        return image[y - 6 : y, 72:82].mean() / image[y - 6 : y, 30:40].mean()

    assert sides(0.8) > 1.15 * sides(0.0)
    assert sides(-0.8) < sides(0.0) / 1.15


def test_the_colour_of_the_light_is_taken_over():
    warm = draw_mask(face(tint=(1.6, 0.9, 0.35)), POINTS, as_drawn("surgical_white")).image
    cold = draw_mask(face(tint=(1.0, 0.95, 1.0)), POINTS, as_drawn("surgical_white")).image
    x, y = np.rint(POINTS[3:].mean(axis=0)).astype(int)
    assert int(warm[y, x, 0]) - warm[y, x, 2] > int(cold[y, x, 0]) - cold[y, x, 2] + 30


def test_pleats_can_be_seen():
    """Down the middle of a pleated mask it gets dark and bright again; a cup of one colour has no such folds."""
    patch = draw_mask(face(224, turned() * 2), turned() * 2, as_drawn("surgical_blue", blur=0.0, grain=0.0)).image
    column = patch[140:200, 100:124].astype(float).mean(axis=(1, 2))
    smooth = np.convolve(column, np.ones(9) / 9, "same")
    assert np.abs(column - smooth)[6:-6].max() > 4


def test_positions():
    x, y = np.rint(POINTS[2]).astype(int)
    mouth = np.rint(POINTS[3:].mean(axis=0)).astype(int)
    normal, nose_out, chin = (draw_mask(face(), POINTS, as_drawn("black", position)).region
                              for position in ("normal", "nose_out", "chin"))  # fmt: skip
    assert (normal[y, x], nose_out[y, x], chin[y, x]) == (True, False, False)
    assert (normal[mouth[1], mouth[0]], nose_out[mouth[1], mouth[0]], chin[mouth[1], mouth[0]]) == (True, True, False)
    assert chin.any()


def test_a_shadow_lies_below_the_edge_and_fades():
    image = np.full((160, 160, 3), 160, np.uint8)
    masked = draw_mask(image, POINTS, as_drawn("surgical_white", grain=0.0))
    column = masked.image[:, 56].astype(int).mean(axis=1)
    rows = np.flatnonzero(masked.region[:, 56])
    below = column[rows[-1] - 2 : rows[-1] + 1]
    assert (below < 160).all()  # the last changed pixels are darker skin, not fabric
    assert (np.diff(below) >= 0).all()


def test_a_turned_head_has_cords_on_the_near_side_only():
    image, points = np.full((112, 160, 3), 120, np.uint8), turned(30, eyes=(79.9, 51.6))
    masked = draw_mask(image, points, as_drawn("surgical_blue"))
    eyes = int(points[:2, 1].mean()) + 6
    assert masked.region[eyes, :60].any()
    assert not masked.region[eyes, 100:].any()


def test_nose_height():
    masked = draw_mask(face(), POINTS, "n95")
    assert masked.nose_height_fraction == pytest.approx(POINTS[2, 1] / 112)
    assert nose_height(POINTS + 5, 224) == pytest.approx((POINTS[2, 1] + 5) / 224)


def test_refusals_and_unknown_styles():
    with pytest.raises(MaskRefusedError, match="a profile"):
        draw_mask(face(), turned(60), "n95")
    with pytest.raises(ConfigError, match=r"no mask style 'ski'; the styles are: surgical_blue, .*black"):
        draw_mask(face(), POINTS, "ski")
    with pytest.raises(ConfigError, match="name one twice"):
        MaskChoice(("n95", "n95"))
    with pytest.raises(ConfigError, match="add up to 1"):
        MaskChoice(nose_out=0.7, chin=0.5)


def test_choices_are_drawn_as_often_as_they_say():
    choice, rng = MaskChoice(("n95", "cloth", "black"), nose_out=0.2, chin=0.1), np.random.default_rng(0)
    drawn = [choice.draw(rng) for _ in range(2000)]
    for style in choice.styles:
        assert sum(mask.style == style for mask in drawn) == pytest.approx(2000 / 3, rel=0.15)
    for position, share in {"nose_out": 0.2, "chin": 0.1, "normal": 0.7}.items():
        assert sum(mask.position == position for mask in drawn) == pytest.approx(2000 * share, rel=0.2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"style": "ski"}, "no mask style 'ski'"),
        ({"position": "hat"}, "position 'hat'"),
        ({"colour": [1, 2]}, r"colour is \[1, 2\]"),
        ({"colour": [1, 2, 300]}, "colour is"),
        ({"variant": 1.5}, "variant is 1.5"),
        ({"top": "0"}, "top is '0'"),
        ({"top": float("nan")}, "top is nan"),
        ({"angle": 0.0}, "must be 0.1 or more"),
        ({"more": 1}, "not the parameters of a mask"),
    ],
)
def test_damaged_parameters_are_named(change, said):
    with pytest.raises(DataError, match=f"^here: .*{said}"):
        from_dict({**to_dict(as_drawn("n95")), **change}, "here")
