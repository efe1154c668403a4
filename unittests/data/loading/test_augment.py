import cv2
import numpy as np
import pytest

from fairface.config.schema import AugmentConfig
from fairface.data.loading.augment import Augmenter
from fairface.data.loading.augment.color import ColorJitter
from fairface.data.loading.augment.geometry import Crop, Cutoff, Shift
from fairface.data.loading.augment.quality import Jpeg, LowRes
from fairface.errors import ConfigError

KINDS = ("swap_colors", "shift", "crop", "low_res", "color", "photometric", "jpeg", "cutoff")
SIZE = 112


def picture(seed=0, size=SIZE):
    noise = np.random.default_rng(seed).integers(40, 216, (8, 8, 3), np.uint8)
    return cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)


def rng():
    return np.random.default_rng(11)


def only(**options):
    return AugmentConfig(**{"mirror": 0.0, **options})


def run(config, n=24, size=SIZE, image=None):
    draws = Augmenter(config).draw(rng(), n, size)
    image = picture(size=size) if image is None else image
    out = np.zeros((n, *image.shape), np.uint8)
    for i in range(n):
        draws.apply(image, i, out[i], {})
    return draws, out


def test_probability_zero_leaves_pixels_untouched():
    _, out = run(only())
    assert (out == picture()).all()


def test_mirror_is_a_flip_of_about_its_share():
    draws, out = run(AugmentConfig(mirror=0.3), n=200)
    for mirrored, result in zip(draws.mirror, out, strict=True):
        expected = picture()[:, ::-1] if mirrored else picture()
        assert (result == expected).all()
    assert 40 <= sum(draws.mirror) <= 80


@pytest.mark.parametrize("kind", KINDS)
def test_every_change_touches_its_share_and_leaves_the_input_alone(kind):
    image = picture()
    draws, out = run(only(**{kind: 0.5}), n=60, image=image)
    assert (image == picture()).all()
    assert 15 <= np.count_nonzero(draws.changed) <= 45
    for changed, result in zip(draws.changed, out, strict=True):
        assert changed or (result == image).all()
    assert any(not (result == image).all() for result in out)
    _, every = run(only(**{kind: 1.0}), n=12)
    assert sum((result == image).all() for result in every) <= 1  # a crop may take in everything


def test_swapped_colors_are_swapped_before_all_other_changes():
    _, out = run(only(swap_colors=1.0), n=3)
    red, green, blue = (picture()[..., channel] for channel in range(3))
    assert (out == np.stack([blue, green, red], axis=-1)).all()
    draws, out = run(only(swap_colors=1.0, photometric=1.0), n=3, image=picture()[..., ::-1])
    for i in range(3):  # the jitter weighs red, green and blue differently: it must see them as they are
        assert (out[i] == draws.changes[1].apply(picture(), i)).all()


def test_draws_are_pure_and_rows_can_be_done_in_any_order():
    config = AugmentConfig(**dict.fromkeys(("mirror", *KINDS), 0.5))
    _, first = run(config)
    draws = Augmenter(config).draw(rng(), 24, SIZE)
    for i in reversed(range(24)):
        out = np.zeros((SIZE, SIZE, 3), np.uint8)
        draws.apply(picture(), i, out, {})
        assert (out == first[i]).all()


def test_mirror_draws_do_not_depend_on_other_changes():
    plain = Augmenter(AugmentConfig()).draw(rng(), 50, SIZE).mirror
    assert Augmenter(AugmentConfig(jpeg=0.5, shift=0.5)).draw(rng(), 50, SIZE).mirror == plain


def test_shift_matrix_moves_a_point_as_documented():
    config = only(shift=1.0, shift_pixels=3.0, shift_degrees=10.0, shift_scale=0.1)
    shift = Shift.draw(rng(), config, 500, SIZE)
    linear = shift.matrices[:, :, :2]
    scale = np.sqrt(np.linalg.det(linear))
    angle = np.rad2deg(np.arctan2(linear[:, 0, 1], linear[:, 0, 0]))
    centre = np.full(2, (SIZE - 1) / 2)
    moved = np.array([matrix[:, :2] @ centre + matrix[:, 2] for matrix in shift.matrices]) - centre
    for values, low, high in ((scale, 0.9, 1.1), (angle, -10, 10), (moved, -3, 3)):
        assert low <= values.min() < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < values.max() <= high


def test_shift_repeats_the_border_and_is_a_plain_move_without_rotation():
    config = only(shift=1.0, shift_pixels=4.0, shift_degrees=0.0, shift_scale=0.0)
    shift = Shift.draw(rng(), config, 1, SIZE)
    shift.matrices[0, :, 2] = (3, -2)
    padded = np.pad(picture(), ((2, 2), (3, 3), (0, 0)), mode="edge")
    assert (shift.apply(picture(), 0) == padded[4 : 4 + SIZE, :SIZE]).all()


def test_crop_keeps_a_part_in_place_on_black():
    image = np.full((SIZE, SIZE, 3), 200, np.uint8)
    areas, ratios = [], []
    for result in run(only(crop=1.0), n=300, image=image)[1]:
        rows, columns = np.flatnonzero(result.any(axis=(1, 2))), np.flatnonzero(result.any(axis=(0, 2)))
        box = np.zeros_like(image)
        box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 200
        assert (result == box).all()
        areas.append(len(rows) * len(columns) / SIZE**2)
        ratios.append(len(columns) / len(rows))
    assert 0.19 <= min(areas) < 0.25
    assert max(areas) > 0.85
    assert 0.73 <= min(ratios) < 0.8
    assert 1.25 < max(ratios) <= 1.37


