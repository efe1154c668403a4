"""Face recognition on MXNet/Gluon: trained well, made fair on purpose, scored honestly.

:func:`load_model`, :func:`align`, :func:`embed` and :func:`similarity` take photographs to a number,
:func:`decide` takes it to a decision; :mod:`fairface.scoring` scores such numbers. MXNet is loaded when a model is.
"""

from typing import TYPE_CHECKING

from fairface.lazy import lazy

__version__ = "0.1.0"
__all__ = ["align", "decide", "embed", "load_model", "similarity"]

if TYPE_CHECKING:
    from fairface.embedding.decision import decide
    from fairface.embedding.model import embed, load_model
    from fairface.faces.main_crop import align
    from fairface.scoring.similarity import similarity
else:
    __getattr__, __dir__ = lazy(__name__, {
        "align": "fairface.faces.main_crop",
        "decide": "fairface.embedding.decision",
        "embed": "fairface.embedding.model",
        "load_model": "fairface.embedding.model",
        "similarity": "fairface.scoring.similarity",
    })  # fmt: skip
