import math

import numpy as np
import pytest

from fairface.errors import ConfigError
from fairface.faces.align_settings import settings_of
from fairface.faces.detect import FaceDetector, LimitedDetector
from fairface.faces.folder_worker import AlignConfig
from fairface.faces.mtcnn import MtcnnDetector
from fairface.faces.rescue import find_or_rescue
from fairface.faces.retinaface import LEVELS, RetinaFaceConfig, RetinaFaceDetector, decode

BASE, SCALES = 16, {32: (32, 16), 16: (8, 4), 8: (2, 1)}  # insightface's own words for the anchors


def noise(height, width, seed=0):
    """Nine random outputs for an input of that size, most scores low."""
    rng = np.random.default_rng(seed)
    outputs = []
    for stride in SCALES:
        h, w = height // stride, width // stride
        outputs += [rng.random((1, 4, h, w)) ** 2, rng.normal(0, 0.4, (1, 8, h, w)), rng.normal(0, 0.4, (1, 20, h, w))]
    return [output.astype(np.float32) for output in outputs]


def by_loops(outputs, stride, threshold):
    """Rows (score, x1, y1, x2, y2, five x and y), the last pixel of a box counted, one anchor after the other."""
    classes, deltas, points = (output[0].astype(np.float64) for output in outputs)
    found = []
    for k, scale in enumerate(SCALES[stride]):
        for row in range(classes.shape[1]):
            for column in range(classes.shape[2]):
                score = classes[2 + k, row, column]
                if score < threshold:
                    continue
                # The anchor (0, 0, 15, 15) is enlarged about its middle, then moved by whole strides.
                left = (BASE - 1) / 2 - (BASE * scale - 1) / 2 + column * stride
                top = (BASE - 1) / 2 - (BASE * scale - 1) / 2 + row * stride
                right, bottom = left + BASE * scale - 1, top + BASE * scale - 1
                wide, high = right - left + 1, bottom - top + 1
                x, y = left + 0.5 * (wide - 1), top + 0.5 * (high - 1)
                dx, dy, dw, dh = deltas[4 * k : 4 * k + 4, row, column]
                new_x, new_y = x + dx * wide, y + dy * high
                new_wide, new_high = wide * math.exp(dw), high * math.exp(dh)
                box = [new_x - (new_wide - 1) / 2, new_y - (new_high - 1) / 2,
                       new_x + (new_wide - 1) / 2, new_y + (new_high - 1) / 2]  # fmt: skip
                marks = []
                for point in range(5):
                    marks.append(x + points[10 * k + 2 * point, row, column] * wide)
                    marks.append(y + points[10 * k + 2 * point + 1, row, column] * high)
                found.append([score, *box, *marks])
    return found


def overlap(a, b):
    wide = max(min(a[3], b[3]) - max(a[1], b[1]) + 1, 0)
    high = max(min(a[4], b[4]) - max(a[2], b[2]) + 1, 0)
    areas = [(box[3] - box[1] + 1) * (box[4] - box[2] + 1) for box in (a, b)]
    return wide * high / (sum(areas) - wide * high)


def as_rows(faces):
    boxes = faces.boxes - np.array([0, 0, 1, 1], np.float32)
    return np.column_stack([faces.scores, boxes, faces.landmarks.reshape(-1, 10)])


@pytest.mark.parametrize("level", [0, 1, 2])
def test_decoding_is_the_loop_over_anchors(level):
    stride, sides = LEVELS[level]
    outputs = noise(128, 192)[3 * level : 3 * level + 3]
    expected = by_loops(outputs, stride, 0.5)
    assert len(expected) > 5
    np.testing.assert_allclose(as_rows(decode(outputs, stride, sides, 0.5)), expected, rtol=1e-5, atol=1e-3)


