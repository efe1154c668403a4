"""What an export says of the faces that it takes, to people who run it in other programs."""

from __future__ import annotations

from fairface.faces.layouts import DLIB, PADDING
from fairface.interop.onnx.metadata import Metadata


def alignment(metadata: Metadata) -> str:
    """How faces are aligned for the network, in words."""
    if metadata.layout == DLIB:
        return (
            f"aligned as dlib aligns (chip of {metadata.image_size} pixels, padding {PADDING:g}), not to ArcFace's "
            "five points"
        )
    return "aligned to ArcFace's five points"


def caution(metadata: Metadata) -> str:
    """A line for whoever would give the network to a program that aligns as ArcFace does; empty where that is right."""
    if metadata.layout != DLIB:
        return ""
    return (
        f"caution: it takes faces {alignment(metadata)}: other programs for ONNX files align otherwise and would get "
        "wrong scores, so no manifest for insightface goes with it"
    )
