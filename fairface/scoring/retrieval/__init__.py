"""Retrieval: every query ranks a gallery; mean average precision (mAP), rank-k (CMC), and hits against distractors.

**mAP** is the mean of scikit-learn's average precision over the queries whose identity is in the gallery; beside it
stands the re-identification convention of Market-1501, by its name. **Rank k**: the share of these queries with an
image of their identity among the k best; equal scores of others count against it.
"""

from typing import TYPE_CHECKING

from fairface.lazy import lazy

__all__ = ["DistractorHits", "ImageSet", "RetrievalResult", "distractor_hits", "retrieve", "retrieve_scores"]

if TYPE_CHECKING:
    from fairface.scoring.retrieval.distractors import DistractorHits, distractor_hits
    from fairface.scoring.retrieval.image_set import ImageSet
    from fairface.scoring.retrieval.ranking import retrieve, retrieve_scores
    from fairface.scoring.retrieval.result import RetrievalResult
else:
    __getattr__, __dir__ = lazy(__name__, {
        "DistractorHits": "fairface.scoring.retrieval.distractors",
        "ImageSet": "fairface.scoring.retrieval.image_set",
        "RetrievalResult": "fairface.scoring.retrieval.result",
        "distractor_hits": "fairface.scoring.retrieval.distractors",
        "retrieve": "fairface.scoring.retrieval.ranking",
        "retrieve_scores": "fairface.scoring.retrieval.ranking",
    })  # fmt: skip
