"""IJB-B and IJB-C scored: templates pooled once, 1:1 comparisons, 1:N searches of each gallery and of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.protocols.ijb import Ijb
from fairface.protocols.ijb_lists import Enrolment
from fairface.quantity import quantity
from fairface.scoring.dense_pairs import listed_cosines
from fairface.scoring.identification import Gallery, IdentificationResult, identify
from fairface.scoring.tar_table import TarTable, tar_table
from fairface.scoring.templates import Templates, pool_templates


@dataclass(frozen=True)
class IjbScores:
    """What was scored: ``verification`` 1:1, ``identification`` by gallery (G1, G2, G1+G2), and ``notes``."""

    verification: TarTable
    identification: dict[str, IdentificationResult] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "verification": self.verification.to_dict(),
            "identification": {name: result.to_dict() for name, result in self.identification.items()},
            "notes": list(self.notes),
        }


def score_ijb(
    ijb: Ijb,
    features: NDArray[np.floating],
    weights: NDArray[np.floating] | None = None,
    rounds: int = 0,
    level: float = 0.95,
    seed: int = 0,
) -> IjbScores:
    """Score ``features (N, D)``, one row for each image of the list of faces.

    Args:
        weights: (N,) factors of the features, such as a detector's scores.
        rounds, level, seed: bootstrap over the probes' subjects; 0: no intervals.

    Raises:
        DataError: another number of features than images, features that are not finite.
    """
    source, images = ijb.files.faces, len(ijb.faces.names)
    if len(features) != images:
        raise DataError(
            f"{source}: {quantity(images, 'image')}, but {quantity(len(features), 'feature')}; give one for each line"
        )
    try:
        templates = pool_templates(features, ijb.faces.templates, ijb.faces.media, weights)
    except DataError as error:
        raise DataError(f"{source}: {error}") from error
    verification = tar_table(listed_cosines(templates.features, ijb.a, ijb.b), ijb.same)
    if ijb.probes is None:
        note = f"{ijb.files.name}: no 1:N, the lists of galleries and probes are not all there"
        return IjbScores(verification, {}, (note,))
    galleries = dict(ijb.galleries)
    galleries["+".join(galleries)] = _joined(list(galleries.values()))
    probes, subjects = _enrolled(templates, ijb.probes), ijb.probes.subjects
    found = {
        name: identify(
            probes, subjects, Gallery(_enrolled(templates, gallery), gallery.subjects), rounds=rounds, level=level,
            seed=seed,
        )
        for name, gallery in galleries.items()
    }  # fmt: skip
    return IjbScores(verification, found)


def score_ijb_pairs(ijb: Ijb, scores: NDArray[np.floating]) -> IjbScores:
    """1:1 of ``scores (M,)`` that exist already, one for each comparison of the list; 1:N needs features.

    Raises:
        DataError: scores that are not finite.
    """
    note = f"{ijb.files.name}: no 1:N, it needs features of the images; scores are of the 1:1 comparisons"
    return IjbScores(tar_table(scores, ijb.same), {}, (note,))


def _joined(parts: list[Enrolment]) -> Enrolment:
    return Enrolment(
        np.concatenate([part.templates for part in parts]), np.concatenate([part.subjects for part in parts])
    )


def _enrolled(templates: Templates, of: Enrolment) -> NDArray[np.float64]:
    return np.asarray(templates.features[templates.rows(of.templates)])
