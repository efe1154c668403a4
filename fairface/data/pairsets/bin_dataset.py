"""A ``.bin`` verification set as a data set."""

from __future__ import annotations

import os
from pathlib import Path

from fairface.data.encoded import EncodedDataset
from fairface.data.pairsets.bin_set import read_bin
from fairface.quantity import agree, quantity


class BinDataset(EncodedDataset):
    """The images of a ``.bin`` verification set, unlabeled: such a set knows pairs, not identities.

    Raises:
        DataError: see :func:`fairface.data.pairsets.bin_set.read_bin`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        content = read_bin(self.path)
        super().__init__(content.images, str(self.path))
        genuine = int(content.same.sum())
        self.notes = (f"{self.path}: {quantity(len(content), 'pair')}, {genuine} of them of the same identity",)
        if genuine in (0, len(content)):
            kind = "different identities" if genuine == 0 else "the same identity"
            self.problems = (
                f"{self.path}: {agree(len(content), 'the only pair is', f'all {len(content)} pairs are')} of {kind}; "
                "scoring needs pairs of both kinds",
            )

    def __reduce__(self) -> tuple[type[BinDataset], tuple[Path]]:
        return BinDataset, (self.path,)
