"""The embeddings of an evaluation's aligned faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.data.encoded import FileDataset
from fairface.errors import DataError
from fairface.evaluation.crops import Crops
from fairface.evaluation.engines import Engines
from fairface.quantity import quantity


def embed_crops(engines: Engines, model: str, crops: Sequence[Crops]) -> list[NDArray[np.float32]]:
    """Flip-summed embeddings of the crops of each list.

    Raises:
        DataError: an embedding without a direction.
        FairfaceError: whatever the model's engine refuses.
    """
    embedder = engines.embedder(model)
    found = []
    for one in crops:
        found.append(embedder.embed(FileDataset(one.root, one.files)))
        _refuse_zero(found[-1], one, model)
    return found


def _refuse_zero(rows: NDArray[np.float32], crops: Crops, model: str) -> None:
    zero = np.flatnonzero(~rows.any(axis=1))
    if len(zero):
        some = ", ".join(crops.files[row] for row in zero[:3])
        raise DataError(
            f"{model}: gives {len(zero)} of {quantity(len(rows), 'image')} an embedding of length zero ({some}), "
            "without a cosine; use another model or remove these images"
        )
