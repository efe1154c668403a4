"""Options of the final evaluation that are worked out rather than written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairface.embedding.final_demo import BORDER, ENLARGE, HARD, LEGITIMATE, PROTECTED, THREE_STEP, DemoFiles
from fairface.errors import ConfigError


def demo_settings(demo: DemoFiles) -> dict[str, Any]:
    """What the program's options are on the embedded data; whatever the user writes goes before them."""
    kind = "aligned" if demo.aligned else "photos"
    return {
        kind: str(demo.test),
        f"calibration_{kind}": str(demo.calibration),
        "template": str(demo.template),
        "attributes": str(demo.attributes),
        "image_column": "image",
        "subjects_from": "person",
        "protected": list(PROTECTED),
        "legitimate": list(LEGITIMATE),
        "model": THREE_STEP,
        "hard_model": HARD,
        "enlarge": ENLARGE,
        "border": BORDER,
    }


def values_of_attributes(texts: Sequence[str]) -> dict[str, list[str]]:
    """``NAME=A,B`` as the values that NAME may have.

    Raises:
        ConfigError: a text of another form.
    """
    allowed = {}
    for text in texts:
        name, sign, values = text.partition("=")
        if not sign or not values:
            raise ConfigError(f"--values {text!r}: write NAME=A,B")
        allowed[name.strip()] = [value.strip() for value in values.split(",")]
    return allowed
