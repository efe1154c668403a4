"""dlib's layout of a face against its mean face, and faces in one layout turned into the other."""

import cv2
import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.errors import CheckpointError, ConfigError, DataError
from fairface.faces.align import adapted, align, similarity
from fairface.faces.folder_worker import AlignConfig
from fairface.faces.layouts import ARCFACE, DLIB, TEMPLATE_112, layout_of, template

# dlib's mean face in its points 36 to 47 (the eyes), 30, 48 and 54 of 68 (dlib/image_transforms/interpolation.h).
EYES_X = [0.121737, 0.187122, 0.265825, 0.334606, 0.260918, 0.182743,
          0.645647, 0.714428, 0.793132, 0.858516, 0.79751, 0.719335]  # fmt: skip
EYES_Y = [0.216423, 0.178758, 0.179852, 0.231733, 0.245099, 0.244077,
          0.231733, 0.179852, 0.178758, 0.216423, 0.244077, 0.245099]  # fmt: skip
OTHERS = [(0.490127, 0.515625), (0.254149, 0.780233), (0.726104, 0.780233)]


def photograph():
    """Smooth, so that two warps in a row differ little from one."""
    rng = np.random.default_rng(0)
    return cv2.resize(rng.integers(0, 256, (6, 6, 3), np.uint8), (400, 400), interpolation=cv2.INTER_CUBIC)


def test_the_template_is_close_to_dlibs_mean_face_with_its_padding():
    eyes = [(np.mean(EYES_X[k : k + 6]), np.mean(EYES_Y[k : k + 6])) for k in (0, 6)]
    wanted = (np.array([*eyes, *OTHERS]) * 100 + 25) / 150 * 150  # 25 pixels on each side of a face of 100
    # MTCNN's points are no means of dlib's: its eyes lie higher, the corners of its mouth lower.
    np.testing.assert_allclose(template(150, DLIB), wanted, atol=2.7)
    np.testing.assert_allclose(template(150, DLIB).mean(axis=0), wanted.mean(axis=0), atol=1.1)
    np.testing.assert_array_equal(np.sign((template(150, DLIB) - wanted)[:, 1]), [-1, -1, 1, 1, 1])
    np.testing.assert_allclose(template(75, DLIB), template(150, DLIB) / 2)
    np.testing.assert_allclose(template(112), TEMPLATE_112, atol=1e-6)
    with pytest.raises(ConfigError, match="layout is 'insightface'; it must be one of arcface, dlib"):
        template(112, "insightface")


def test_a_face_in_dlibs_layout_has_its_landmarks_there():
    rgb, points = photograph(), template(150, DLIB) @ [[1.1, 0.2], [-0.2, 1.1]] + [90, 80]
    matrix = similarity(points, 150, DLIB)
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], template(150, DLIB), atol=1e-6)
    chip = align(rgb, points, 150, layout=DLIB)
    assert chip.shape == (150, 150, 3)
    for x, y in [(40, 40), (75, 110), (120, 60)]:
        source = np.linalg.solve(matrix[:, :2], [x - matrix[0, 2], y - matrix[1, 2]])
        column, row = np.rint(source).astype(int)
        np.testing.assert_allclose(chip[y, x].astype(int), rgb[row, column].astype(int), atol=8)


def test_an_arcface_crop_becomes_the_chip_except_for_the_chin():
    rgb, points = photograph(), TEMPLATE_112 * 1.5 + [60, 50]
    chip = align(rgb, points, 150, layout=DLIB)
    warped = adapted(align(rgb, points, 112), 150, DLIB)
    assert warped.shape == chip.shape
    # Both are fitted to five points, and the two templates are no exact copies of each other.
    assert np.abs(warped[:120].astype(int) - chip[:120]).mean() < 3
    # Below the crop its last row goes on; the layouts are turned against each other by a fraction of a degree.
    assert np.abs(warped[-12].astype(int) - warped[-1]).max() <= 3 < np.abs(chip[-12].astype(int) - chip[-1]).max()


@pytest.mark.parametrize(("shape", "layout"), [((150, 150, 3), DLIB), ((112, 90, 3), DLIB), ((112, 112, 3), ARCFACE)])
def test_what_is_left_as_it_is(shape, layout):
    image = np.zeros(shape, np.uint8)
    assert adapted(image, 150, layout) is image


def test_settings_of_alignment():
    assert AlignConfig(150, layout=DLIB).layout == DLIB
    with pytest.raises(ConfigError, match="size is 112; crops for dlib's net have 150 pixels"):
        AlignConfig(layout=DLIB)
    with pytest.raises(ConfigError, match="layout is 'x'; it must be one of arcface, dlib"):
        AlignConfig(layout="x")
    with pytest.raises(DataError, match="a face needs five landmarks"):
        similarity(np.zeros((4, 2)), 150, DLIB)


def said(layout):
    """An ONNX file, as far as it is looked at: a graph that is stepped over, and one property (fields 7 and 14)."""
    entry = b"".join(bytes([tag, len(text)]) + text for tag, text in ((0x0A, b"fairface.layout"), (0x12, layout)))
    return b"\x3a\x04" + b"\x72\x02\x0a\x00" + bytes([0x72, len(entry)]) + entry


@pytest.mark.parametrize(
    ("name", "content", "layout"),
    [
        ("net.dat", b"any", DLIB), ("net.pth", b"any", ARCFACE), ("net.onnx", said(b"dlib"), DLIB),
        ("NET.ONNX", said(b"arcface"), ARCFACE), ("net.onnx", b"\x3a\x01\x00", ARCFACE),
    ],
)  # fmt: skip
def test_the_layout_of_a_model_is_known_before_it_is_loaded(tmp_path, name, content, layout):
    (tmp_path / name).write_bytes(content)
    assert layout_of(resolve(str(tmp_path / name))) == layout


@pytest.mark.parametrize("layout", [b"", b"insightface", b"DLIB", b"x" * 90])
def test_a_layout_that_is_not_known_is_not_taken_for_another(tmp_path, layout):
    (tmp_path / "net.onnx").write_bytes(said(layout))
    with pytest.raises(
        CheckpointError, match=r"net\.onnx: says that it takes faces in the layout '.{0,40}', not one of"
    ):
        layout_of(resolve(str(tmp_path / "net.onnx")))
