"""How a head stands in an image, from its landmarks: a frame to place a mask in, turned with the head.

Lengths are in face heights: the distance from the middle of the eyes to the middle of the mouth, 40.6 pixels in an
aligned crop of 112. The frame's origin is the middle of the eyes; x points to the right of the image along the eyes,
y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.errors import DataError

Floats = NDArray[np.float64]
FIVE, SIXTY_EIGHT = 5, 68
SMALLEST = 8.0  # pixels from eyes to mouth; below that nothing of a mask can be seen
WIDEST_TURN = math.radians(50)  # beyond that one half of a mask is out of sight, and five points say little
NOSE_LENGTH = 0.6  # how far a nose's tip stands out from the plane of eyes and mouth
LEVEL_NOSE = 0.494  # how far down the nose's tip is where a head is level: the template's
DEPTH = 0.9  # of the plane of eyes and mouth before the axis that runs from ear to ear
CHIN = 1.47
_NARROWEST, _WIDEST = 0.45, 1.7  # eye distance; 0.87 in the template


class Reason(str, Enum):
    """Why no mask can be put on a face."""

    POINTS = "points"
    PROFILE = "profile"
    SMALL = "small"
    OUTSIDE = "outside"


class MaskRefusedError(DataError):
    """A face on which no mask can be placed; ``reason`` says why."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Pose:
    """Where a head is, and how it is turned.

    Attributes:
        origin: (2,) the middle of the eyes, pixels.
        right: (2,) unit vector along the eyes; down is a quarter turn from it.
        height: the face height in pixels.
        shear: how far the midline runs to the right on its way down by one face height.
        yaw: radians; positive where the head is turned to the right of the image.
        pitch: radians; positive where it looks down.
        chin: y of the chin.
        widths: widths of the face at the nose and at the mouth, as a share of an average face's.
    """

    origin: Floats
    right: Floats
    height: float
    shear: float
    yaw: float
    pitch: float
    chin: float = CHIN
    widths: tuple[float, float] = (1.0, 1.0)

    @property
    def down(self) -> Floats:
        """(2,) unit vector from the forehead to the chin."""
        return np.array([-self.right[1], self.right[0]])

    def to_image(self, points: ArrayLike) -> Floats:
        """Pixels of points ``(..., 2)`` of the frame."""
        x, y = np.moveaxis(np.asarray(points, np.float64), -1, 0)
        sideways = (x + self.shear * y)[..., None] * self.right
        return np.asarray(self.origin + self.height * (sideways + y[..., None] * self.down))

    def to_frame(self, pixels: ArrayLike) -> Floats:
        """Points of the frame at ``pixels (..., 2)``."""
        away = (np.asarray(pixels, np.float64) - self.origin) / self.height
        y = away @ self.down
        return np.stack([away @ self.right - self.shear * y, y], axis=-1)


def five_of(points: ArrayLike) -> Floats:
    """Five landmarks ``(5, 2)`` of five, or of the 68 of iBUG's scheme (Sagonas et al., ICCVW 2013).

    Raises:
        MaskRefusedError: neither five nor 68 finite pairs.
    """
    given = np.asarray(points, np.float64)
    if given.shape not in ((FIVE, 2), (SIXTY_EIGHT, 2)) or not np.isfinite(given).all():
        raise MaskRefusedError("a mask needs 5 or 68 landmarks, each with a finite x and y", Reason.POINTS)
    if len(given) == FIVE:
        return given
    return np.stack([given[36:42].mean(axis=0), given[42:48].mean(axis=0), given[30], given[48], given[54]])


