"""What a fairness score says: frozen, and plain values for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from fairface.scoring.fairness.accounting import Accounting
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rate import Planning, Rate
from fairface.scoring.fairness.scalars import Scalar
from fairface.scoring.fairness.score_differential import ScoreDifferential
from fairface.scoring.fairness.threshold import SharedThreshold
from fairface.scoring.measure import number


@dataclass(frozen=True)
class GroupRow:
    """One group: who it is, its rates within the group, and what more subjects would show.

    Attributes:
        subjects, images: in the group; subjects is 0 where they are not named.
        fnmr, fmr: at the shared threshold, of comparisons within the group.
        auc: of the comparisons within the group; NaN with ``auc_reason``.
        fnmr_plan, fmr_plan: this group against all others.
        failures: share of its images on which detection failed; ``None`` where that is not told.
        too_few: fewer subjects than scalars need.
        mated, non_mated: how far genuine and impostor scores within the group are shifted from those of other groups.
    """

    group: str
    subjects: int
    images: int
    fnmr: Rate
    fmr: Rate
    auc: float
    auc_reason: str
    fnmr_plan: Planning
    fmr_plan: Planning
    too_few: bool
    failures: Rate | None = None
    mated: ScoreDifferential | None = None
    non_mated: ScoreDifferential | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        result: dict[str, Any] = {"group": self.group, "subjects": self.subjects, "images": self.images}
        result |= {"too_few": self.too_few, "fnmr": self.fnmr.to_dict(), "fmr": self.fmr.to_dict()}
        result |= {"auc": number(self.auc), "auc_reason": self.auc_reason}
        result |= {"fnmr_plan": self.fnmr_plan.to_dict(), "fmr_plan": self.fmr_plan.to_dict()}
        if self.failures is not None:
            result["failure_to_detect"] = self.failures.to_dict()
        for name, shift in (("mated", self.mated), ("non_mated", self.non_mated)):
            if shift is not None:
                result[f"{name}_score_differential"] = shift.to_dict()
        return result


@dataclass(frozen=True)
class GroupingResult:
    """All about the groups by one attribute, or by several together.

    Attributes:
        name: the attributes, joined by "+".
        rows: one for each group.
        fmr_matrix, fnmr_matrix: (K, K) rates of comparisons between any two groups; symmetric.
        scalars: by name.
        accounting: where every comparison went.
        null_kept: of FNMR and FMR, the share of comparisons within groups that permuted labels leave.
        notes: what a reader must know.
    """

    name: str
    rows: tuple[GroupRow, ...]
    fmr_matrix: tuple[tuple[Rate, ...], ...]
    fnmr_matrix: tuple[tuple[Rate, ...], ...]
    scalars: dict[str, Scalar]
    accounting: Accounting
    null_kept: dict[str, float]
    notes: tuple[str, ...] = ()

    def row(self, group: str) -> GroupRow:
        """The row of ``group``."""
        return next(row for row in self.rows if row.group == group)

    def to_dict(self, threshold: SharedThreshold) -> dict[str, Any]:
        """Plain values for JSON; beside every scalar stand the threshold, how it was set, and counts."""
        return {
            "groups": [row.to_dict() for row in self.rows],
            "fmr_matrix": [[rate.to_dict() for rate in row] for row in self.fmr_matrix],
            "fnmr_matrix": [[rate.to_dict() for rate in row] for row in self.fnmr_matrix],
            "measures": {
                name: {**scalar.to_dict(), **self.sample_sizes(scalar), "threshold": threshold.value,
                       "threshold_set": threshold.how}
                for name, scalar in self.scalars.items()
            },
            "accounting": self.accounting.to_dict(),
            "null_kept": {error: number(share) for error, share in self.null_kept.items()},
            "notes": list(self.notes),
        }  # fmt: skip

    def sample_sizes(self, scalar: Scalar) -> dict[str, int]:
        """Subjects and comparisons that ``scalar`` rests on."""
        rows = [row for row in self.rows if row.group in scalar.groups]
        return {
            "subjects": sum(row.subjects for row in rows),
            "genuine": sum(row.fnmr.comparisons for row in rows),
            "impostor": sum(row.fmr.comparisons for row in rows),
        }


@dataclass(frozen=True)
class FairnessResult:
    """The fairness of one set of scored comparisons at one shared threshold.

    Attributes:
        threshold: the threshold and how it was set.
        options: the settings.
        fnmr, fmr: of all comparisons with a score, whatever their group.
        subjects: all subjects; 0 where they are not named.
        duplicates: comparisons of two images that were compared before (they count again).
        groupings: by name, in the order asked for.
        notes: what a reader must know.
    """

    threshold: SharedThreshold
    options: FairnessOptions
    fnmr: Rate
    fmr: Rate
    subjects: int
    duplicates: int
    groupings: dict[str, GroupingResult]
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; undefined numbers are ``None`` and have a reason beside them."""
        return {
            "threshold": self.threshold.to_dict(),
            "options": asdict(self.options),
            "overall": {"fnmr": self.fnmr.to_dict(), "fmr": self.fmr.to_dict()},
            "subjects": self.subjects,
            "duplicates": self.duplicates,
            "groupings": {name: found.to_dict(self.threshold) for name, found in self.groupings.items()},
            "notes": list(self.notes),
        }
