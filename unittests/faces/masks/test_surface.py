"""The surface of a mask: points of a curved mask in space, turned and projected one by one, lie where it says."""

import dataclasses

import numpy as np
import pytest

from fairface.faces.masks.parameters import draw_parameters
from fairface.faces.masks.pose import DEPTH, pose_of
from fairface.faces.masks.styles import STYLES
from fairface.faces.masks.surface import depths, half_widths, outline_of, surface_of
from unittests.faces.masks.heads import turned

SIZE = 448  # four times a crop, so that a pixel is a small step


def drawn(style="surgical_blue", **changes):
    plain = {"aside": 0.0, "tilt": 0.0, "wide": 1.0}
    return dataclasses.replace(draw_parameters(np.random.default_rng(4), STYLES[style]), **(plain | changes))


@pytest.mark.parametrize("yaw", [-30, 0, 20])
def test_points_in_space_lie_where_the_surface_says(yaw):
    points = turned(yaw) * 4
    pose, mask = pose_of(points, (SIZE, SIZE)), drawn()
    surface = surface_of(pose, mask, (SIZE, SIZE))
    edges, seen = outline_of(pose, mask), 0
    for u in np.linspace(-0.95, 0.95, 15):
        for v in np.linspace(0.05, 0.95, 9):
            one = np.array([u], np.float32)
            upper, lower = float(edges.upper(one)[0]), float(edges.lower(one)[0])
            y = upper + v * (lower - upper)
            at = np.array([y], np.float32)
            t, turn = u * mask.angle, np.radians(yaw)
            a, b = float(half_widths(pose, mask, at)[0]), float(depths(mask, at)[0])
            x, z = a * np.sin(t), b * np.cos(t)
            if a * np.cos(t) * np.cos(turn) - b * np.sin(t) * np.sin(turn) < 0.4:
                continue  # out of sight, or so near to the silhouette that a pixel is a large step of u
            across = x * np.cos(turn) + z * np.sin(turn) - DEPTH * np.sin(turn)
            column, row = np.array([55.9, 51.6]) * 4 + 4 * 40.6 * np.array([across, y])
            i, j = round(row) - surface.top, round(column) - surface.left
            if 0 <= i < surface.u.shape[0] and 0 <= j < surface.u.shape[1]:
                seen += 1
                assert surface.u[i, j] == pytest.approx(u, abs=0.03)
                assert surface.v[i, j] == pytest.approx(v, abs=0.02)
                assert surface.coverage[i, j] > 0.5
    assert seen > 50


def widths(yaw):
    """Pixels of the mask left and right of its middle, at the height of the mouth."""
    pose = pose_of(turned(yaw), (112, 112))
    surface = surface_of(pose, drawn(), (112, 112))
    row = round(51.6 + 40.6) - surface.top
    inside = (surface.coverage[row] > 0.5) & (np.abs(surface.u[row]) < 1)
    return (inside & (surface.u[row] < 0)).sum(), (inside & (surface.u[row] > 0)).sum()


def test_the_far_side_is_foreshortened():
    shares = [right / (left + right) for left, right in map(widths, (-40, -20, 0, 20, 40))]
    assert shares == sorted(shares, reverse=True)
    assert shares[2] == pytest.approx(0.5, abs=0.03)
    assert shares[4] < 0.3  # a head turned to the right shows little of its right side
    assert shares[0] > 0.7


def test_the_mask_narrows_towards_the_chin_as_a_jaw_does():
    surface = surface_of(pose_of(turned(), (160, 160)), drawn(), (160, 160))
    rows = [round(51.6 + 40.6 * y) - surface.top for y in (0.5, 1.0, 1.3, 1.45)]
    wide = [(surface.coverage[row] > 0.5).sum() for row in rows]
    assert wide == sorted(wide, reverse=True)
    assert wide[0] > 1.5 * wide[-1]


def test_nothing_of_it_in_the_image_is_none():
    pose = pose_of(turned(), (112, 112))
    assert surface_of(dataclasses.replace(pose, origin=np.array([500.0, 51])), drawn(), (112, 112)) is None
