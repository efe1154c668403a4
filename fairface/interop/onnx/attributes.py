"""Attributes of MXNet's operators, which are text: numbers, tuples that may hold None, and what ONNX cannot say."""

from __future__ import annotations

from fairface.errors import CheckpointError
from fairface.graph.editable import Op


def entries(op: Op, name: str) -> list[int | None]:
    """An attribute such as ``(0, None)``; empty where it is not set."""
    text = op.attributes.get(name, "").strip("()[] ")
    return [None if part.strip() == "None" else int(part) for part in text.split(",") if part.strip()]


def integer(op: Op, name: str, default: int) -> int:
    """A whole number."""
    return int(op.attributes.get(name, default))


def number(op: Op, name: str, default: float) -> float:
    """A number."""
    return float(op.attributes.get(name, default))


def axis_of(op: Op, rank: int, default: int) -> int:
    """The attribute ``axis``, counted from the front."""
    axis = integer(op, "axis", default)
    return axis + rank if axis < 0 else axis


def pairs(op: Op, name: str, default: int) -> list[int]:
    """An attribute with a number for height and one for width."""
    return op.numbers(name) or [default, default]


def refuse(op: Op, what: str) -> CheckpointError:
    """The error for an operator that is not written; the caller raises it."""
    return CheckpointError(f"{op.name}: {op.kind} {what} is not written to ONNX; score the MXNet model instead")