def pose_of(points: ArrayLike, size: tuple[int, int]) -> Pose:
    """The pose of a head with landmarks ``points``, ``(5, 2)`` or ``(68, 2)`` pixels, in an image of ``size`` (H, W).

    The yaw follows from how far the nose's tip is off the midline, the pitch from how far down it is; of 68 points the
    jaw also gives chin and width.

    Raises:
        MaskRefusedError: landmarks that are missing or make no face, a profile, a face that is too small or whose nose
            or mouth lies outside the image.
    """
    five = five_of(points)
    left_eye, right_eye, nose, mouth_left, mouth_right = five
    eyes, mouth = (left_eye + right_eye) / 2, (mouth_left + mouth_right) / 2
    along = right_eye - left_eye + mouth_right - mouth_left
    length = float(np.hypot(*along))
    if length == 0:
        raise _no_face("eyes and mouth have no direction")
    right = along / length
    pose = Pose(eyes, right, float((mouth - eyes) @ (-right[1], right[0])), 0.0, 0.0, 0.0)
    _check_frame(pose, five)
    shear = float((mouth - eyes) @ right) / pose.height
    pose = Pose(eyes, right, pose.height, shear, 0.0, 0.0)
    off, down = pose.to_frame(nose)
    _check_nose(pose, five, float(off), float(down))
    _check_inside(five, size)
    pitch = float(np.clip(down - LEVEL_NOSE, -0.25, 0.25)) * 1.6
    turned = Pose(eyes, right, pose.height, shear, math.asin(off / NOSE_LENGTH), pitch)
    return _with_jaw(turned, np.asarray(points, np.float64)) if len(np.asarray(points)) == SIXTY_EIGHT else turned


def _no_face(what: str) -> MaskRefusedError:
    return MaskRefusedError(f"the landmarks make no face ({what}); correct or find them anew", Reason.POINTS)


def _profile(what: str) -> MaskRefusedError:
    return MaskRefusedError(f"a profile ({what}): a mask cannot be placed; leave this photograph out", Reason.PROFILE)


def _check_frame(pose: Pose, five: Floats) -> None:
    if pose.height <= 0:
        raise _no_face("the mouth is above the eyes, or left and right are exchanged")
    if pose.height < SMALLEST:
        raise MaskRefusedError(
            f"the face is too small for a mask ({pose.height:.1f} pixels from eyes to mouth, {SMALLEST:g} are needed); "
            "use a larger photograph", Reason.SMALL,
        )  # fmt: skip
    if abs(float((five[3] + five[4] - five[0] - five[1]) @ pose.right)) / 2 > 0.6 * pose.height:
        raise _no_face("the mouth is not below the eyes")


def _check_nose(pose: Pose, five: Floats, off: float, down: float) -> None:
    eyes = float((five[1] - five[0]) @ pose.right) / pose.height
    mouth = float((five[4] - five[3]) @ pose.right) / pose.height
    if not 0.05 < down < 0.95:
        raise _no_face("the nose is not between eyes and mouth")
    if eyes > _WIDEST or min(eyes, mouth) <= 0:
        raise _no_face("the eyes are too far apart" if eyes > _WIDEST else "left and right are exchanged")
    if abs(off) > NOSE_LENGTH * math.sin(WIDEST_TURN):
        raise _profile(f"turned by more than {math.degrees(WIDEST_TURN):.0f} degrees")
    if eyes < _NARROWEST:
        raise _profile("the eyes are close to each other")


def _check_inside(five: Floats, size: tuple[int, int]) -> None:
    low, high = five[2:].min(axis=0), five[2:].max(axis=0)
    if (low < -0.5).any() or high[0] > size[1] - 0.5 or high[1] > size[0] - 0.5:
        raise MaskRefusedError("nose or mouth lies outside the image; use an image of the whole face", Reason.OUTSIDE)


def _with_jaw(pose: Pose, points: Floats) -> Pose:
    """The pose with chin and width of the face as its jaw, points 0 to 16 of 68, shows them."""
    jaw = pose.to_frame(points[:17])
    average = (0.92, 0.86)  # half widths at nose and mouth, of a head that looks straight ahead
    depths = (1.2, 1.25)
    widths = []
    for (left, right), half, depth in zip(((2, 14), (4, 12)), average, depths, strict=True):
        seen = float(jaw[right, 0] - jaw[left, 0]) / 2
        expected = math.hypot(half * math.cos(pose.yaw), depth * math.sin(pose.yaw))
        widths.append(float(np.clip(seen / expected, 0.8, 1.25)))
    chin = float(np.clip(jaw[8, 1], CHIN - 0.3, CHIN + 0.3))
    return Pose(pose.origin, pose.right, pose.height, pose.shear, pose.yaw, pose.pitch, chin, (widths[0], widths[1]))
