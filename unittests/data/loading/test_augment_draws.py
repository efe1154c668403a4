"""What every change draws, number by number: the order of the draws is what a seed stands for."""

import cv2
import numpy as np
import pytest

from fairface.config.schema import AugmentConfig
from fairface.data.loading.augment.augmenter import Augmenter
from fairface.data.loading.augment.color import ColorJitter, draw_color, draw_photometric
from fairface.data.loading.augment.geometry import Crop, Cutoff, Shift
from fairface.data.loading.augment.quality import Jpeg, LowRes

N, SIZE = 40, 33
CONFIG = AugmentConfig(
    mirror=0.4, shift=0.3, shift_pixels=2.5, shift_degrees=9.0, shift_scale=0.2, crop=0.35, low_res=0.45, color=0.55,
    color_strength=0.1, photometric=0.65, jpeg=0.7, jpeg_quality=(10, 12), cutoff=0.25, cutoff_size=9,
)  # fmt: skip


def rng():
    return np.random.default_rng(11)


def test_shift_is_similarity_about_the_centre():
    random, drawn = rng(), Shift.draw(rng(), CONFIG, N, SIZE)
    assert (drawn.on == (random.random(N) < 0.3)).all()
    move = random.uniform(-2.5, 2.5, (N, 2))
    angle = random.uniform(-9, 9, N) * np.pi / 180
    scale = random.uniform(0.8, 1.2, N)
    for i, matrix in enumerate(drawn.matrices):
        turn = scale[i] * np.array([[np.cos(angle[i]), np.sin(angle[i])], [-np.sin(angle[i]), np.cos(angle[i])]])
        for point in ([0.0, 0.0], [16.0, 16.0], [3.0, 30.0]):
            expected = turn @ (np.array(point) - 16) + 16 + move[i]
            np.testing.assert_allclose(matrix @ [*point, 1], expected, atol=1e-12)


def test_a_crop_takes_the_first_of_ten_tries_that_fits():
    """torchvision's RandomResizedCrop, drawn for all images at once; without a fit the whole image."""
    for size in (SIZE, 1):
        random, drawn = rng(), Crop.draw(rng(), CONFIG, N, size)
        assert (drawn.on == (random.random(N) < 0.35)).all()
        area = random.uniform(0.2, 1.0, (10, N)) * size * size
        ratio = np.exp(random.uniform(-np.log(4 / 3), np.log(4 / 3), (10, N)))
        place = random.random((2, N))
        for i in range(N):
            high = wide = size
            for t in range(10):
                h, w = round(np.sqrt(area[t, i] / ratio[t, i])), round(np.sqrt(area[t, i] * ratio[t, i]))
                if 0 < h <= size and 0 < w <= size:
                    high, wide = h, w
                    break
            top, left = int(place[0, i] * (size - high + 1)), int(place[1, i] * (size - wide + 1))
            assert drawn.boxes[i].tolist() == [top, left, top + high, left + wide]


def test_a_cutoff_is_drawn_over_the_whole_image():
    random, drawn = rng(), Cutoff.draw(rng(), CONFIG, N, SIZE)
    assert (drawn.on == (random.random(N) < 0.25)).all()
    for (row, column), box in zip(random.integers(0, SIZE, (N, 2)).tolist(), drawn.boxes.tolist(), strict=True):
        assert box == [max(0, row - 4), max(0, column - 4), min(SIZE, row + 5), min(SIZE, column + 5)]


