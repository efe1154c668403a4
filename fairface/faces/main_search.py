"""The main face without the others: MTCNN's cascade from large faces to small ones, stopped where no smaller can win.

The main face has the greatest value, its area minus twice the squared distance to the image's centre. A cell of the
first net's map, ``c`` pixels wide, can become a face of at most ``(GROWTH * c)^2`` square pixels when the nets have
moved its edges. So once a face is worth more than that for the next smaller cells, none of them can win, nor do they
overlap the winner enough to be taken in its place, and the search ends with the face that the full one gives. Before
that, what the first net proposes is left out where it could not grow to the best face so far, either.

Nothing bounds what a net gives, so the two bounds are measured: of 11,843 candidates that the three nets let pass on
1,018 photographs of LFW none had a side (the root of its area) of more than 2.87 cells, or 2.11 boxes of the first net;
in one of all 13,233 photographs a face of 2.3 boxes decided. With the bounds as they are all have the same main face.

The full search differs where a small face that it finds inside the large one's box has the higher score: it takes that
one for the same face and lets the large one go.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.faces.boxes import CELL, suppress
from fairface.faces.cascade import Candidates, Cascade, finish
from fairface.faces.choose import face_values
from fairface.faces.detect import Faces

GROWTH = 3.0  # from a cell to the side of a face
SQUARE_GROWTH = 2.7  # from the side of a box that the first net proposes to the side of a face
# Cells of neighbouring scales whose sizes differ by less overlap so far that the first net's step compares them.
CLOSEST = 0.7**0.5
_EARLY = 0.9  # of the area that ends the search: a face is hardly ever larger than the box that the second net gives


class MainSearch:
    """A search in one image; ``run`` it once."""

    def __init__(self, cascade: Cascade, rgb: NDArray[np.uint8]) -> None:
        self._cascade = cascade
        self._rgb = rgb
        self._sifted: list[Candidates] = []  # one for each scale so far, the smallest cells first
        self._seen: dict[bytes, Candidates] = {}  # what the third net says of a box, by the box

    def run(self, scales: Sequence[float]) -> Faces:
        """The main face or none; ``scales`` from the largest cells to the smallest, neighbours at most ``CLOSEST``."""
        largest, value = 0.0, -np.inf
        for index, scale in enumerate(scales):
            largest = max(largest, self._add(scale, value))
            smaller = (GROWTH * CELL / scales[index + 1]) ** 2 if index + 1 < len(scales) else -np.inf
            if largest > _EARLY * smaller:
                main, value = self._main()
                if value > smaller:
                    return main
        return self._main()[0]

    def _add(self, scale: float, value: float) -> float:
        """Take one more scale in; the area of the largest box that the second net lets pass at it.

        Squares that cannot become a face worth ``value`` are not shown to the second net.
        """
        boxes = self._cascade.propose(self._rgb, scale).refined()
        sides = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, initial=0)
        boxes = boxes[(SQUARE_GROWTH * sides) ** 2 > value]
        if not len(boxes):
            return 0.0
        sifted = self._cascade.sift(self._rgb, boxes)
        self._sifted.insert(0, sifted)
        sizes = sifted.refined()[:, 2:] - sifted.refined()[:, :2]
        return float((sizes[:, 0] * sizes[:, 1]).max(initial=0))

    def _main(self) -> tuple[Faces, float]:
        """The main face of the scales so far, and its value."""
        sifted = Candidates.join(self._sifted)
        if not len(sifted):
            return Faces.none(), -np.inf
        boxes = sifted.take(suppress(sifted.boxes, sifted.scores, 0.7)).refined()
        faces = finish(self._looked_at(boxes))
        if not len(faces):
            return faces, -np.inf
        values = face_values(faces, width=self._rgb.shape[1], height=self._rgb.shape[0])
        best = int(np.argmax(values))
        return faces.take(best), float(values[best])

    def _looked_at(self, boxes: NDArray[np.float32]) -> Candidates:
        """What the third net lets pass of ``boxes (n, 4)``; it sees each box once in a search."""
        keys = [box.tobytes() for box in boxes]
        new = [index for index, key in enumerate(keys) if key not in self._seen]
        if new:
            for index, seen in zip(new, self._cascade.look_one_by_one(self._rgb, boxes[new]), strict=True):
                self._seen[keys[index]] = seen
        return Candidates.join([self._seen[key] for key in keys])
