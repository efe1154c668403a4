"""What is read from the searches of an open set, and the originals' own figure for a closed one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.quantity import quantity
from fairface.scoring.identification.search import Searches
from fairface.scoring.measure import most_within, number


@dataclass(frozen=True)
class OpenSetRow:
    """TPIR at one FPIR.

    Attributes:
        target: the FPIR asked for.
        tpir: the largest TPIR whose FPIR does not exceed ``target``; NaN where ``reason`` says why.
        fpir, threshold: what was reached, and at and above which score an entry is returned.
        reason: why ``tpir`` is undefined.
    """

    target: float
    tpir: float
    fpir: float = math.nan
    threshold: float = math.nan
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"target": self.target, "tpir": number(self.tpir), "fpir": number(self.fpir),
                "threshold": number(self.threshold), "reason": self.reason}  # fmt: skip


@dataclass(frozen=True)
class PerProbeRow:
    """The originals' open-set figure (:func:`per_probe_recall`)."""

    target: float
    recall: float
    threshold: float


@dataclass(frozen=True)
class Det:
    """FPIR and FNIR (T,) at falling thresholds: just above every non-mated search's best score, and at the lowest."""

    thresholds: NDArray[np.float64]
    fpir: NDArray[np.float64]
    fnir: NDArray[np.float64]


def tpir_at_fpir(found: Searches, target: float) -> OpenSetRow:
    """The largest TPIR whose FPIR does not exceed ``target``; NaN where there are fewer than 1 / ``target`` non-mated
    searches: a single false positive would already be more."""
    non_mated = np.sort(found.top_other[~found.mated])[::-1]
    needed = math.ceil(1.0 / target - 1e-9)
    if len(non_mated) < needed:
        reason = f"{quantity(len(non_mated), 'non-mated search')}; FPIR {target:g} needs at least {needed}"
        return OpenSetRow(target, math.nan, reason=reason)
    too_many = float(non_mated[most_within(target, len(non_mated))])
    return OpenSetRow(
        target=target,
        tpir=float((_hits(found) > too_many).sum() / found.mated.sum()),
        fpir=float((non_mated > too_many).mean()),
        threshold=float(np.nextafter(too_many, math.inf)),
    )


def det_curve(found: Searches) -> Det:
    """FNIR over FPIR, for searches of which some are non-mated."""
    non_mated = np.unique(found.top_other[~found.mated])[::-1]
    everyone = np.sort(found.top_other[~found.mated])
    hits = np.sort(_hits(found))
    above = len(everyone) - np.searchsorted(everyone, non_mated, side="right")
    missed = np.searchsorted(hits, non_mated, side="right") + int(found.mated.sum()) - len(hits)
    thresholds = np.append(np.nextafter(non_mated, math.inf), -1.0)
    fpir = np.append(above / len(everyone), 1.0)
    fnir = np.append(missed, int(found.mated.sum()) - len(hits)) / found.mated.sum()
    return Det(thresholds, fpir, fnir)


def per_probe_recall(found: Searches, target: float) -> PerProbeRow | None:
    """The figure that AdaFace's and insightface's IJB programs print for a closed set, by their own convention.

    The threshold is the ``ceil(probes * target)``-th highest of ALL impostor scores, so ``target`` counts false accepts
    per probe, not searches with one; the recall is the share of probes whose own subject scores above it, at any rank.
    Here it is taken over the mated searches; the originals refuse others. ``None`` where there are too few scores.
    """
    place = math.ceil(len(found.rank) * target)
    if place > len(found.best_impostors):
        return None
    threshold = float(found.best_impostors[place - 1])
    return PerProbeRow(target, float((found.mate_score[found.mated] > threshold).mean()), threshold)


def _hits(found: Searches) -> NDArray[np.float64]:
    """Scores of the mated searches that return the own subject first."""
    return found.mate_score[found.rank == 1]
