"""Pairs of photographs that a model embeds here and now. No MXNet: the model is given as a function."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.encoded import FileDataset
from fairface.data.other_formats import other_format_hint
from fairface.data.types import Dataset
from fairface.embedding.store import Embeddings
from fairface.errors import DataError
from fairface.evaluation.acquisition import ScoredPairs
from fairface.evaluation.scored_pairs import PairSource, compared_pairs, embedding_scores, failures_of
from fairface.protocols.image_files import find_images
from fairface.protocols.opening import images_folder
from fairface.quantity import agree, quantity

Embed = Callable[[Dataset], NDArray[np.float32]]


def embedded_pairs(what: PairSource, embed: Embed, root: str | os.PathLike[str] | None = None) -> ScoredPairs:
    """The pairs of the list ``what`` with the cosines of their images' embeddings.

    Images are looked for below ``root``, or where the list is. Those that are not there have no score: a list of
    failures or ``what.unscored`` must allow it.

    Raises:
        DataError: a list without images, images that are not there, and what the readers refuse.
    """
    comparisons = compared_pairs(what).comparisons
    names = comparisons.names
    if not names:
        raise DataError(f"{what.pairs}: names no images; it needs the columns image_a and image_b")
    folder = images_folder(what.pairs) if root is None else Path(root)
    failed, strangers = failures_of(what, comparisons)
    files = find_images(folder, names)
    excused = np.zeros(len(names), bool) if failed is None else failed
    lost = [name for name, file, known in zip(names, files, excused, strict=True) if file is None and not known]
    if lost and (what.unscored == "error" or len(lost) == len(names)):
        hint = other_format_hint(folder, lost)
        raise DataError(
            f"{folder}: {len(lost)} of {quantity(len(names), 'image')} {agree(len(lost), 'does', 'do')} not exist "
            f"({', '.join(lost[:3])}{', …' if len(lost) > 3 else ''}); {hint}give the right root; if no face was "
            "found, list these images for --failures, or use --unscored leave_out or no_match"
        )
    there = [name for name, file in zip(names, files, strict=True) if file is not None]
    rows = embed(FileDataset(folder, [file for file in files if file is not None]))
    scores = embedding_scores(Embeddings(rows, tuple(there)), what, comparisons, failed)
    return ScoredPairs(comparisons, (scores,), failed, strangers)
