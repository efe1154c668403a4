"""insightface's verification sets: a pickle of (encoded images, same); image 2i is compared with image 2i+1."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.data.pairsets.plain_arrays import CALLS, NAMES, PlainArray
from fairface.errors import DataError
from fairface.files import atomic_write
from fairface.quantity import quantity
from fairface.safe_pickle import DamagedPickleError, PickleMachine, UnsafePickleError

PROTOCOL = 5


@dataclass(frozen=True)
class BinSet:
    """``images``: 2M encoded images; ``same``: (M,) bool, whether images 2i and 2i+1 show the same identity."""

    images: list[bytes]
    same: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.same)


def read_bin(path: str | os.PathLike[str]) -> BinSet:
    """Read a ``.bin`` file without running any code that it may carry.

    Raises:
        DataError: missing, no pickle, not of this form, or it asks for more than plain data.
    """
    file = Path(path)
    try:
        with file.open("rb") as stream:
            content = PickleMachine(CALLS, names=NAMES, old_strings_are_bytes=True).load(stream)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); correct the path") from error
    except UnsafePickleError as error:
        raise DataError(
            f"{file}: refused, {error}; a verification set needs images and booleans only: "
            f"get it from a source you trust or make it with data_process/make_bin.py"
        ) from error
    except DamagedPickleError as error:
        raise DataError(
            f"{file}: is no whole insightface verification set, its pickle is damaged ({error}); "
            f"copy it again or make it with data_process/make_bin.py"
        ) from error
    return _checked(file, content)


def _checked(file: Path, content: Any) -> BinSet:
    if not isinstance(content, (list, tuple)) or len(content) != 2:
        raise DataError(
            f"{file}: does not hold (images, same), the form of a verification set; "
            f"make it with data_process/make_bin.py"
        )
    images, same = (_items(part) for part in content)
    if len(same) == 0 or len(images) != 2 * len(same):
        raise DataError(
            f"{file}: holds {quantity(len(images), 'image')} for {quantity(len(same), 'pair')}, not two a pair; "
            f"copy it again or make it with data_process/make_bin.py"
        )
    wrong = next((i for i, value in enumerate(same) if value not in (0, 1)), None)
    if wrong is not None:
        raise DataError(f"{file}: pair {wrong} is neither same nor different (true or false); make the set again")
    return BinSet([_image(file, i, image) for i, image in enumerate(images)], np.array(same, np.bool_))


def _items(part: Any) -> list[Any]:
    if isinstance(part, PlainArray):
        return part.values.ravel().tolist() if _is_column(part) else []
    return list(part) if isinstance(part, (list, tuple)) else []


def _is_column(array: PlainArray) -> bool:
    """Whether it is (N,), or (N, 1) as older versions of OpenCV's imencode give images, or (1, N)."""
    shape = array.values.shape
    return len(shape) == 1 or (len(shape) == 2 and 1 in shape)


def _image(file: Path, position: int, image: Any) -> bytes:
    if isinstance(image, PlainArray) and _is_column(image) and image.values.dtype == np.uint8:
        return image.values.tobytes()
    if isinstance(image, (bytes, bytearray)):
        return bytes(image)
    raise DataError(f"{file}: image {position} is no encoded image (bytes); make the set again")


def write_bin(path: str | os.PathLike[str], images: Sequence[bytes], same: ArrayLike) -> None:
    """Write a ``.bin`` file as insightface reads it.

    Args:
        images: 2M encoded images.
        same: (M,) whether images 2i and 2i+1 show the same identity.

    Raises:
        DataError: not two images a pair, or the file cannot be written.
    """
    flags = [bool(value) for value in np.asarray(same).ravel()]
    if not flags or len(images) != 2 * len(flags):
        raise DataError(
            f"{path}: {quantity(len(images), 'image')} for {quantity(len(flags), 'pair')}; give two a pair, and one "
            "pair at least"
        )
    with atomic_write(path) as file:
        pickle.dump((list(images), flags), file, protocol=PROTOCOL)
