"""Which identity an image shows, as a list says it: TinyFace's MATLAB files, or a CSV of image and identity."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np

from fairface.data.table import read_csv_table
from fairface.errors import DataError
from fairface.quantity import quantity

_PARTS = ("gallery", "probe")


def read_identities(path: str | os.PathLike[str]) -> dict[str, str]:
    """Identity by image name.

    Raises:
        DataError: the file cannot be read, holds no such list, or gives an image two identities.
    """
    pairs = _of_matlab(Path(path)) if Path(path).suffix.lower() == ".mat" else _of_csv(path)
    found: dict[str, str] = {}
    for image, identity in pairs:
        if found.setdefault(image, identity) != identity:
            raise DataError(f"{path}: {image} is identity {found[image]} and {identity}; keep one of the lines")
    return found


def _of_csv(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    table = read_csv_table(path)
    return list(zip(table.filled("image", "file", "name"), table.filled("identity", "subject", "id"), strict=True))


def _of_matlab(path: Path) -> list[tuple[str, str]]:
    """``gallery_set`` and ``gallery_ids``, or ``probe_set`` and ``probe_ids``, in TinyFace's ``*_img_ID_pairs.mat``."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(path, squeeze_me=True)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); correct the path") from error
    except (ValueError, TypeError, NotImplementedError, MatReadError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read as MATLAB file ({error}); give TinyFace's, or a CSV") from error
    for part in _PARTS:
        images, identities = content.get(f"{part}_set"), content.get(f"{part}_ids")
        if images is not None and identities is not None:
            names = [str(name) for name in np.ravel(images).tolist()]
            numbers = [str(number) for number in np.ravel(identities).tolist()]
            if len(names) != len(numbers):
                raise DataError(
                    f"{path}: {quantity(len(names), 'image')} but {quantity(len(numbers), 'identity')}; give "
                    "TinyFace's own file"
                )
            return list(zip(names, numbers, strict=True))
    raise DataError(f"{path}: holds neither gallery_set and gallery_ids nor probe_set and probe_ids; give a CSV")
