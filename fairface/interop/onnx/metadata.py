"""What an exported ONNX file says of itself: text under names that begin with ``fairface.``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from fairface.faces.layouts import ARCFACE

_PREFIX = "fairface."
RAW, RGB = "raw", "rgb"
INPUT, OUTPUT = "data", "embedding"  # names in an export
_LATER = {"layout": ARCFACE}  # what older files do not say, and mean


@dataclass(frozen=True)
class Metadata:
    """An export's own words.

    Attributes:
        model: what the exported checkpoint was called, without its folders.
        step: its training step or epoch.
        colour: order of the channels that it takes.
        pixels: ``raw``: values from 0 to 255.
        image_size: height and width in pixels.
        dimensions: length of an embedding.
        precision: fp32 or int8.
        thresholds: JSON, a list of operating points as in ``thresholds.json``; "[]" where none were saved.
        version: of this library.
        layout: of the faces that it takes (:mod:`fairface.faces.layouts`); files from before it was written take
            ArcFace's.
    """

    model: str
    step: int
    image_size: int
    dimensions: int
    version: str
    precision: str = "fp32"
    thresholds: str = "[]"
    colour: str = RGB
    pixels: str = RAW
    layout: str = ARCFACE

    def properties(self) -> dict[str, str]:
        """Name and text of each, as ONNX stores them."""
        return {_PREFIX + field.name: str(getattr(self, field.name)) for field in fields(self)}


def read_metadata(properties: Mapping[str, str]) -> Metadata | None:
    """The metadata among a file's ``properties``; None where this library did not write it, or not all of it."""
    found: dict[str, Any] = {}
    for field in fields(Metadata):
        text = properties.get(_PREFIX + field.name, _LATER.get(field.name))
        if text is None:
            return None
        found[field.name] = text
    try:
        numbers = {name: int(found[name]) for name in ("step", "image_size", "dimensions")}
    except ValueError:
        return None
    return Metadata(**{**found, **numbers})
