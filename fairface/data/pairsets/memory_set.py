"""Verification sets as memory files: decoded once, then mapped into memory instead of being read.

A set ``lfw`` in a folder is ``lfw/memfile/mem_file.dat`` (the pixels, nothing else), ``mem_file.dat.conf`` beside it
(JSON) and ``lfw_list.npy`` (which pairs are of one identity). AdaFace's are float32 (N, 3, H, W) BGR from -1 to 1 with
only shape and dtype in the JSON; ours are uint8 (N, H, W, 3) RGB, a quarter of the size, and the JSON holds checksums.
It is written last, so a set without it is one that was not finished.
"""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from fairface.data.array import ArrayDataset
from fairface.data.types import UNLABELED
from fairface.errors import DataError
from fairface.parsing import parse_json
from fairface.quantity import quantity

REMEDY = "make it again with data_process/convert.py --make_validation_memfiles"
_OURS = {"shape", "dtype", "layout", "colour", "source", "swapped", "crc32c", "list_crc32c"}
_ADAFACE = {"shape", "dtype"}
_BLOCK = 1 << 24
_CHUNK = 256
_DIMENSIONS = 4


@dataclass(frozen=True)
class MemorySet:
    """``images (2M, H, W, 3)`` uint8 RGB, mapped into memory where the file holds them so; ``same (M,)`` bool."""

    images: NDArray[np.uint8]
    same: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.same)


class MemoryDataset(ArrayDataset):
    """The images of memory files, unlabeled.

    Raises:
        DataError: see :func:`read_memory_set`.
    """

    def __init__(self, folder: str | os.PathLike[str], check: bool = True) -> None:
        images = read_memory_set(folder, check).images
        super().__init__(images, np.full(len(images), UNLABELED), num_classes=0)
        self.title = os.fspath(folder)
        self._check_again = check

    def __reduce__(self) -> tuple[type[MemoryDataset], tuple[str, bool]]:
        return MemoryDataset, (self.title, self._check_again)

    def name(self, index: int) -> str:
        return f"{self.title}, image {self._check(index)}"


def data_file(folder: Path) -> Path:
    """Where the pixels of the set in ``folder`` are."""
    return folder / "memfile" / "mem_file.dat"


def conf_file(folder: Path) -> Path:
    """Where the JSON of the set in ``folder`` is."""
    return folder / "memfile" / "mem_file.dat.conf"


def list_file(folder: Path) -> Path:
    """Where the pairs of the set in ``folder`` are."""
    return folder.parent / f"{folder.name}_list.npy"


def is_memory_set(folder: Path) -> bool:
    """Whether there are memory files in ``folder``, finished or not."""
    return data_file(folder).parent.is_dir()


def read_memory_set(folder: str | os.PathLike[str], check: bool = True) -> MemorySet:
    """Read memory files, ours or AdaFace's. ``check`` compares the checksums where the set has them: it reads all.

    Raises:
        DataError: the set is not finished, damaged, or of an unknown form.
    """
    place = Path(folder)
    conf = read_conf(place)
    data = data_file(place)
    shape, dtype = tuple(conf["shape"]), np.dtype(conf["dtype"])
    wanted = math.prod(shape) * dtype.itemsize
    size = data.stat().st_size if data.is_file() else 0
    if size != wanted:
        raise DataError(f"{data}: has {size} bytes, not the {wanted} of an array {shape} of {dtype}; {REMEDY}")
    same = _read_list(list_file(place))
    if 2 * len(same) != shape[0]:
        raise DataError(
            f"{list_file(place)}: tells of {quantity(len(same), 'pair')}, but there are "
            f"{quantity(shape[0], 'image')}; {REMEDY}"
        )
    if check and "crc32c" in conf:
        for file, key in ((data, "crc32c"), (list_file(place), "list_crc32c")):
            if crc_of(file) != conf[key]:
                raise DataError(f"{file}: has changed since it was written (its checksum is wrong); {REMEDY}")
    mapped: NDArray[Any] = np.memmap(data, dtype, "r", shape=shape)
    return MemorySet(mapped if dtype == np.uint8 else _from_adaface(mapped, data), same)


def read_conf(folder: Path) -> dict[str, Any]:
    """The JSON of the set in ``folder``.

    Raises:
        DataError: it is missing (the set was not finished), damaged, or describes something else.
    """
    path = conf_file(folder)
    try:
        conf = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path}: is missing, so the set was not finished; {REMEDY}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error}); {REMEDY}") from error
    if not isinstance(conf, dict) or not (_is_ours(conf) or _is_adaface(conf)):
        raise DataError(f"{path}: does not describe memory files of a known form; {REMEDY}")
    return conf


def crc_of(path: Path) -> int:
    """CRC-32C of a file.

    Raises:
        DataError: it cannot be read.
    """
    crc = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                crc = google_crc32c.extend(crc, block)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); {REMEDY}") from error
    return crc


def _is_ours(conf: dict[str, Any]) -> bool:
    form = (conf.get("dtype"), conf.get("layout"), conf.get("colour"))
    return set(conf) == _OURS and form == ("uint8", "NHWC", "RGB") and _is_shape(conf["shape"], 3)


def _is_adaface(conf: dict[str, Any]) -> bool:
    return set(conf) == _ADAFACE and conf["dtype"] == "float32" and _is_shape(conf["shape"], 1)


def _is_shape(shape: Any, channels_at: int) -> bool:
    numbers = isinstance(shape, list) and len(shape) == _DIMENSIONS and all(type(side) is int for side in shape)
    return numbers and min(shape) > 0 and shape[channels_at] == 3


def _read_list(path: Path) -> NDArray[np.bool_]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a damaged header: the error tells
            same = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, TokenError, TypeError, MemoryError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: cannot be read as a list of true and false ({reason}); {REMEDY}") from error
    plain = isinstance(same, np.ndarray) and same.ndim == 1 and same.dtype.kind in "biu"
    if not plain or not np.isin(same, (0, 1)).all():
        raise DataError(f"{path}: is no list of true and false; {REMEDY}")
    return same.astype(bool)


def _from_adaface(mapped: NDArray[np.float32], data: Path) -> NDArray[np.uint8]:
    """uint8 (N, H, W, 3) RGB of float32 (N, 3, H, W) BGR from -1 to 1."""
    images = np.empty((len(mapped), *mapped.shape[2:], 3), np.uint8)
    for first in range(0, len(mapped), _CHUNK):
        part = (mapped[first : first + _CHUNK, ::-1].transpose(0, 2, 3, 1) + 1) * 127.5
        if not (np.isfinite(part).all() and part.min() > -1 and part.max() < 256):
            raise DataError(f"{data}: holds values outside -1 to 1; {REMEDY}")
        images[first : first + _CHUNK] = np.rint(part)
    return images