@pytest.mark.parametrize(
    ("draw", "probability", "strength", "between"),
    [(draw_color, 0.55, 0.1, False), (draw_photometric, 0.65, 0.5, True)],
)
def test_jitters_draw_three_factors_and_an_order(draw, probability, strength, between):
    random, drawn = rng(), draw(rng(), CONFIG, N, SIZE)
    assert (drawn.on == (random.random(N) < probability)).all()
    assert (drawn.order == random.permuted(np.tile([0, 1, 2], (N, 1)), axis=1)).all()
    assert (drawn.factors == random.uniform(1 - strength, 1 + strength, (N, 3))).all()
    assert drawn.clip_between == between


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_colours_of_a_pixel_by_hand(order):
    """Two pixels, so that the mean luma is no pixel's own; rounded only at the end."""
    image = np.array([[[100, 50, 20], [10, 120, 200]]], np.uint8)
    factors = np.array([1.2, 0.7, 1.4])
    pixels = image.reshape(-1, 3).astype(float)
    for kind in order:
        luma = pixels @ [0.299, 0.587, 0.114]
        other = [0 * pixels, np.full_like(pixels, luma.mean()), np.repeat(luma[:, None], 3, axis=1)][kind]
        pixels = factors[kind] * pixels + (1 - factors[kind]) * other
    jitter = ColorJitter(np.ones(1, bool), np.array([order]), factors[None], False)
    assert np.abs(jitter.apply(image, 0).reshape(-1, 3) - np.clip(pixels, 0, 255)).max() <= 0.51


def test_low_resolution_goes_down_with_one_kernel_and_up_with_another():
    random, drawn = rng(), LowRes.draw(rng(), CONFIG, N, SIZE)
    assert (drawn.on == (random.random(N) < 0.45)).all()
    assert drawn.sides.tolist() == [int(side * SIZE) for side in random.uniform(0.2, 1.0, N)]
    assert (drawn.kernels == random.integers(5, size=(N, 2))).all()
    assert LowRes.draw(rng(), CONFIG, N, 3).sides.min() == 1
    kernels = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
    image = rng().integers(0, 256, (20, 30, 3), dtype=np.uint8)
    for i in range(N):
        down, up = (kernels[kernel] for kernel in drawn.kernels[i])
        small = cv2.resize(image, (int(drawn.sides[i]),) * 2, interpolation=down)
        assert (drawn.apply(image, i) == cv2.resize(small, (30, 20), interpolation=up)).all()


def test_jpeg_draws_both_ends_of_its_range():
    random, drawn = rng(), Jpeg.draw(rng(), CONFIG, N, SIZE)
    assert (drawn.on == (random.random(N) < 0.7)).all()
    assert (drawn.quality == random.integers(10, 13, size=N)).all()
    assert set(drawn.quality.tolist()) == {10, 11, 12}


def test_changes_are_drawn_and_applied_in_their_order():
    drawn = Augmenter(CONFIG).draw(rng(), N, SIZE)
    random = rng()
    assert drawn.mirror == (random.random(N) < 0.4).tolist()
    expected = [
        Shift.draw(random, CONFIG, N, SIZE), Crop.draw(random, CONFIG, N, SIZE), LowRes.draw(random, CONFIG, N, SIZE),
        draw_color(random, CONFIG, N, SIZE), draw_photometric(random, CONFIG, N, SIZE),
        Jpeg.draw(random, CONFIG, N, SIZE), Cutoff.draw(random, CONFIG, N, SIZE),
    ]  # fmt: skip
    assert drawn.changed == [any(change.on[i] for change in expected) for i in range(N)]
    image = rng().integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    for i in range(N):
        result = image[:, ::-1].copy() if drawn.mirror[i] else image.copy()
        for change in expected:
            result = change.apply(result, i) if change.on[i] else result
        out = np.zeros_like(image)
        drawn.apply(image, i, out, {})
        assert (out == result).all()


def test_what_is_not_asked_for_is_not_drawn():
    for name in ("shift", "crop", "low_res", "color", "photometric", "jpeg", "cutoff"):
        drawn = Augmenter(AugmentConfig(**{"mirror": 0.0, name: 1e-9})).draw(rng(), 2, SIZE)
        assert len(drawn.changes) == 1
    assert Augmenter(AugmentConfig()).draw(rng(), 3, SIZE).changed == [False] * 3
    assert Augmenter(AugmentConfig()).writes == {}
