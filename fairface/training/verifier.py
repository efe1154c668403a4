"""Verification while a run trains, and its final score."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.config.schema import VerifyConfig
from fairface.embedding.mxnet import NetEmbedder
from fairface.mx import gluon
from fairface.parallel import World
from fairface.protocols.verification_set import VerificationSet
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.verification import VerificationResult, verify
from fairface.training.log import RunLog
from fairface.training.split_embedding import all_or_none, embed_split
from fairface.training.worst_rate import worst_rate

WORST = {"fmr_worst": "fmr", "fnmr_worst": "fnmr"}
LOWER_IS_BETTER = ("eer", *WORST)
EVENT = "verify/"  # begins the event of a set in the log


class Verifier:
    """Scores a net on verification sets.

    Args:
        sets: scored in this order; the monitored score is the mean over them, undefined where that of one of them is: a
            mean over the others would be that of an easier task.
        config: folds, FMR targets, flip, batch size, monitored score, whether workers share the images.
        world: on whose devices the images are embedded. Worker 0 scores; with ``verify.split`` the others make the same
            calls with the same sets and the same net, and get no result.
        image_size: H = W in pixels.
    """

    def __init__(self, sets: Sequence[VerificationSet], config: VerifyConfig, world: World, image_size: int) -> None:
        self.sets = list(sets)
        self.config = config
        self.world = world if config.split else World(world.contexts, world.rank)
        self.image_size = image_size
        self._told = False

    def results(self, net: gluon.HybridBlock, rounds: int = 0) -> dict[str, VerificationResult]:
        """Set name to result; ``rounds`` bootstrap rounds for intervals.

        Raises:
            FairfaceError: a set cannot be scored; on all workers alike.
        """
        return all_or_none(
            self.world, lambda: {item.name: self._verified(scores, item, rounds) for item, scores in self.scored(net)}
        )

    def scored(self, net: gluon.HybridBlock) -> Iterator[tuple[VerificationSet, NDArray[np.float64]]]:
        """Each set with the cosines of its comparisons; none where this is not worker 0."""
        embedder = NetEmbedder(
            net, self.world.contexts, self.config.batch_size, self.config.flip, self.image_size, show_progress=False
        )
        for item in self.sets:
            embeddings = embed_split(embedder, item.images, self.world)
            if self.world.leads:
                yield item, cosine_scores(embeddings, item.comparisons.a, item.comparisons.b)

    def _verified(self, scores: NDArray[np.float64], item: VerificationSet, rounds: int) -> VerificationResult:
        return verify(scores, item.comparisons, folds=self.config.folds, fmr=self.config.fmr, rounds=rounds)

    @property
    def takes_part(self) -> bool:
        """Whether this process has something to do when sets are scored."""
        return self.world.leads or self.world.size > 1

    def run(self, net: gluon.HybridBlock, step: int, log: RunLog) -> float | None:
        """Score all sets, log each, and return the monitored score: None without sets, where it is undefined, and where
        this is not worker 0.

        Raises:
            FairfaceError: a set cannot be scored; on all workers alike.
        """
        return all_or_none(self.world, lambda: self._run(net, step, log))

    def _run(self, net: gluon.HybridBlock, step: int, log: RunLog) -> float | None:
        monitor = self.config.monitor
        monitored, undefined = [], []
        for item, scores in self.scored(net):
            result = self._verified(scores, item, 0)
            tar = {f"tar@{key}": value for key, value in result.tar.items()}
            values = {"accuracy": result.accuracy, "auc": result.auc, "eer": result.eer, **tar}
            if monitor in WORST:
                values[monitor] = worst_rate(
                    scores, item.comparisons, self.config.protected, WORST[monitor], self.config.fmr[0],
                    self.config.min_subjects,
                )  # fmt: skip
            monitored.append(float(values[monitor]))
            shown = "  ".join(
                f"{key} {'n/a' if math.isnan(value) else f'{value:.4f}'}" for key, value in values.items()
                if key != "accuracy" or result.is_balanced or monitor == key
            )  # fmt: skip
            log.record(f"{EVENT}{item.name}", step, values, f"step {step}  [{item.name}]  {shown}")
            if math.isnan(monitored[-1]):
                undefined.append(item.name)
        if undefined and not self._told:
            self._told = True
            log.say(
                f"warning: step {step} has no score, since {monitor} is undefined on {', '.join(undefined)}; "
                "a step without a score is never the best (said once)"
            )
        return sum(monitored) / len(monitored) if monitored and not undefined else None

    def better(self, score: float, than: float) -> bool:
        """Whether ``score`` is as good as ``than`` in the monitored measure: of equals the later one is kept."""
        return score <= than if self.config.monitor in LOWER_IS_BETTER else score >= than
