"""Fit a normalisation on calibration people, apply it to others, and judge what changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.evaluation.normalisation_input import People, groups_of, refuse_shared
from fairface.evaluation.saved_normalisation import SavedNormalisation
from fairface.scoring.fairness.assess import errors_at, everyone
from fairface.scoring.fairness.change import change
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.difference import Change
from fairface.scoring.fairness.grouped import Grouped
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import calibrated_threshold
from fairface.scoring.normalisation.clusters import fit_clusters, nearest
from fairface.scoring.normalisation.cohort import CohortNorm
from fairface.scoring.normalisation.compared import Compared
from fairface.scoring.normalisation.normaliser import fit_normaliser

CLUSTERS = "clusters"
EVERYONE = "everyone"
_STEP_ROLE = re.compile(r" \((best|last)\)$")  # one step may be called so at one time, and not at another


@dataclass(frozen=True)
class Normalised:
    """Scores before and after, and what changed.

    Attributes:
        saved: the normalisation.
        scores: (M,) normalised.
        changes: by grouping of the judged people, and of everyone.
        people, genuine, impostor: that it was judged on.
    """

    saved: SavedNormalisation
    scores: NDArray[np.float64]
    changes: dict[str, Change]
    people: int
    genuine: int
    impostor: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        saved = self.saved
        return {
            "method": saved.normaliser.method, "by": saved.by, "groups": list(saved.normaliser.labels),
            "calibration": saved.calibration, "price": list(saved.normaliser.price()),
            "thresholds": {"before": saved.before.to_dict(), "after": saved.after.to_dict()},
            "judged": {"people": self.people, "genuine": self.genuine, "impostor": self.impostor},
            "changes": {name: found.to_dict() for name, found in self.changes.items()},
        }  # fmt: skip


def fit_on(
    people: People, method: str, protected: Sequence[str], fmr: float, clusters: int = 0, seed: int = 0
) -> SavedNormalisation:
    """Fit ``method`` on calibration people by their ``protected`` attributes together, or by ``clusters``.

    Both thresholds, of raw and of normalised scores, are set at ``fmr`` on the same people.

    Raises:
        DataError: groups or clusters with too few comparisons, images of no known group, an FMR that they cannot set.
    """
    centres = None
    if clusters:
        centres = fit_clusters(_rows(people)[people.used()], clusters, seed)
        labels = tuple(f"cluster {number}" for number in range(clusters))
        compared = people.compared(nearest(_rows(people), centres))
    else:
        labels, group = groups_of(people, protected)
        compared = people.compared(group)
    try:
        found = fit_normaliser(method, compared, people.comparisons.same, labels, centres)
    except DataError as error:
        raise DataError(f"{people.title}: {error}") from error
    normalised = found.apply(compared, fitted_on=True)
    before, after = (
        calibrated_threshold(scores, people.comparisons.same, fmr, people.title.rpartition("/")[2])
        for scores in (people.scores, normalised)
    )
    counts = {"people": len(np.unique(people.subject[people.subject >= 0])),
              "genuine": people.comparisons.genuine, "impostor": people.comparisons.impostor}  # fmt: skip
    by = CLUSTERS if clusters else "+".join(protected)
    return SavedNormalisation(found, by, before, after, people.fingerprints(), counts, people.model, people.dimensions)


def judge(saved: SavedNormalisation, people: People, protected: Sequence[str], options: FairnessOptions) -> Normalised:
    """Apply it to other people and tell what changed, by ``protected`` attributes.

    Raises:
        DataError: somebody was calibrated on; a group that was not; embeddings of another model.
    """
    refuse_shared(people, saved.people)
    _refuse_other_model(saved, people)
    after = saved.normaliser.apply(_grouped(saved, people))
    comparisons = people.comparisons
    pair = (people.scores, saved.before), (after, saved.after)
    changes = compare(*pair, comparisons, protected, options)
    errors = [errors_at(threshold, scores, comparisons) for scores, threshold in pair]
    alone = [
        Grouped(comparisons, everyone(comparisons), 1.0 - of, of, np.ones(len(of), bool), replace(options, rounds=0))
        for of in errors
    ]
    overall = change(alone[0], alone[1], replace(options, rounds=0))
    changes = {EVERYONE: replace(overall, name=EVERYONE, scalars={}), **changes}
    subjects = len(np.unique(people.subject[people.subject >= 0]))
    return Normalised(saved, after, changes, subjects, comparisons.genuine, comparisons.impostor)


def _refuse_other_model(saved: SavedNormalisation, people: People) -> None:
    """Scores of another model lie elsewhere, so neither curves nor thresholds mean anything for them."""
    fitted, centres = saved.normaliser.fitted, saved.normaliser.centres
    known = centres if centres is not None else fitted.embeddings if isinstance(fitted, CohortNorm) else None
    dimensions = saved.dimensions if known is None else known.shape[1]  # older files tell it by their embeddings alone
    if known is not None:
        _rows(people)
    if dimensions and people.dimensions not in (0, dimensions):
        raise DataError(f"{people.title}: embeddings have {people.dimensions} values, those of the calibration "
                        f"people {dimensions}; use one model for both")  # fmt: skip
    one, other = (_STEP_ROLE.sub("", label) for label in (people.model, saved.model))
    if one and other and one != other:
        raise DataError(f"{people.title}: embeddings of {one}, but the calibration people's are of {other}; use one "
                        "model for both")  # fmt: skip


def _grouped(saved: SavedNormalisation, people: People) -> Compared:
    """The people in the groups, or clusters, of the calibration people."""
    normaliser, centres = saved.normaliser, saved.normaliser.centres
    if centres is not None:
        return people.compared(nearest(_rows(people), centres))
    return people.compared(groups_of(people, saved.by.split("+"), normaliser.labels)[1])


def _rows(people: People) -> NDArray[np.float64]:
    if people.rows is None:
        raise DataError(f"{people.title}: cohorts and clusters need embeddings; give --embeddings and "
                        "--calibration-embeddings")  # fmt: skip
    return people.rows
