"""Which records of a data set a run uses: array operations on labels and attributes, never copies of images."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.config.schema import DataConfig
from fairface.data.formats import OpenOptions
from fairface.data.opening import open_dataset
from fairface.data.types import UNLABELED, Dataset
from fairface.data.view import DatasetView
from fairface.errors import ConfigError, DataError
from fairface.quantity import quantity


def open_selected(config: DataConfig) -> Dataset:
    """The data set that ``config`` names, opened as it says, with the records that it keeps.

    Raises:
        DataError: not found, no known format, damaged, or nothing is left.
        ConfigError: ``where`` or ``on_missing`` cannot be used.
    """
    return select(open_whole(config), config)


def open_whole(config: DataConfig) -> Dataset:
    """The data set that ``config`` names, opened as it says, with all its records.

    Raises:
        DataError: not found, no known format, or damaged.
        ConfigError: ``on_missing`` cannot be used.
    """
    options = OpenOptions(config.root, config.checksums, config.on_missing, config.zero_is_unlabeled)
    return open_dataset(config.path, options=options)


def labeled_only(dataset: Dataset) -> Dataset:
    """The records with a label, for methods that learn from labels alone; a note tells how many were left out.

    Raises:
        DataError: there is none.
    """
    labeled = np.flatnonzero(dataset.labels != UNLABELED)
    if len(labeled) == len(dataset):
        return dataset
    if not len(labeled):
        raise DataError(f"{dataset.name(0)} and all other records are unlabeled; this method needs labels")
    left_out = quantity(len(dataset) - len(labeled), "unlabeled image is", "unlabeled images are")
    note = f"{left_out} not used by this method"
    return DatasetView(dataset.subset(labeled), notes=(*dataset.notes, note))


def select(dataset: Dataset, config: DataConfig) -> Dataset:
    """Apply ``only``, ``exclude`` and ``where``; labels and the number of classes stay as they are.

    Raises:
        DataError: a list names a record that is not there, or nothing is left.
        ConfigError: ``where`` is not of the form ``name=value,…``, or names an unknown attribute or value.
    """
    keep = kept_records(dataset, config)
    return dataset if keep.all() else dataset.subset(np.flatnonzero(keep))


def kept_records(dataset: Dataset, config: DataConfig) -> NDArray[np.bool_]:
    """(N,) which records ``only``, ``exclude`` and ``where`` keep.

    Raises:
        DataError, ConfigError: see :func:`select`.
    """
    keep = np.ones(len(dataset), bool)
    if config.only:
        keep &= _listed(config.only, dataset)
    if config.exclude:
        keep &= ~_listed(config.exclude, dataset)
    for name, value in parse_where(config.where):
        keep &= _having(dataset, name, value)
    if not keep.any():
        raise DataError(f"{config.path}: data.only, data.exclude and data.where together leave no record")
    return keep


def parse_where(text: str) -> list[tuple[str, str]]:
    """``"sex=f,glasses=0"`` as pairs of name and value.

    Raises:
        ConfigError: not of that form.
    """
    pairs = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise ConfigError(f"data.where: {part!r} is not name=value, for example glasses=1")
        pairs.append((name, value))
    return pairs


def _having(dataset: Dataset, name: str, value: str) -> NDArray[np.bool_]:
    """(N,) which records have this value: the value's name where the data set tells names, else its code."""
    if name not in dataset.attribute_names:
        known = ", ".join(dataset.attribute_names) or "none"
        raise ConfigError(f"data.where: there is no attribute {name!r}; this data set has: {known}")
    told = dataset.attribute_values.get(name, ())
    if value not in told and not value.removeprefix("-").isdecimal():
        raise ConfigError(
            f"data.where: {name}={value}: no such value; it can be: {', '.join(told) or 'a whole number, its code'}"
        )
    code = told.index(value) if value in told else int(value)
    return np.asarray(dataset.attributes[:, dataset.attribute_names.index(name)] == code)


def read_positions(path: str | os.PathLike[str], dataset: Dataset) -> NDArray[np.int64]:
    """Positions of the records that a text file names, one a line: a position, or what
    :meth:`~fairface.data.types.Dataset.record_name` calls the record. Empty lines and lines that begin with # are
    skipped.

    Raises:
        DataError: not readable, or a line that is neither; names the line.
    """
    positions: list[int] = []
    names: dict[str, int] | None = None
    length = len(dataset)
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}); give a text file with one record's position or name a line"
        ) from error
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.isascii() and text.isdecimal() and int(text) < length:
            positions.append(int(text))
            continue
        if names is None:  # made when it is needed: a list of positions has no use for millions of names
            names = {dataset.record_name(i): i for i in range(length)}
        if text not in names:
            raise DataError(
                f"{path}, line {number}: {text!r} is no record position (0 to {length - 1}) and no record's name "
                f"(such as {dataset.record_name(0)!r}); correct the line"
            )
        positions.append(names[text])
    return np.array(positions, np.int64)


def _listed(path: str, dataset: Dataset) -> NDArray[np.bool_]:
    mask = np.zeros(len(dataset), bool)
    mask[read_positions(path, dataset)] = True
    return mask
