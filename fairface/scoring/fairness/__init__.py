"""How fair a recogniser is: error rates by group at one shared threshold, with intervals over people. No MXNet.

Start at :func:`fairface.scoring.fairness.assess.assess`.
"""
