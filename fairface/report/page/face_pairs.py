"""The worst false matches and false non-matches as pairs of faces. Personal data: only where asked for."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.data.images import encode_jpeg
from fairface.report.fairness_numbers import number_text
from fairface.report.page.markup import Markup, element, void
from fairface.report.page.panel import Panel, Table

_QUALITY = 85


@dataclass(frozen=True)
class FacePair:
    """A comparison that went wrong.

    Attributes:
        names: of both images.
        score: of the comparison.
        images: both, uint8 (H, W, 3) RGB; ``None`` where an image was not found.
    """

    names: tuple[str, str]
    score: float
    images: tuple[NDArray[np.uint8] | None, NDArray[np.uint8] | None]


def face_panels(false_matches: Sequence[FacePair], false_non_matches: Sequence[FacePair]) -> tuple[Panel, ...]:
    """Both kinds of errors at the evaluated threshold, the worst first."""
    kinds = (
        ("false-matches", "Worst false matches", "two people whose comparison scores highest", false_matches),
        ("false-non-matches", "Worst false non-matches", "one person whose comparison scores lowest",
         false_non_matches),
    )  # fmt: skip
    return tuple(_panel(key, title, told, pairs) for key, title, told, pairs in kinds)


def _panel(key: str, title: str, told: str, pairs: Sequence[FacePair]) -> Panel:
    if not pairs:
        return Panel(key, title, ("There is none at the evaluated threshold.",))
    rows = tuple((str(place), *pair.names, number_text(pair.score)) for place, pair in enumerate(pairs, 1))
    lines = (f"Pairs of images of {told}. This page shows faces: handle it as personal data.",)
    figures = [
        element("figure", *(_face(image, name) for image, name in zip(pair.images, pair.names, strict=True)),
                element("figcaption", f"{place}. {pair.names[0]} and {pair.names[1]}: {number_text(pair.score)}"))
        for place, pair in enumerate(pairs, 1)
    ]  # fmt: skip
    table = Table(title, ("place", "image", "other image", "score"), rows)
    return Panel(key, title, lines, tables=(table,), live=element("div", *figures, class_="pairs"))


def _face(image: NDArray[np.uint8] | None, name: str) -> Markup:
    if image is None:
        return element("p", f"{name}: image not found")
    data = base64.b64encode(encode_jpeg(image, _QUALITY)).decode()
    return void("img", src=f"data:image/jpeg;base64,{data}", alt=f"face in {name}")
