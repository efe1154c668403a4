"""A normaliser as plain values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fairface.errors import DataError
from fairface.quantity import quantity
from fairface.scoring.normalisation.calibration import CURVES, Curve, GroupCalibration
from fairface.scoring.normalisation.cohort import SIDES, CohortNorm
from fairface.scoring.normalisation.isotonic import Isotonic
from fairface.scoring.normalisation.normaliser import METHODS, Normaliser
from fairface.scoring.normalisation.platt import Platt

FORMAT = "fairface normalisation 1"  # the first value of a saved file


def as_plain(found: Normaliser) -> dict[str, Any]:
    """Plain values for JSON; :func:`from_plain` gives the same normaliser back."""
    centres = None if found.centres is None else found.centres.tolist()
    return {"method": found.method, "labels": list(found.labels), "centres": centres, **found.fitted.to_dict()}


def from_plain(stored: Mapping[str, Any]) -> Normaliser:
    """The normaliser that :func:`as_plain` told.

    Raises:
        DataError: something is missing or does not fit together.
    """
    try:
        method, labels = stored["method"], tuple(str(label) for label in stored["labels"])
        if method not in METHODS:
            raise ValueError(f"method {method!r}")
        centres = None if stored["centres"] is None else np.array(stored["centres"], np.float64)
        if centres is not None and centres.shape != (len(labels), centres.shape[-1]):
            raise ValueError(f"centres of shape {centres.shape} for {quantity(len(labels), 'cluster')}")
        if centres is not None and not np.isfinite(centres).all():
            raise ValueError("centres that are not finite")
        if len(set(labels)) < len(labels):
            raise ValueError("a group that is there twice")
        fitted = _cohort(stored, len(labels)) if method in SIDES else _curves(stored, method, len(labels))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"is no stored normalisation ({error!r}); save it again with --save") from error
    return Normaliser(method, labels, fitted, centres)


def _cohort(stored: Mapping[str, Any], groups: int) -> CohortNorm:
    rows, group = np.array(stored["embeddings"], np.float64), np.array(stored["group"], np.int64)
    if rows.ndim != 2 or group.shape != (len(rows),) or set(group.tolist()) != set(range(groups)):
        raise ValueError("the cohort's embeddings and groups do not fit together")
    if not np.isfinite(rows).all() or stored["side"] not in SIDES.values():
        raise ValueError("a cohort with values that are not finite, or of no known side")
    return CohortNorm(stored["side"], rows, group, np.full(len(rows), -1))


def _curves(stored: Mapping[str, Any], method: str, groups: int) -> GroupCalibration:
    curves = tuple(_curve(CURVES[method], one) for one in stored["curves"])
    if len(curves) != groups:
        raise ValueError(f"{quantity(len(curves), 'curve')} for {quantity(groups, 'group')}")
    return GroupCalibration(curves)


def _curve(kind: type[Platt] | type[Isotonic], stored: Mapping[str, Any]) -> Curve:
    if kind is Platt:
        slope, intercept = float(stored["slope"]), float(stored["intercept"])
        if not (0 < slope < np.inf and np.isfinite(intercept)):
            raise ValueError(f"a line of slope {slope} and intercept {intercept}, which does not rise")
        return Platt(slope, intercept)
    scores, shares = (tuple(float(value) for value in stored[key]) for key in ("scores", "shares"))
    if len(scores) != len(shares) or not len(scores) or not np.isfinite([scores, shares]).all():
        raise ValueError("a curve with other scores than shares, or values that are not finite")
    if (np.diff(scores) < 0).any() or (np.diff(shares) < 0).any():
        raise ValueError("a curve that does not rise")
    return Isotonic(scores, shares)
