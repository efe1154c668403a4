"""Landmarks of a head in space, turned and projected, and drawn faces: made without the code that is tested."""

import cv2
import numpy as np

# x to the right, y down, z towards the camera, in face heights; eyes and mouth lie in the plane z = 0.
HEAD = np.array([[-0.43, 0, 0], [0.43, 0, 0], [0, 0.494, 0.6], [-0.36, 1, 0], [0.36, 1, 0]])
SIZE = 112


def turned(yaw=0.0, roll=0.0, height=40.6, eyes=(55.9, 51.6), head=HEAD):
    """(N, 2) pixels of a head that is turned to the right by ``yaw`` and tilted clockwise by ``roll`` degrees."""
    points = []
    for x, y, z in head:
        a, r = np.radians(yaw), np.radians(roll)
        across = x * np.cos(a) + z * np.sin(a)
        points.append((across * np.cos(r) - y * np.sin(r), across * np.sin(r) + y * np.cos(r)))
    return np.asarray(eyes) + height * np.array(points)


def face(size=SIZE, points=None, level=150, tint=(1.2, 0.95, 0.8), light=0.0, seed=0):
    """A face of uniform skin on noise, RGB; ``light`` from -1 to 1 brightens its right side."""
    points = turned() * size / SIZE if points is None else points
    rng = np.random.default_rng(seed)
    image = np.clip(level * 0.6 + rng.normal(0, 12, (size, size, 3)), 0, 255).astype(np.uint8)
    middle = points[[0, 1, 3, 4]].mean(axis=0)
    height = np.hypot(*(points[3:].mean(axis=0) - points[:2].mean(axis=0)))
    skin = tuple(float(min(level * part, 255)) for part in tint)
    cv2.ellipse(image, tuple(int(v) for v in middle), (int(0.95 * height), int(1.3 * height)), 0, 0, 360, skin, -1)
    for eye in points[:2]:
        cv2.circle(image, tuple(int(v) for v in eye), max(1, int(0.1 * height)), (30, 25, 20), -1)
    across = 1 + 0.5 * light * np.linspace(-1, 1, size)[None, :, None]
    return np.clip(image * across, 0, 255).astype(np.uint8)
