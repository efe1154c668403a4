"""The MTCNN cascade against the same cascade written as loops over single boxes in float64."""

import math

import cv2
import numpy as np
import pytest

from fairface.faces import cascade, mtcnn

PATHS = ("pnet.onnx", "rnet.onnx", "onet.onnx")
OUTPUTS = (("conv2d_4", "softmax"), ("dense_2", "softmax_1"), ("dense_5", "dense_6", "softmax_2"))


@pytest.fixture(scope="module")
def nets():
    return [cv2.dnn.readNetFromONNX(str(cascade._nets_folder() / path)) for path in PATHS]


def run(net, rgb, outputs):
    """The outputs for one image; the nets want (1, W, H, 3) in -1..1."""
    net.setInput(((rgb.astype(np.float32) - 127.5) / 128).transpose(1, 0, 2)[None].copy())
    return [array[0].astype(float) for array in net.forward(outputs)]


def greedy(rows, most, by_smaller=False):
    """Rows (score, box, …), best first, without those that overlap a kept one by more than ``most``."""
    kept = []
    for row in sorted(rows, key=lambda row: -row[0]):
        for other in kept:
            (a, b, c, d), (e, f, g, h) = row[1], other[1]
            common = max(min(c, g) - max(a, e), 0) * max(min(d, h) - max(b, f), 0)
            areas = (c - a) * (d - b), (g - e) * (h - f)
            if common > most * (min(areas) if by_smaller else sum(areas) - common):
                break
        else:
            kept.append(row)
    return kept


def moved(box, offsets):
    wide, high = box[2] - box[0], box[3] - box[1]
    return [edge + part * side for edge, part, side in zip(box, offsets, (wide, high, wide, high), strict=True)]


def look(net, rgb, box, size, outputs):
    """The whole-pixel square around a box, and what the net says of it; outside the image is black."""
    side = max(box[2] - box[0], box[3] - box[1], 1)
    left, top = round((box[0] + box[2] - side) / 2), round((box[1] + box[3] - side) / 2)
    patch = np.zeros((round(side), round(side), 3), np.uint8)
    for y in range(round(side)):
        for x in range(round(side)):
            if 0 <= top + y < rgb.shape[0] and 0 <= left + x < rgb.shape[1]:
                patch[y, x] = rgb[top + y, left + x]
    square = [left, top, left + round(side), top + round(side)]
    return square, run(net, cv2.resize(patch, (size, size), interpolation=cv2.INTER_AREA), outputs)


def proposals(net, rgb, config):
    found = []
    scale = 12 / config.min_face
    while min(rgb.shape[:2]) * scale >= 12:
        size = math.ceil(rgb.shape[1] * scale), math.ceil(rgb.shape[0] * scale)
        offsets, probability = run(net, cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), OUTPUTS[0])
        rows = []
        for y in range(probability.shape[1]):
            for x in range(probability.shape[0]):
                if probability[x, y, 1] >= config.thresholds[0]:
                    box = [2 * x / scale, 2 * y / scale, (2 * x + 12) / scale, (2 * y + 12) / scale]
                    rows.append((probability[x, y, 1], box, offsets[x, y]))
        found += greedy(rows, 0.5)
        scale *= config.factor
    return [moved(box, offsets) for _, box, offsets in greedy(found, 0.7)]


def by_loops(nets, rgb, config):
    boxes = proposals(nets[0], rgb, config)
    rows = []
    for box in boxes:
        square, (offsets, probability) = look(nets[1], rgb, box, 24, OUTPUTS[1])
        if probability[1] > config.thresholds[1]:
            rows.append((probability[1], square, offsets))
    boxes, sifted = [moved(box, offsets) for _, box, offsets in greedy(rows, 0.7)], len(boxes) - len(rows)
    rows = []
    for box in boxes:
        square, (offsets, points, probability) = look(nets[2], rgb, box, 48, OUTPUTS[2])
        if probability[1] > config.thresholds[2]:
            side = square[2] - square[0]
            marks = [(square[0] + points[k] * side, square[1] + points[5 + k] * side) for k in range(5)]
            rows.append((probability[1], moved(square, offsets), marks))
    return greedy(rows, 0.7, by_smaller=True), sifted, len(boxes) - len(rows)


def blurred(shape, seed):
    rgb = np.random.default_rng(seed).integers(0, 255, (*shape, 3), np.uint8)
    return cv2.GaussianBlur(rgb, (0, 0), 2) * np.uint8(2)


def same_as_the_loops(nets, rgb, config):
    expected, sifted, dropped = by_loops(nets, rgb, config)
    assert len(expected) > 2
    found = mtcnn.MtcnnDetector(config).detect(rgb)
    np.testing.assert_allclose(found.scores, [row[0] for row in expected], rtol=1e-4)
    np.testing.assert_allclose(found.boxes, [row[1] for row in expected], atol=1e-2)
    np.testing.assert_allclose(found.landmarks, [row[2] for row in expected], atol=1e-2)
    return sifted, dropped


@pytest.mark.parametrize("shape", [(64, 90), (91, 60)])
def test_faces_equal_those_of_the_loops(nets, shape):
    config = mtcnn.MtcnnConfig(min_face=24, factor=0.6, thresholds=(0.1, 0.02, 0.002))
    assert min(same_as_the_loops(nets, blurred(shape, 5), config)) > 0


@pytest.mark.parametrize(("seed", "factor"), [(10, 0.6), (12, 0.9)])
def test_what_overlaps_within_a_scale_between_scales_and_after_the_second_net_goes(nets, seed, factor):
    """Whatever is proposed is kept by the two other nets, so that other overlaps would give other faces."""
    config = mtcnn.MtcnnConfig(min_face=24, factor=factor, thresholds=(0.05, 0.0, 0.0))
    assert same_as_the_loops(nets, blurred((64, 90), seed), config) == (0, 0)
