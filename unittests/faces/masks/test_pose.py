"""How a head stands in an image: recovered from heads that were turned in space, refused where there is none."""

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.faces.align import template
from fairface.faces.masks.pose import CHIN, MaskRefusedError, Reason, five_of, pose_of
from unittests.faces.masks.heads import turned

SIZE = (112, 112)


@pytest.mark.parametrize("yaw", [-45, -20, 0, 5, 33])
@pytest.mark.parametrize("roll", [-30, 0, 12])
def test_a_turned_head_is_found(yaw, roll):
    pose = pose_of(turned(yaw, roll), SIZE)
    assert np.degrees(pose.yaw) == pytest.approx(yaw, abs=1e-6)
    assert np.degrees(np.arctan2(*pose.right[::-1])) == pytest.approx(roll, abs=1e-6)
    assert (pose.height, pose.pitch, pose.chin) == (pytest.approx(40.6), pytest.approx(0), CHIN)
    assert pose.origin == pytest.approx([55.9, 51.6])


def test_a_head_that_looks_down_has_its_nose_further_down():
    down, up = turned(), turned()
    down[2, 1] += 4
    up[2, 1] -= 4
    assert pose_of(down, SIZE).pitch > 0.1
    assert pose_of(up, SIZE).pitch < -0.1


def test_frame_and_pixels_are_each_others_inverse():
    points = turned(20, 15)
    points[3:] += (3, 1)  # a mouth that is not straight below the eyes
    pose = pose_of(points, SIZE)
    assert pose.shear > 0.05
    places = np.random.default_rng(0).uniform(-2, 2, (7, 3, 2))
    assert pose.to_frame(pose.to_image(places)) == pytest.approx(places)
    assert pose.to_image([0, 1]) == pytest.approx(points[3:].mean(axis=0))


def moved(index, by):
    points = turned()
    points[index] += by
    return points


@pytest.mark.parametrize(
    ("points", "reason", "said"),
    [
        (turned(60), Reason.PROFILE, "turned by more than 50 degrees"),
        (turned(-70), Reason.PROFILE, "a profile"),
        (turned() * (0.35, 1) + (36, 0), Reason.PROFILE, "eyes are close"),
        (turned()[[1, 0, 2, 4, 3]], Reason.POINTS, "left and right are exchanged"),
        (turned()[[3, 4, 2, 0, 1]], Reason.POINTS, "mouth is above"),
        (moved(2, (0, 40)), Reason.POINTS, "nose is not between"),
        (moved([3, 4], (30, 0)), Reason.POINTS, "mouth is not below"),
        (turned() * (2.5, 1) - (80, 0), Reason.POINTS, "too far apart"),
        (np.full((5, 2), 50.0), Reason.POINTS, "no direction"),
        (turned()[:4], Reason.POINTS, "needs 5 or 68"),
        (moved(0, np.nan), Reason.POINTS, "finite"),
        (turned(height=7), Reason.SMALL, "7.0 pixels from eyes to mouth"),
        (turned(eyes=(56, 90)), Reason.OUTSIDE, "outside the image"),
        (turned(eyes=(5, 50)), Reason.OUTSIDE, "outside the image"),
    ],
)
def test_what_carries_no_mask_is_refused_with_its_reason(points, reason, said):
    with pytest.raises(MaskRefusedError, match=said) as caught:
        pose_of(points, SIZE)
    assert caught.value.reason is reason
    assert isinstance(caught.value, DataError)
    assert "\n" not in str(caught.value)


def test_every_size_of_template_carries_a_mask():
    for size in (64, 96, 112, 128, 224, 256):
        pose = pose_of(template(size), (size, size))
        assert abs(np.degrees(pose.yaw)) < 3
        assert abs(np.degrees(pose.pitch)) < 1


def all_68(chin=1.47, wide=1.0):
    """The points of a straight head that are looked at, in face heights; the others lie anywhere."""
    points = np.random.default_rng(0).uniform(-1, 1, (68, 2))
    lids = np.array([(-0.1, 0), (0, -0.05), (0.05, -0.05), (0.1, 0), (0, 0.05), (-0.05, 0.05)])
    points[36:42] = lids + np.array([-0.43, 0])
    points[42:48] = points[36:42] + np.array([0.86, 0])
    points[30], points[48], points[54] = (0, 0.494), (-0.36, 1), (0.36, 1)
    points[2], points[14], points[4], points[12] = (-0.92 * wide, 0.5), (0.92 * wide, 0.5), (-0.86, 1), (0.86, 1)
    points[8] = (0, chin)
    return np.array([55.9, 51.6]) + 40.6 * points


def test_68_points_give_the_same_pose_with_chin_and_width():
    points = all_68(chin=1.6, wide=1.1)
    five = five_of(points)
    for mean, part in ((five[0], points[36:42]), (five[1], points[42:48])):
        assert mean == pytest.approx([sum(part[:, 0]) / 6, sum(part[:, 1]) / 6])
    pose, plain = pose_of(points, SIZE), pose_of(five, SIZE)
    assert (pose.yaw, pose.height) == (plain.yaw, plain.height)
    assert (pose.chin, plain.chin) == (pytest.approx(1.6), CHIN)
    assert pose.widths == (pytest.approx(1.1), pytest.approx(1.0))
    assert pose_of(all_68(chin=3), SIZE).chin == pytest.approx(CHIN + 0.3)  # no jaw reaches so far
