"""How far down its image each face's nose is: what teaches LPD's localiser how high the free part of a face is."""

from __future__ import annotations

import dataclasses
import re
from pathlib import PurePath

import numpy as np

from fairface.config.schema import LPDConfig
from fairface.data.loading.source import Source
from fairface.data.types import Dataset
from fairface.data.view import DatasetView
from fairface.errors import DataError
from fairface.quantity import quantity

COLUMN = "nose_height"
_IN_NAME = re.compile(r"_(0?\.\d+|0|1|1\.0*)$", re.ASCII)
WITHOUT = (
    "let masks be drawn in the loader (augment.mask), end the files' names in it (0_0.5625.jpg; "
    "lpd.nose_height=file_name), or take one value for all (lpd.nose_height=constant)"
)


def with_nose_height(source: Source, options: LPDConfig) -> Source:
    """The source with the column ``nose_height``, (N,) float32, a share of the image's height.

    Where the heights are a column of the data, or the transform writes them, it is as it was.

    Raises:
        DataError: a file's name ends in no nose height, or a record of the column has none.
    """
    if options.nose_height == "column":
        _check_known(source)
        return source
    dataset = source.dataset
    if options.nose_height == "constant":
        heights = np.full(len(dataset), options.nose_height_value, np.float32)
    else:
        heights = np.array([_named(dataset, index) for index in range(len(dataset))], np.float32)
    return dataclasses.replace(source, dataset=DatasetView(dataset, extra={**dataset.extra, COLUMN: heights}))


def _check_known(source: Source) -> None:
    known = source.dataset.extra.get(COLUMN)
    if known is None or known.ndim != 1 or COLUMN in source.writes:
        return
    unknown = np.flatnonzero(~((known > 0) & (known <= 1)))
    if len(unknown):
        first = int(unknown[0])
        raise DataError(
            f"{source.dataset.name(first)}: {COLUMN} is {known[first]:g}, no share of the image's height "
            f"({quantity(len(unknown), 'such record')}); correct the column, or {WITHOUT}"
        )


def _named(dataset: Dataset, index: int) -> float:
    """The number behind the last underscore of a file's name, such as 0.5625 of ``0_0.5625.jpg``."""
    name = dataset.record_name(index)
    stem = PurePath(name).name
    for _ in range(2):  # 0_0.5625.jpg, and 0_0.5625 where the ending was left off
        match = _IN_NAME.search(stem)
        if match is not None and 0 < float(match[1]) <= 1:
            return float(match[1])
        stem = stem.rpartition(".")[0]
    raise DataError(
        f"{dataset.name(index)}: its name does not end in the nose's height (0_0.5625.jpg: 56 % down the image), as "
        "lpd.nose_height=file_name wants it; rename it, or set lpd.nose_height=constant or =column"
    )
