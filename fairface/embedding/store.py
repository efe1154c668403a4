"""Embeddings on disk: ``embeddings.npz``, or a plain ``.npy`` with ``names.txt`` beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.data.npz import UNREADABLE, refuse_bomb, write_npz
from fairface.embedding.codes import whole_numbers
from fairface.errors import DataError
from fairface.parsing import parse_json
from fairface.quantity import agree, quantity

NAMES_FILE = "names.txt"
ATTRIBUTE_VALUES = "attribute_values"  # in meta: what the codes of an attribute stand for


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of N images and what is known about them.

    Attributes:
        embeddings: (N, D) float32, not normalised.
        names: N image names.
        meta: how they were made (model, flip, data set …), whatever JSON can hold; ``attribute_values`` names for each
            attribute what its codes 0, 1, … stand for.
        labels: (N,) int32 identities, -1 unlabeled; empty where not stored.
        attributes: (N, K) int8, -1 unknown; (0, 0) where not stored.
        attribute_names: K names.
    """

    embeddings: NDArray[np.float32]
    names: tuple[str, ...]
    meta: dict[str, Any] = field(default_factory=dict)
    labels: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    attributes: NDArray[np.int8] = field(default_factory=lambda: np.zeros((0, 0), np.int8))
    attribute_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


def save_embeddings(path: str | os.PathLike[str], stored: Embeddings) -> None:
    """Write ``stored`` as ``.npz``: embeddings, names, meta (JSON text) and, where there are any, labels, attributes
    and attribute_names. No pickled object is in the file, it is whole or not there at all, and only its owner can read
    it: embeddings are personal data.

    Raises:
        DataError: embeddings that :func:`load_embeddings` would refuse, another suffix, or a write that fails.
    """
    if Path(path).suffix != ".npz":
        raise DataError(f"{path}: embeddings are written as .npz; choose a name that ends in .npz")
    _check(stored, str(path))
    arrays: dict[str, NDArray[Any]] = {
        "embeddings": np.asarray(stored.embeddings, np.float32),
        "names": np.array(stored.names, np.str_),
        "meta": np.array(json.dumps(stored.meta)),
    }
    if len(stored.labels):
        arrays["labels"] = whole_numbers(np.asarray(stored.labels), np.int32, str(path), "labels")
    if stored.attributes.size:
        arrays["attributes"] = whole_numbers(np.asarray(stored.attributes), np.int8, str(path), "attributes")
        arrays["attribute_names"] = np.array(stored.attribute_names, np.str_)
    write_npz(path, arrays, personal=True)


def load_embeddings(path: str | os.PathLike[str]) -> Embeddings:
    """Read ``.npz`` (as :func:`save_embeddings` writes it; only ``embeddings`` and ``names`` are required) or ``.npy``
    with the names, one a line, in ``names.txt`` in the same folder.

    Raises:
        DataError: a file that is damaged, holds pickled objects or lacks an array; arrays that do not fit together;
            rows that are not finite; labels or attributes that are not whole numbers in their range (NaN is unknown).
    """
    source = Path(path)
    try:
        loaded = np.load(source, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            arrays: dict[str, NDArray[Any]] = {"embeddings": loaded, "names": _read_names(source.parent / NAMES_FILE)}
        else:
            with loaded:
                refuse_bomb(loaded.zip.infolist(), str(path))
                arrays = {key: loaded[key] for key in loaded.files}
    except UNREADABLE as error:
        raise DataError(
            f"{path}: cannot be read as .npz or .npy without pickled objects ({error}); write it again, "
            "as arrays of numbers and texts"
        ) from error
    for key in ("embeddings", "names"):
        if key not in arrays:
            raise DataError(f"{path}: has no array {key!r} (it holds {', '.join(arrays) or 'none'})")
    stored = Embeddings(
        embeddings=_as_float32(arrays["embeddings"], str(path)),
        names=tuple(str(name) for name in arrays["names"].ravel()),
        meta=_meta(arrays, str(path)),
        labels=whole_numbers(arrays.get("labels", np.zeros(0)), np.int32, str(path), "labels"),
        attributes=whole_numbers(arrays.get("attributes", np.zeros((0, 0))), np.int8, str(path), "attributes"),
        attribute_names=tuple(str(name) for name in arrays.get("attribute_names", np.zeros(0)).ravel()),
    )
    _check(stored, str(path))
    return stored


def _read_names(path: Path) -> NDArray[np.str_]:
    try:
        return np.array(path.read_text(encoding="utf-8").splitlines(), np.str_)
    except FileNotFoundError as error:
        raise DataError(f"{path}: is missing; a .npy file needs the image names in this file, one per line") from error


def _as_float32(values: NDArray[Any], source: str) -> NDArray[np.float32]:
    if values.dtype.kind not in "fiu":
        raise DataError(f"{source}: embeddings are of type {values.dtype}; they must be numbers")
    return values.astype(np.float32)


def _meta(arrays: Mapping[str, NDArray[Any]], source: str) -> dict[str, Any]:
    try:
        meta = parse_json(str(arrays.get("meta", "{}")))
    except json.JSONDecodeError as error:
        raise DataError(f"{source}: 'meta' is not JSON ({error})") from error
    if not isinstance(meta, dict):
        raise DataError(f"{source}: 'meta' is {type(meta).__name__}, not a JSON object")
    values = meta.get(ATTRIBUTE_VALUES, {})
    if not isinstance(values, dict) or not all(isinstance(of, list) for of in values.values()):
        raise DataError(
            f"{source}: {ATTRIBUTE_VALUES!r} in 'meta' is {str(values)[:80]}; write an object with a list for each "
            'attribute, such as {"sex": ["f", "m"]}'
        )
    return meta


def _check(stored: Embeddings, source: str) -> None:
    rows = stored.embeddings
    if rows.ndim == 2 and len(rows) == 0:
        raise DataError(f"{source}: embeddings have shape {rows.shape}, so there is none; give one image at least")
    if rows.ndim != 2 or 0 in rows.shape:
        raise DataError(f"{source}: embeddings have shape {rows.shape}; they must be (images, dimensions)")
    counts = {"names": len(stored.names), "labels": len(stored.labels), "attributes": len(stored.attributes)}
    for what, count in counts.items():
        if count != len(rows) and (count or what == "names"):
            raise DataError(
                f"{source}: {quantity(len(rows), 'embedding')} but {quantity(count, what.removesuffix('s'))}; give "
                "one for each embedding"
            )
    if stored.labels.ndim != 1:
        raise DataError(f"{source}: labels have shape {stored.labels.shape}; give one number for each embedding")
    if stored.attributes.ndim != 2 or stored.attributes.shape[1] != len(stored.attribute_names):
        raise DataError(
            f"{source}: attributes have shape {stored.attributes.shape} "
            f"but there {agree(len(stored.attribute_names), 'is', 'are')} "
            f"{quantity(len(stored.attribute_names), 'attribute name')}"
        )
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        shown = ", ".join(stored.names[index] for index in bad[:3])
        raise DataError(
            f"{source}: {len(bad)} of {quantity(len(rows), 'embedding')} {agree(len(bad), 'is', 'are')} not finite "
            f"({shown}{', …' if len(bad) > 3 else ''}); embed these images again or leave them out"
        )
