"""A ``.bin`` verification set as a data set."""

from __future__ import annotations

import os
from pathlib import Path

from fairface.data.encoded import EncodedDataset
from fairface.data.pairsets.bin_set import read_bin


class BinDataset(EncodedDataset):
    """The images of a ``.bin`` verification set, unlabeled: such a set knows pairs, not identities.

    Raises:
        DataError: see :func:`fairface.data.pairsets.bin_set.read_bin`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        super().__init__(read_bin(self.path).images, str(self.path))

    def __reduce__(self) -> tuple[type[BinDataset], tuple[Path]]:
        return BinDataset, (self.path,)
