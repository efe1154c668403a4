"""Where the landmarks of a folder's images come from: a table, or the template that crops are aligned to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.faces.align import similarity, template
from fairface.faces.align_settings import SETTINGS
from fairface.faces.folder import LANDMARKS
from fairface.faces.landmarks import Landmarks, read_landmarks
from fairface.parsing import parse_json

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PointSource:
    """Landmarks by image name.

    Attributes:
        rows: a table; ``None`` takes every image as an aligned crop.
        size: where the table is of the photographs before alignment, the side of the crops that were made of them;
            0 where it is of the images themselves.
    """

    rows: Mapping[str, Landmarks] | None = None
    size: int = 0

    def of(self, name: str, shape: tuple[int, ...]) -> Floats | None:
        """The ``(5, 2)`` points of an image of ``shape``; ``None`` where the table has none.

        Raises:
            DataError: no table, and the image is not square.
        """
        if self.rows is None:
            if shape[0] != shape[1]:
                raise DataError(
                    f"{name}: {shape[1]}x{shape[0]} pixels, so it is no aligned crop; give a table of landmarks "
                    "(data_process/align.py writes one)"
                )
            return template(shape[0])
        row = self.rows.get(_key(name) if self.size else name)
        if row is None or row.points is None:
            return None
        points = row.points.astype(np.float64)
        if not self.size:
            return points
        matrix = similarity(points, self.size)
        return np.asarray((points @ matrix[:, :2].T + matrix[:, 2]) * (shape[0] / self.size))


def point_source(folder: Path, table: Path | None = None) -> PointSource:
    """Landmarks of the images of ``folder``: of ``table``, else those that align.py left in it, else the template's.

    The table that align.py leaves beside its crops is of the photographs before; it is turned with them, so that crops
    of a head that looks aside get a mask that does so too.

    Raises:
        DataError: a table or align.py's settings that cannot be read.
    """
    own = folder / LANDMARKS
    aligned = (folder / SETTINGS).is_file() and own.is_file()
    if aligned and (table is None or table.resolve() == own.resolve()):
        return PointSource({_key(name): row for name, row in read_landmarks(own).items()}, _size_of(folder / SETTINGS))
    return PointSource(None if table is None else read_landmarks(table))


def _key(name: str) -> str:
    """A crop has its photograph's name with another suffix."""
    return str(PurePosixPath(name).with_suffix(""))


def _size_of(path: Path) -> int:
    try:
        size = parse_json(path.read_text(encoding="utf-8"))["size"]
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise DataError(f"{path}: not the settings of an alignment; align the photographs again") from error
    if not isinstance(size, int) or size < 1:
        raise DataError(f"{path}: size is {size!r}; align the photographs again")
    return size
