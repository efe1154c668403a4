import numpy as np
import pytest

from fairface.faces.boxes import cells_to_boxes, cut, pyramid_scales, refine, squares, suppress


def overlap(a, b, by_smaller):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    area_a, area_b = ((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return common / (min(area_a, area_b) if by_smaller else area_a + area_b - common)


@pytest.mark.parametrize("by_smaller", [False, True])
def test_suppression_is_the_greedy_loop(by_smaller):
    rng = np.random.default_rng(1)
    corner = rng.uniform(0, 50, (60, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(5, 40, (60, 2))], axis=1).astype(np.float32)
    scores = rng.random(60).astype(np.float32)
    kept: list[int] = []
    for index in sorted(range(60), key=lambda i: -scores[i]):
        if all(overlap(boxes[index], boxes[other], by_smaller) <= 0.5 for other in kept):
            kept.append(index)
    assert suppress(boxes, scores, 0.5, by_smaller).tolist() == kept


def test_suppression_of_nothing():
    assert suppress(np.empty((0, 4), np.float32), np.empty(0, np.float32), 0.5).tolist() == []


def test_pyramid_reaches_from_the_smallest_face_to_the_whole_image():
    scales = pyramid_scales(100, 300, min_face=20, factor=0.5)
    assert scales == pytest.approx([0.6, 0.3, 0.15])
    assert 100 * scales[-1] >= 12 > 100 * scales[-1] * 0.5
    assert pyramid_scales(19, 300, min_face=20, factor=0.5) == []


def test_cells_name_the_pixels_they_saw():
    probability = np.zeros((4, 6), np.float32)
    probability[1, 5], probability[3, 2] = 0.9, 0.7
    offsets = np.arange(96, dtype=np.float32).reshape(4, 6, 4)
    boxes, scores, moves = cells_to_boxes(probability, offsets, scale=0.5, threshold=0.7)
    assert boxes.tolist() == [[20, 4, 44, 28], [8, 12, 32, 36]]
    assert scores.tolist() == pytest.approx([0.9, 0.7])
    assert moves.tolist() == [offsets[1, 5].tolist(), offsets[3, 2].tolist()]


def test_refine_moves_edges_by_parts_of_the_size():
    moved = refine(np.array([[10, 20, 30, 60]], np.float32), np.array([[0.1, -0.1, 0.5, 0.25]], np.float32))
    assert moved.tolist() == [[12, 16, 40, 70]]


def test_squares_keep_the_centre():
    assert squares(np.array([[10, 20, 20, 60], [-4.2, 3, -4.1, 3.1]], np.float32)).tolist() == [
        [-5, 20, 35, 60],
        [-5, 3, -4, 4],
    ]


def test_cut_is_black_outside_the_image():
    image = np.full((10, 10, 3), 200, np.uint8)
    patch = cut(image, np.array([-5, 2, 5, 12]), 10)
    expected = np.zeros((10, 10, 3), np.uint8)
    expected[:8, 5:] = 200
    np.testing.assert_array_equal(patch, expected)
    np.testing.assert_array_equal(cut(image, np.array([2, 3, 6, 7]), 4), image[3:7, 2:6])
    assert cut(image, np.array([50, 50, 60, 60]), 24).max() == 0