def test_faces_are_those_of_all_levels_that_do_not_overlap():
    outputs = noise(128, 192)
    seen = []

    def forward(pixels):
        seen.append(pixels)
        return outputs

    image = np.random.default_rng(1).integers(0, 255, (101, 170, 3), np.uint8)
    detector: FaceDetector = RetinaFaceDetector(forward)
    faces = detector.detect(image)
    expected = []
    for level, stride in enumerate(SCALES):
        expected += by_loops(outputs[3 * level : 3 * level + 3], stride, 0.8)
    for row in expected:
        row[1:5] = np.clip(row[1:5], 0, [191, 127, 191, 127])
    kept = []
    for row in sorted(expected, key=lambda row: -row[0]):
        if all(overlap(row, other) <= 0.4 for other in kept):
            kept.append(row)
    assert 5 < len(kept) < len(expected)
    np.testing.assert_allclose(as_rows(faces), kept, rtol=1e-5, atol=1e-3)
    (pixels,) = seen
    assert (pixels.shape, pixels.dtype) == ((1, 3, 128, 192), np.float32)
    np.testing.assert_array_equal(pixels[0, :, :101, :170].transpose(1, 2, 0), image)
    assert pixels[:, :, 101:].max() == pixels[:, :, :, 170:].max() == 0


def one_face(pixels):
    """A net that sees one face, in the first cell of stride 8, wherever it looks."""
    outputs = [np.zeros_like(output) for output in noise(*pixels.shape[2:])]
    outputs[6][0, 3, 0, 0] = 0.9
    return outputs


def test_large_images_are_shrunk_and_faces_put_back():
    sizes = []

    def forward(pixels):
        sizes.append(pixels.shape[2:])
        return one_face(pixels)

    detector = RetinaFaceDetector(forward)
    faces = detector.detect(np.zeros((960, 1280, 3), np.uint8))
    assert sizes == [(480, 640)]
    # The anchor's middle lies on the border of pixels 7 and 8 of the copy, so of pixels 15 and 16 of the photograph.
    np.testing.assert_allclose(faces.landmarks[0], np.full((5, 2), 15.5))
    np.testing.assert_allclose(faces.boxes[0], [0, 0, 32, 32])
    whole = detector.without_limit()
    np.testing.assert_allclose(whole.detect(np.zeros((960, 1280, 3), np.uint8)).landmarks[0], np.full((5, 2), 7.5))
    assert sizes[-1] == (960, 1280)
    detector.detect(np.zeros((30, 640, 3), np.uint8))
    assert sizes[-1] == (32, 640)


def test_rescue_goes_beyond_the_limit():
    """At 960 pixels it looks at 960 pixels."""
    sizes = []

    def forward(pixels):
        sizes.append(max(pixels.shape[2:]))
        outputs = one_face(pixels)
        outputs[6] *= sizes[-1] == 960
        return outputs

    detector = RetinaFaceDetector(forward)
    row = find_or_rescue(detector, np.zeros((100, 100, 3), np.uint8), "a.png")
    assert row.how == "forced"
    assert sizes == [128, 96, 160, 320, 480, 640, 800, 960]
    assert isinstance(detector, LimitedDetector)
    assert not isinstance(MtcnnDetector(), LimitedDetector)


def test_no_face():
    detector = RetinaFaceDetector(lambda pixels: [np.zeros_like(output) for output in noise(*pixels.shape[2:])])
    assert len(detector.detect(np.zeros((50, 60, 3), np.uint8))) == 0


def test_settings_name_the_detector():
    detector = RetinaFaceDetector(one_face, RetinaFaceConfig(model="models/R50,0"))
    settings = settings_of(AlignConfig(), False, detector)
    assert settings["detector"] == {
        "class": "RetinaFaceDetector", "threshold": 0.8, "overlap": 0.4, "longest": 640, "model": "models/R50,0",
    }  # fmt: skip


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        RetinaFaceDetector(one_face).detect(np.zeros((10, 10), np.uint8))
    with pytest.raises(ValueError, match="must give"):
        RetinaFaceDetector(lambda pixels: noise(64, 64)).detect(np.zeros((90, 90, 3), np.uint8))
    for wrong in ({"threshold": 0}, {"overlap": 1.0}, {"longest": 8}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            RetinaFaceConfig(**wrong)
