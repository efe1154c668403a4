"""Losses on triplets of embeddings (an anchor, a positive of the same person, a negative of another), and their mining.

:data:`PAIR_LOSSES` maps a name (``pair.loss``) to a factory; alpha is the width of the semi-hard band, and the margin
where the loss has one.

======================  ===============  ==========================================================================
name                    alpha by default what it is
======================  ===============  ==========================================================================
triplet                 0.3              FaceNet's: hinge on squared distances of unit vectors
angular_triplet         0.35 rad         the same on angles (the fair-face system's ``atriplet``)
arc_circle_triplet      0.35 rad         arc-circle curves, log(1 + sum exp(negatives) * sum exp(-positives))
fix_arc_circle_triplet  0.3 rad          corrected arc-circle curves, hinge
======================  ===============  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Callable

from fairface.config.schema import PairConfig
from fairface.errors import ConfigError
from fairface.heads.pairs.arc_circle import ArcCircleTriplet, FixedArcCircleTriplet
from fairface.heads.pairs.base import PairLoss
from fairface.heads.pairs.triplet import AngularTriplet, Triplet

PAIR_LOSSES: dict[str, Callable[[PairConfig], PairLoss]] = {
    "triplet": lambda config: Triplet(config.alpha or 0.3),
    "angular_triplet": lambda config: AngularTriplet(config.alpha or 0.35),
    "arc_circle_triplet": lambda config: ArcCircleTriplet(config.alpha or 0.35, config.gamma, config.theta_margin),
    "fix_arc_circle_triplet": lambda config: FixedArcCircleTriplet(
        config.alpha or 0.3, config.gamma, config.theta_margin
    ),
}


def build_pair_loss(config: PairConfig) -> PairLoss:
    """The pair loss that ``config`` names; an alpha of 0 is the loss's own.

    Raises:
        ConfigError: an unknown name, a value out of range.
    """
    if config.loss not in PAIR_LOSSES:
        raise ConfigError(f"pair.loss is {config.loss!r}; it can be: {', '.join(PAIR_LOSSES)}")
    return PAIR_LOSSES[config.loss](config)
