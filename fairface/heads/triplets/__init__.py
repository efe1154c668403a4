"""Losses on triplets of embeddings (an anchor, a positive of the same person, a negative of another), and their mining.

:data:`TRIPLET_LOSSES` maps a name (``triplet.loss``) to a factory; alpha is the width of the semi-hard band, and the
margin where the loss has one.

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

from fairface.config.schema import TripletConfig
from fairface.errors import ConfigError
from fairface.heads.triplets.arc_circle import ArcCircleTriplet, FixedArcCircleTriplet
from fairface.heads.triplets.base import TripletLoss
from fairface.heads.triplets.triplet import AngularTriplet, Triplet

TRIPLET_LOSSES: dict[str, Callable[[TripletConfig], TripletLoss]] = {
    "triplet": lambda config: Triplet(config.alpha or 0.3),
    "angular_triplet": lambda config: AngularTriplet(config.alpha or 0.35),
    "arc_circle_triplet": lambda config: ArcCircleTriplet(config.alpha or 0.35, config.gamma, config.theta_margin),
    "fix_arc_circle_triplet": lambda config: FixedArcCircleTriplet(
        config.alpha or 0.3, config.gamma, config.theta_margin
    ),
}


def build_triplet_loss(config: TripletConfig) -> TripletLoss:
    """The pair loss that ``config`` names; an alpha of 0 is the loss's own.

    Raises:
        ConfigError: an unknown name, a value out of range.
    """
    if config.loss not in TRIPLET_LOSSES:
        raise ConfigError(f"triplet.loss is {config.loss!r}; it can be: {', '.join(TRIPLET_LOSSES)}")
    return TRIPLET_LOSSES[config.loss](config)
