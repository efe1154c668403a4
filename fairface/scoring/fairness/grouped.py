"""The groups by one attribute, or by several together, worked out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.quantity import agree, quantity
from fairface.scoring.fairness.accounting import Accounting, account
from fairface.scoring.fairness.counts import Floats, Ints, Nodes, count_pairs, node_ends
from fairface.scoring.fairness.error_types import ErrorType, ListedErrorType
from fairface.scoring.fairness.failures import GroupFailures
from fairface.scoring.fairness.grouping import Groups
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rate import plan
from fairface.scoring.fairness.result import GroupingResult, GroupRow
from fairface.scoring.fairness.rules import RULES, Rule, Setting
from fairface.scoring.fairness.scalars import Scalar, measure, undefined
from fairface.scoring.fairness.score_differential import ScoreDifferential, ScoreSums, score_differentials
from fairface.scoring.roc import auc, roc_curve

_KEPT_ENOUGH = 0.75
_UNEQUAL = 2.0  # times as many comparisons of each subject, from which permuted labels tell less


@dataclass(frozen=True)
class Within:
    """The comparisons within one group, beside its error rates.

    Attributes:
        images: of the group that are compared.
        genuine, impostor: how many.
        auc: of their scores; NaN where one kind is missing.
    """

    images: int
    genuine: int
    impostor: int
    auc: float


class GroupedErrors(ABC):
    """Error rates by group, and all that is made of them.

    Args:
        groups: of the images.
        accounting: where every comparison went.
        nodes: who is in which group.
        fnmr, fmr: both types of error.
    """

    def __init__(
        self, groups: Groups, options: FairnessOptions, accounting: Accounting, nodes: Nodes, fnmr: ErrorType,
        fmr: ErrorType,
    ) -> None:  # fmt: skip
        self.groups, self.options, self.accounting, self.nodes = groups, options, accounting, nodes
        self.fnmr, self.fmr = fnmr, fmr
        self.error_types = {found.name: found for found in (fnmr, fmr)}
        self.eligible = {name: found.eligible() for name, found in self.error_types.items()}

    @abstractmethod
    def inside(self, group: int) -> Within:
        """The comparisons within a group."""

    @abstractmethod
    def score_differentials(self, genuine: bool) -> list[ScoreDifferential]:
        """How far each group's genuine or impostor scores are shifted from those of the others."""

    def result(self, failures: GroupFailures | None = None) -> GroupingResult:
        """Table, matrices, scalars and notes; ``failures`` where it is known on which images detection failed."""
        scalars = self.scalars()
        kept = {name: self._kept(name) for name in self.error_types}
        shifts = zip(self.score_differentials(True), self.score_differentials(False), strict=True)
        rows = [replace(self.row(group), mated=m, non_mated=n) for group, (m, n) in enumerate(shifts)]
        if failures is not None:
            rows = [replace(row, failures=rate) for row, rate in zip(rows, failures.rates, strict=True)]
        return GroupingResult(
            name=self.groups.name,
            rows=tuple(rows),
            fmr_matrix=self.fmr.matrix(),
            fnmr_matrix=self.fnmr.matrix(),
            scalars=scalars,
            accounting=self.accounting,
            null_kept=kept,
            notes=(*self._notes(rows, kept), *(failures.notes if failures is not None else ())),
        )

    def row(self, group: int) -> GroupRow:
        """One row of the table."""
        options, inside = self.options, self.inside(group)
        both_kinds = inside.genuine > 0 and inside.impostor > 0
        cell, others = int(self.fnmr.within[group]), np.delete(self.fnmr.within, group)
        targets = {"fnmr": options.target_fnmr, "fmr": options.target_fmr}
        plans = {
            name: plan(found.spread, cell, others, options.level, options.power, targets[name])
            for name, found in self.error_types.items()
        }
        return GroupRow(
            group=self.groups.labels[group],
            subjects=int((self.nodes.group == group).sum()) if self.nodes.subjects else 0,
            images=inside.images,
            fnmr=self.fnmr.rate(group, group),
            fmr=self.fmr.rate(group, group),
            auc=inside.auc,
            auc_reason=""
            if both_kinds
            else f"{inside.genuine} genuine and {quantity(inside.impostor, 'impostor comparison')}",
            fnmr_plan=plans["fnmr"],
            fmr_plan=plans["fmr"],
            too_few=any(group not in eligible for eligible in self.eligible.values()),
        )

    def scalars(self) -> dict[str, Scalar]:
        """Every scalar of :data:`fairface.scoring.fairness.rules.RULES`."""
        rounds = {name: found.rounds() for name, found in self.error_types.items() if len(self.eligible[name]) > 1}
        return {rule.name: self._scalar(rule, rounds) for rule in RULES}

    def _scalar(self, rule: Rule, rounds: dict[str, NDArray[np.float64]]) -> Scalar:
        groups = self._groups_of(rule)
        labels = tuple(self.groups.labels[group] for group in groups)
        if len(groups) < 2:
            reason = (
                f"{len(groups)} of {quantity(len(self.groups), 'group')} {agree(len(groups), 'has', 'have')} "
                f"{quantity(self.options.min_subjects, 'subject')} or more"
            )
            if len(self.groups) == 0:
                reason = f"no image that is compared has a known {self.groups.name}"
            elif self.nodes.subjects == 0:
                reason = "the comparisons name no subjects"
            return undefined(rule, labels, reason, self.options.level, self.options.alpha)
        cells = self.fnmr.within[groups]
        setting = Setting(self.options.alpha, self.fmr.spread.comparisons[cells], self.fnmr.spread.comparisons[cells])
        rates = [self.error_types[name].of_groups(groups, rounds[name]) for name in rule.error_types]
        return measure(rule, rates, setting, labels, self.options.level)

    def _groups_of(self, rule: Rule) -> Ints:
        """The groups with enough subjects for every type of error that the rule looks at."""
        found = self.eligible[rule.error_types[0]]
        for name in rule.error_types[1:]:
            found = np.intersect1d(found, self.eligible[name])
        return found

    def _kept(self, name: str) -> float:
        if len(self.eligible[name]) < 2 or self.options.rounds == 0:
            return math.nan
        return self.error_types[name].shuffled(self.eligible[name]).kept

    def _notes(self, rows: list[GroupRow], kept: dict[str, float]) -> list[str]:
        few = [f"{row.group} ({row.subjects})" for row in rows if row.too_few]
        notes = []
        if few and self.nodes.subjects:
            notes.append(
                f"too few subjects (fewer than {self.options.min_subjects} with genuine or with impostor comparisons), "
                f"so excluded from measures: {', '.join(few)}"
            )
        counts = self.accounting
        unknown = counts.genuine_unknown + counts.impostor_unknown
        if unknown:
            first = f" ({self.groups.first_unknown} first)" if self.groups.first_unknown else ""
            notes.append(
                f"{unknown} of {quantity(counts.total, 'comparison')} {agree(unknown, 'is', 'are')} left out, as "
                f"{counts.images_unknown} of {quantity(counts.images, 'image')} "
                f"{agree(counts.images_unknown, 'has', 'have')} no known {self.groups.name}{first}"
            )
        notes += [
            f"permuted labels keep {share:.0%} of the {name.upper()}'s comparisons within groups, so its null "
            "distribution is too wide"
            for name, share in kept.items()
            if share < _KEPT_ENOUGH
        ]
        return [*notes, *self._unequal_subjects(), *self._unequal_groups()]

    def _unequal_subjects(self) -> list[str]:
        """Where a few subjects have most of a group's comparisons."""
        notes = []
        for name, found in self.error_types.items():
            kind = "genuine" if found.spread.genuine else "impostor"
            for group in self.eligible[name].tolist():
                cell = found.within[group]
                subjects, equal = int(found.spread.subjects[cell]), float(found.spread.equal_subjects[cell])
                if equal < self.options.min_subjects:
                    notes.append(
                        f"{name.upper()} of {self.groups.labels[group]}: a few of its {quantity(subjects, 'subject')} "
                        f"have most of the {kind} comparisons; all of them tell about as much as {equal:.2g} subjects "
                        "with equally many, so the interval is wide"
                    )
        return notes

    def _unequal_groups(self) -> list[str]:
        """Where the p-values of FNMR see differences that are none. Those of FMR do not: its subjects meet others."""
        groups = self.eligible["fnmr"]
        if len(groups) < 2 or self.options.rounds == 0:
            return []
        spread, cells = self.fnmr.spread, self.fnmr.within[groups]
        each = spread.comparisons[cells] / spread.subjects[cells]
        few, many = int(each.argmin()), int(each.argmax())
        if each[many] < _UNEQUAL * each[few]:
            return []
        labels = [self.groups.labels[group] for group in groups.tolist()]
        return [
            f"a subject of {labels[many]} has {each[many]:.3g} genuine comparisons on average, one of {labels[few]} "
            f"{each[few]:.3g}: permuted labels mix them, so p-values of measures with FNMR are too small; go by the "
            "intervals"
        ]


