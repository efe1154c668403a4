"""What may be chosen about a fairness score."""

from __future__ import annotations

from dataclasses import dataclass

from fairface.errors import ConfigError


@dataclass(frozen=True)
class FairnessOptions:
    """Settings of :func:`fairface.scoring.fairness.assess.assess`.

    Attributes:
        alpha: weight of FMR against FNMR in FDR, inequity rate and GARBE.
        level: of all intervals.
        rounds: of resampling subjects and of shuffling labels; 0 leaves both out.
        seed: of both; 0 or more.
        min_subjects: groups with fewer subjects are flagged and kept out of every scalar.
        power: the chance of finding a difference, in planning.
        target_fnmr, target_fmr: the difference that planning is about; ``None``: the observed one.
        unscored: what becomes of scores that are not finite: ``error``, ``leave_out`` or ``no_match``.
    """

    alpha: float = 0.5
    level: float = 0.95
    rounds: int = 1000
    seed: int = 0
    min_subjects: int = 30
    power: float = 0.8
    target_fnmr: float | None = None
    target_fmr: float | None = None
    unscored: str = "error"

    def __post_init__(self) -> None:
        for name, inside, allowed in (
            ("alpha", 0.0 <= self.alpha <= 1.0, "from 0 to 1"),
            ("level", 0.5 <= self.level < 1.0, "from 0.5 to below 1"),
            ("power", 0.5 <= self.power < 1.0, "from 0.5 to below 1"),
            ("rounds", self.rounds >= 0, "0 or more"),
            ("seed", 0 <= self.seed < 1 << 63, "a whole number from 0"),
            ("min_subjects", self.min_subjects >= 2, "2 or more"),
            ("target_fnmr", self.target_fnmr is None or 0 < self.target_fnmr < 1, "between 0 and 1"),
            ("target_fmr", self.target_fmr is None or 0 < self.target_fmr < 1, "between 0 and 1"),
        ):
            if not inside:
                raise ConfigError(f"{name} is {getattr(self, name)!r}; it must be {allowed}")
