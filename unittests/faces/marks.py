"""Detectors for tests: one computes five landmarks from three coloured marks, one is told what it sees."""

import numpy as np

from fairface.faces.detect import Faces

# Mark j is all there is in channel j. Landmarks are sums of marks with weights that add up to one, so resizing and
# turning a photograph moves them as it moves the marks.
WEIGHTS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, -0.5, 1], [-0.5, 0.5, 1]])


def marked(height, width, marks, sigma=4.0):
    """A photograph with a soft spot around each of three (x, y)."""
    y, x = np.mgrid[:height, :width]
    spots = [255 * np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * sigma**2)) for u, v in marks]
    return np.stack(spots, axis=2).round().astype(np.uint8)


class MarkDetector:
    """Finds the marks where ``sees(width, height, tilt)``; tilt in degrees of the line from mark 0 to mark 1."""

    def __init__(self, sees):
        self.sees = sees
        self.looked = []

    def detect(self, rgb):
        height, width = rgb.shape[:2]
        self.looked.append((width, height))
        weights = rgb.reshape(-1, 3).astype(float)
        if (weights.sum(axis=0) == 0).any():
            return Faces.none()
        y, x = np.mgrid[:height, :width]
        places = np.stack([x.ravel(), y.ravel()], axis=1)
        marks = weights.T @ places / weights.sum(axis=0)[:, None]
        across = marks[1] - marks[0]
        if not self.sees(width, height, np.degrees(np.arctan2(across[1], across[0]))):
            return Faces.none()
        box = np.concatenate([marks.min(axis=0), marks.max(axis=0)])[None]
        points = (WEIGHTS @ marks)[None]
        return Faces(box.astype(np.float32), np.array([0.75], np.float32), points.astype(np.float32))


class Fixed:
    """Sees the faces that it is given, wherever it looks."""

    def __init__(self, faces):
        self.faces, self.looked = faces, []

    def detect(self, rgb):
        self.looked.append(rgb.shape[:2])
        return self.faces