def test_crop_boxes_stay_inside():
    for size in (5, 112):
        boxes = Crop.draw(rng(), only(crop=1.0), 2000, size).boxes
        assert boxes.min() >= 0
        assert boxes.max() == size
        assert (boxes[:, 2:] > boxes[:, :2]).all()


@pytest.mark.parametrize("cutoff_size", [1, 31, 32, 300])
def test_cutoff_is_a_grey_square_and_nothing_else(cutoff_size):
    config = only(cutoff=1.0, cutoff_size=cutoff_size)
    draws, out = run(config, n=100)
    boxes = draws.changes[0].boxes
    for (top, left, bottom, right), result in zip(boxes, out, strict=True):
        for y in range(0, SIZE, 3):
            inside = (np.arange(SIZE) >= left) & (np.arange(SIZE) < right) & (top <= y < bottom)
            assert (result[y][inside] == 128).all()
            assert (result[y][~inside] == picture()[y][~inside]).all()
    centres = boxes[(boxes[:, :2] > 0).all(axis=1) & (boxes[:, 2:] < SIZE).all(axis=1)]
    assert (centres[:, 2:] - centres[:, :2] == cutoff_size).all()
    if cutoff_size <= 32:
        all_boxes = Cutoff.draw(rng(), config, 5000, SIZE).boxes
        assert all_boxes[:, :2].min() == 0
        assert all_boxes[:, 2:].max() == SIZE


def reference_jitter(image, order, factors, clip_between):
    """The three changes pixel by pixel in float64, as their definitions say."""
    x = image.astype(np.float64)
    for kind in order:
        luma = x[..., 0] * 0.299 + x[..., 1] * 0.587 + x[..., 2] * 0.114
        other = (0.0, luma.mean(), luma[..., None])[kind]
        x = factors[kind] * x + (1 - factors[kind]) * other
        if clip_between:
            x = np.clip(np.rint(x), 0, 255)
    return np.clip(x, 0, 255)


@pytest.mark.parametrize("clip_between", [False, True])
def test_color_equals_the_definition(clip_between):
    jitter = ColorJitter.draw(rng(), 1.0, 0.5, 40, clip_between)
    for i in range(40):
        expected = reference_jitter(picture(i), jitter.order[i], jitter.factors[i], clip_between)
        error = np.abs(jitter.apply(picture(i), i) - expected)
        assert error.max() <= 3.5
        assert error.mean() < 0.6


def test_color_draws_cover_all_orders_and_the_whole_range():
    jitter = ColorJitter.draw(rng(), 1.0, 0.125, 3000, False)
    assert len({tuple(order) for order in jitter.order}) == 6
    assert np.allclose([jitter.factors.min(), jitter.factors.max()], [0.875, 1.125], atol=1e-3)
    assert (np.sort(jitter.order, axis=1) == [0, 1, 2]).all()


def test_grey_stays_grey_under_saturation_and_color_works_on_rgb():
    grey = np.repeat(picture()[..., :1], 3, axis=2)
    jitter = ColorJitter(np.ones(1, bool), np.array([[2, 2, 2]]), np.array([[1.0, 1.0, 0.5]]), False)
    assert np.abs(jitter.apply(grey, 0).astype(int) - grey).max() <= 1
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    jitter = ColorJitter(np.ones(1, bool), np.array([[2, 0, 1]]), np.array([[1.0, 1.0, 0.0]]), False)
    assert np.abs(jitter.apply(red, 0).astype(int) - round(200 * 0.299)).max() <= 1


def test_low_res_loses_detail_and_keeps_size():
    config = only(low_res=1.0)
    low = LowRes.draw(rng(), config, 3000, SIZE)
    assert low.sides.min() == int(0.2 * SIZE)
    assert low.sides.max() == SIZE - 1
    assert {tuple(pair) for pair in low.kernels} == {(a, b) for a in range(5) for b in range(5)}
    noise = rng().integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    smallest = int(low.sides.argmin())
    assert low.apply(noise, smallest).shape == noise.shape
    low.kernels[smallest] = 2, 1
    assert low.apply(noise, smallest).std() < noise.std() / 2


def test_jpeg_quality_range_and_true_recompression():
    jpeg = Jpeg.draw(rng(), only(jpeg=1.0, jpeg_quality=(2, 20)), 2000, SIZE)
    assert set(jpeg.quality) == set(range(2, 21))
    worst, best = int(jpeg.quality.argmin()), int(jpeg.quality.argmax())
    errors = [np.abs(jpeg.apply(picture(), i).astype(int) - picture()).mean() for i in (worst, best)]
    assert errors[0] > errors[1] > 0
    bgr = cv2.imdecode(cv2.imencode(".jpg", picture()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 2])[1], cv2.IMREAD_COLOR)
    assert (jpeg.apply(picture(), worst) == bgr[..., ::-1]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mirror": 1.5}, "augment.mirror is 1.5"),
        ({"jpeg": -0.1}, "augment.jpeg is -0.1"),
        ({"crop": float("nan")}, "augment.crop"),
        ({"jpeg_quality": (20, 2)}, "augment.jpeg_quality"),
        ({"jpeg_quality": (0, 20)}, "augment.jpeg_quality"),
        ({"color_strength": 2.0}, "augment.color_strength is 2.0"),
        ({"shift_scale": 1.0}, "augment.shift_scale"),
        ({"cutoff_size": -1}, "augment.cutoff_size"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ConfigError, match=message):
        Augmenter(AugmentConfig(**options))
