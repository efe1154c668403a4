"""Verification while a run trains, and its final score."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fairface.config.schema import VerifyConfig
from fairface.embedding.mxnet import NetEmbedder
from fairface.mx import Context, gluon
from fairface.protocols.verification_set import VerificationSet
from fairface.scoring.verification import VerificationResult, verify_embeddings
from fairface.training.log import RunLog

LOWER_IS_BETTER = ("eer",)


class Verifier:
    """Scores a net on verification sets.

    Args:
        sets: scored in this order; the monitored score is the mean over them.
        config: folds, FMR targets, flip, batch size, monitored score.
        image_size: H = W in pixels.
    """

    def __init__(
        self, sets: Sequence[VerificationSet], config: VerifyConfig, contexts: Sequence[Context], image_size: int
    ) -> None:
        self.sets = list(sets)
        self.config = config
        self.contexts = list(contexts)
        self.image_size = image_size

    def results(self, net: gluon.HybridBlock, rounds: int = 0) -> dict[str, VerificationResult]:
        """Set name to result; ``rounds`` bootstrap rounds for intervals."""
        embedder = NetEmbedder(
            net, self.contexts, self.config.batch_size, self.config.flip, self.image_size, show_progress=False
        )
        return {
            item.name: verify_embeddings(
                embedder.embed(item.images),
                item.comparisons,
                folds=self.config.folds,
                fmr=self.config.fmr,
                rounds=rounds,
            )
            for item in self.sets
        }

    def run(self, net: gluon.HybridBlock, step: int, log: RunLog) -> float | None:
        """Score all sets, log each, and return the monitored score (None without sets)."""
        results = self.results(net)
        for name, result in results.items():
            tar = {f"tar@{key}": value for key, value in result.tar.items()}
            values = {"accuracy": result.accuracy, "auc": result.auc, "eer": result.eer, **tar}
            shown = "  ".join(
                f"{key} {'n/a' if math.isnan(value) else f'{value:.4f}'}" for key, value in values.items()
            )
            log.record(f"verify/{name}", step, values, f"step {step}  [{name}]  {shown}")
        scores = [float(getattr(result, self.config.monitor)) for result in results.values()]
        defined = [score for score in scores if not math.isnan(score)]
        return sum(defined) / len(defined) if defined else None

    def better(self, score: float, than: float) -> bool:
        """Whether ``score`` is as good as ``than`` in the monitored measure: of equals the later one is kept."""
        return score <= than if self.config.monitor in LOWER_IS_BETTER else score >= than