class Grouped(GroupedErrors):
    """Listed comparisons whose two images both have a group.

    Args:
        comparisons: all of them.
        groups: of their images.
        scores: (M,).
        wrong: (M,) whether each comparison goes wrong at the shared threshold.
        scored: (M,) which of them count.
        options: settings.
        given: (M,) which scores are a system's own, not put in for a missing one; all, unless told.
    """

    def __init__(
        self, comparisons: Comparisons, groups: Groups, scores: Floats, wrong: Floats, scored: NDArray[np.bool_],
        options: FairnessOptions, given: NDArray[np.bool_] | None = None,
    ) -> None:  # fmt: skip
        of_a, of_b = groups.of_image[comparisons.a], groups.of_image[comparisons.b]
        chosen = scored & (of_a >= 0) & (of_b >= 0)
        self.part, self.scores = select(comparisons, chosen), scores[chosen]
        self._within = np.where(of_a == of_b, of_a, -1)[chosen]
        self._given = np.ones(len(self.scores), bool) if given is None else given[chosen]
        nodes, first, second = node_ends(self.part, groups.of_image, len(groups))
        self.ends = first, second
        kinds = ((self.part.same, True), (~self.part.same, False))
        counts = [count_pairs(nodes, self.ends, wrong[chosen], kind, genuine) for kind, genuine in kinds]
        fnmr, fmr = (ListedErrorType(of, options) for of in counts)
        super().__init__(groups, options, account(comparisons, groups.of_image, scored), nodes, fnmr, fmr)

    def inside(self, group: int) -> Within:
        within = self._within == group
        same = self.part.same[within]
        genuine, impostor = int(same.sum()), int((~same).sum())
        used = np.zeros(len(self.groups.of_image), bool)
        used[self.part.a] = used[self.part.b] = True
        area = auc(roc_curve(self.scores[within], same)) if genuine and impostor else math.nan
        return Within(int((used & (self.groups.of_image == group)).sum()), genuine, impostor, area)

    def score_differentials(self, genuine: bool) -> list[ScoreDifferential]:
        chosen = (self.part.same == genuine) & (self._within >= 0) & self._given
        sums = ScoreSums.of(self.scores[chosen], self._within[chosen], len(self.groups))
        scored = count_pairs(self.nodes, self.ends, self.scores, chosen, genuine)
        return score_differentials(sums, scored, self.options.level)


def select(comparisons: Comparisons, chosen: NDArray[np.bool_]) -> Comparisons:
    """Only the ``chosen (M,)`` comparisons, of the same images."""
    return replace(
        comparisons,
        a=comparisons.a[chosen], b=comparisons.b[chosen], same=comparisons.same[chosen],
        fold=comparisons.fold[chosen],
        subject_a=comparisons.subject_a[chosen], subject_b=comparisons.subject_b[chosen],
    )  # fmt: skip
