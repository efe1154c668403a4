"""Drawn faces in which MTCNN finds eyes, nose and mouth: photographs for recipes, without a photograph of anybody."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

SIDE = 240


class Pencil:
    """Draws ellipses in the coordinates of a face: (0, 0) is its centre, it is about 100 wide and 140 high."""

    def __init__(self, image: NDArray[np.float64], centre: ArrayLike, scale: float, tilt: float) -> None:
        self.image, self.centre, self.scale, self.tilt = image, np.asarray(centre), scale, tilt

    def ellipse(self, x: float, y: float, width: float, height: float, colour: ArrayLike) -> None:
        turn = np.array([[np.cos(self.tilt), -np.sin(self.tilt)], [np.sin(self.tilt), np.cos(self.tilt)]])
        u, v = self.centre + self.scale * turn @ (x, y)
        axes = (round(width * self.scale * 16), round(height * self.scale * 16))  # in sixteenths of a pixel
        tone = tuple(float(part) for part in np.broadcast_to(colour, 3))
        cv2.ellipse(self.image, (round(u * 16), round(v * 16)), axes, np.degrees(self.tilt), 0, 360, tone, -1,
                    cv2.LINE_AA, 4)  # fmt: skip


def draw_face(person: int, image: int) -> NDArray[np.uint8]:
    """RGB, (240, 240, 3): ``person`` decides on shape and colours, ``image`` on place, light, ground and noise."""
    who, how = np.random.default_rng(person), np.random.default_rng([person, image])
    skin, hair = who.uniform((120, 90, 70), (235, 195, 170)), who.uniform(20, 110, 3)
    brow, width, height, mouth = who.uniform((24, 48, 66, 16), (28, 58, 76, 24))
    canvas = np.full((SIDE, SIDE, 3), how.uniform(60, 200, 3))
    pencil = Pencil(canvas, SIDE / 2 + how.normal(0, 6, 2), how.uniform(0.9, 1.1), np.radians(how.normal(0, 4)))
    pencil.ellipse(0, -14, width + 10, height + 8, hair)
    pencil.ellipse(0, height + 40, 80, 50, hair * 0.8)  # shoulders
    pencil.ellipse(0, height - 5, 22, 30, skin * 0.8)  # neck
    pencil.ellipse(0, 0, width, height, skin)
    for side in (-1, 1):
        pencil.ellipse(side * 22, -14, 13, 8, skin * 0.72)
        pencil.ellipse(side * 22, -12, 9, 4.5, 235)
        pencil.ellipse(side * 22, -12, 4.2, 4.2, (40, 30, 25))
        pencil.ellipse(side * 22, -brow, 13, 3, hair * 0.7)
        pencil.ellipse(side * 6, 18, 4, 2.5, skin * 0.5)  # nostril
        pencil.ellipse(side * 30, 18, 12, 9, skin * 0.95)
    pencil.ellipse(4, 4, 4, 18, skin * 0.85)
    pencil.ellipse(0, 14, 9, 6, skin * 0.9)
    pencil.ellipse(0, 38, mouth, 5, (150, 60, 60))
    pencil.ellipse(0, 37, mouth, 1.2, (80, 20, 20))
    pencil.ellipse(0, 48, 12, 3, skin * 0.8)
    light = 1 - 0.15 * how.uniform(-1, 1) * np.linspace(-1, 1, SIDE)[None, :, None]
    soft = cv2.GaussianBlur(canvas, (0, 0), 1.6) + how.normal(0, 3, canvas.shape)
    return np.asarray(np.clip(soft * light, 0, 255), np.uint8)


def draw_people(folder: Path, names: Iterable[str], images: int, first: int = 0) -> None:
    """``folder/<name>/<n>.jpg``, n from 1; the first name shows person ``first``, the next the one after."""
    for person, name in enumerate(names, first):
        (folder / name).mkdir(parents=True)
        for image in range(images):
            cv2.imwrite(str(folder / name / f"{image + 1}.jpg"), draw_face(person, image)[:, :, ::-1])
