"""insightface's parameter names and ours: two spellings of the same structure.

insightface writes ``stage1_unit2_bn1_moving_mean``, we write ``stages.0.1.bn1.running_mean``; stem and output layers
have the same names in both. Formats: MXNet's ``prefix-symbol.json``, ``prefix-NNNN.params`` with ``arg:`` and ``aux:``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from fairface.mx import NDArray

_UNIT = re.compile(r"^stages\.(\d+)\.(\d+)\.")


def insightface_name(structural: str) -> str:
    """``stages.0.1.bn1.running_mean`` to ``stage1_unit2_bn1_moving_mean``."""
    name = _UNIT.sub(lambda match: f"stage{int(match[1]) + 1}_unit{int(match[2]) + 1}_", structural)
    return name.removeprefix("output.").replace("running_", "moving_").replace(".", "_")


def from_insightface(arrays: Mapping[str, NDArray], structural: Iterable[str]) -> dict[str, NDArray]:
    """Arrays by insightface's names (without ``arg:`` and ``aux:``) as arrays by structural names.

    The classifier of a training checkpoint (``fc7_*``) is left out. What has no counterpart keeps its own name, so that
    whoever takes the result can say what is left over.
    """
    ours = {insightface_name(key): key for key in structural}
    return {ours.get(key, key): value for key, value in arrays.items() if not key.startswith("fc7_")}
