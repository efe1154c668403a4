"""Whether two embeddings of a model show one person, by the thresholds that were saved with it. MXNet is not needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import ArrayLike

from fairface.embedding.thresholds import Thresholds
from fairface.errors import ConfigError
from fairface.scoring.decision import choose_points, classify


class HasThresholds(Protocol):
    """What :func:`fairface.load_model` gives."""

    @property
    def thresholds(self) -> Thresholds: ...


def decide(
    similarity: ArrayLike, model: HasThresholds | Thresholds, flip: bool = True, fmr: float | Sequence[float] = ()
) -> Any:
    """Whether pairs of this similarity show one person: ``"same"``, ``"not same"`` or ``"undecided"``.

    Args:
        similarity: one cosine or an array of them, of embeddings of this model (:func:`fairface.similarity`).
        model: from :func:`fairface.load_model`, with thresholds that ``test/verification.py --save-thresholds`` saved.
        flip: as the embeddings were made (:func:`fairface.embed`).
        fmr: one or two of the FMRs with a saved threshold; empty: the lowest and the highest. From the threshold at the
            lower one upwards a pair is the same, below the threshold at the higher one it is not, and between the two
            nothing is decided. With one FMR everything is decided.

    Returns:
        A text for one similarity, else an array of texts.

    Raises:
        CheckpointError: the model has no thresholds, or those of another checkpoint.
        ConfigError: thresholds for embeddings that were made the other way, or an FMR without a threshold.
        DataError: a similarity that is not finite, or no cosine.

    >>> from fairface import decide, load_model
    >>> model = load_model("models/r50,0")
    >>> decide(0.99, model), decide([-0.4, 0.99], model).tolist()
    ('same', ['not same', 'same'])
    >>> model.thresholds.explain()[-1]
    'undecided: between the two'
    """
    thresholds = model if isinstance(model, Thresholds) else model.thresholds
    if thresholds.flip != flip:
        made, these = ("with", "without") if thresholds.flip else ("without", "with")
        raise ConfigError(
            f"{thresholds.path}: is for embeddings {made} the mirrored image, these are {these} it (flip, --no-flip); "
            "embed in the same way, or save other thresholds"
        )
    chosen = [float(fmr)] if isinstance(fmr, (int, float)) else fmr
    same, not_same = choose_points(thresholds.points, chosen)
    return classify(similarity, same.threshold, not_same.threshold)
