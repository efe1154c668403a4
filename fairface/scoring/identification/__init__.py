"""One-to-many identification: closed set (CMC) and open set (TPIR at FPIR, DET), with intervals over subjects.

A search is mated when the probe's subject is enrolled. **Rank k**: the share of mated searches whose subject is among
the k best entries; equal scores of others count against it. **FPIR**: the share of non-mated searches that return
anyone at or above the threshold. **TPIR** (= 1 - FNIR): the share of mated searches that return the own subject first
and at or above the threshold. Source: ISO/IEC 19795-1 and NIST's FRTE 1:N, with R = 1.
"""

from typing import TYPE_CHECKING

from fairface.lazy import lazy

__all__ = ["Gallery", "IdentificationResult", "identify", "identify_scores"]

if TYPE_CHECKING:
    from fairface.scoring.identification.given_scores import identify_scores
    from fairface.scoring.identification.one_to_many import identify
    from fairface.scoring.identification.result import IdentificationResult
    from fairface.scoring.identification.search import Gallery
else:
    __getattr__, __dir__ = lazy(__name__, {
        "Gallery": "fairface.scoring.identification.search",
        "IdentificationResult": "fairface.scoring.identification.result",
        "identify": "fairface.scoring.identification.one_to_many",
        "identify_scores": "fairface.scoring.identification.given_scores",
    })  # fmt: skip
