"""Where the five landmarks lie in an aligned face: as ArcFace's nets expect it, or as dlib's net does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fairface.checkpoints import CheckpointFiles, is_onnx
from fairface.errors import CheckpointError, ConfigError
from fairface.faces.onnx_properties import read_properties

ARCFACE, DLIB = "arcface", "dlib"
LAYOUTS = (ARCFACE, DLIB)
PROPERTY = "fairface.layout"  # in which an ONNX file says its layout
SIZES = {ARCFACE: 112, DLIB: 150}  # of a crop in pixels, unless it is said

# ArcFace's reference points in a 112 x 112 crop (Deng et al., CVPR 2019): the points of the older 96 x 112 crop moved
# 8 pixels to the right. Left eye, right eye, nose tip, left and right mouth corner, as seen in the image.
TEMPLATE_112: NDArray[np.float32] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
TEMPLATE_112.setflags(write=False)

# Where MTCNN sees the same five points in faces that dlib has aligned by landmarks of its own, in the square from 0 to
# 1 that dlib's mean face fills (``get_face_chip_details``): medians over 1,495 photographs of LFW, none of them in its
# official pairs. dlib's mean face has its eyes 0.013 lower and the corners of its mouth 0.025 higher (docs/dlib.md).
_IN_MEAN_FACE: NDArray[np.float64] = np.array(
    [[0.2237, 0.2030], [0.7621, 0.2033], [0.4882, 0.5273], [0.2595, 0.8054], [0.7254, 0.8061]]
)
PADDING = 0.25  # of dlib's chips, on each side, in sides of that square


def template(size: int, layout: str = ARCFACE) -> NDArray[np.float64]:
    """The (5, 2) reference points in a crop of ``size`` x ``size`` pixels.

    ArcFace: multiples of 128 keep the 112 crop's face and add a margin left, right (8 pixels of 128) and below, as
    insightface does; any other size is the 112 crop scaled. dlib: its chip with padding 0.25.

    Raises:
        ConfigError: an unknown layout.
    """
    if layout == DLIB:
        return np.asarray((PADDING + _IN_MEAN_FACE) / (1 + 2 * PADDING) * size, dtype=np.float64)
    if layout != ARCFACE:
        raise ConfigError(f"layout is {layout!r}; it must be one of {', '.join(LAYOUTS)}")
    margin, whole = (8, 128) if size % 128 == 0 else (0, 112)
    points = TEMPLATE_112.astype(np.float64) + np.array([margin, 0])
    return np.asarray(points * (size / whole), dtype=np.float64)


def layout_of(files: CheckpointFiles) -> str:
    """The layout of the faces that the net of a checkpoint takes. No net is loaded.

    Raises:
        CheckpointError: an ONNX file that cannot be read, or names a layout that is not known.
    """
    if is_onnx(str(files.params)):
        return said_layout(read_properties(files.params, files.name), files.name)
    return DLIB if files.is_dlib else ARCFACE


def said_layout(properties: Mapping[str, str], name: str) -> str:
    """The layout that an ONNX file ``name`` says in its ``properties``; ArcFace's where it says nothing.

    Raises:
        CheckpointError: it says one that is not known.
    """
    said = properties.get(PROPERTY, ARCFACE)
    if said not in LAYOUTS:
        raise CheckpointError(
            f"{name}: says that it takes faces in the layout {said[:40]!r}, not one of {', '.join(LAYOUTS)}; export "
            "the model anew with this version"
        )
    return said
