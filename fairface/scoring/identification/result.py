"""What identification of one set of probes gave: frozen, and plain values for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.identification.measures import Det, OpenSetRow, PerProbeRow
from fairface.scoring.measure import Interval


@dataclass(frozen=True)
class IdentificationResult:
    """Identification of one set of probes in one gallery. Undefined values are NaN; ``reasons`` say why.

    Attributes:
        entries, gallery_subjects: the gallery's size.
        mated, non_mated: searches of each kind.
        ranks: the share of mated searches at each rank, keyed by the rank.
        cmc: (K,) the same at ranks 1 to K.
        open_set: rows of TPIR.
        per_probe: the originals' rows; empty where there is no impostor score.
        det: ``None`` where there are no non-mated searches.
        reasons: keyed "open set", "intervals".
        intervals: subject-level bootstrap intervals, keyed "rank-1", "tpir@0.01"; empty unless asked for.
    """

    entries: int
    gallery_subjects: int
    mated: int
    non_mated: int
    ranks: dict[int, float]
    cmc: NDArray[np.float64]
    open_set: tuple[OpenSetRow, ...]
    per_probe: tuple[PerProbeRow, ...]
    det: Det | None
    reasons: dict[str, str] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the curves."""
        return {
            "gallery_entries": self.entries, "gallery_subjects": self.gallery_subjects,
            "mated": self.mated, "non_mated": self.non_mated,
            "ranks": {str(rank): value for rank, value in self.ranks.items()},
            "open_set": [row.to_dict() for row in self.open_set],
            "per_probe": [vars(row) for row in self.per_probe],
            "reasons": dict(self.reasons),
            "intervals": {key: interval.to_dict() for key, interval in self.intervals.items()},
        }  # fmt: skip
