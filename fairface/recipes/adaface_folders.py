"""Where AdaFace's ``--data_root``, ``--train_data_path`` and ``--val_data_path`` say that data are."""

from __future__ import annotations

from pathlib import Path

from fairface.data.opening import verification_sets
from fairface.errors import DataError
from fairface.protocols.five_sets import find_sets

IMGS = "imgs"


def placed(root: str, path: str, flag: str) -> Path:
    """``path`` below ``root``; where there is no such place, ``path`` itself, as the published ``train.sh`` means it
    (``--data_root ./all_data --train_data_path ./all_data/train_1/``). Without ``root`` it may be a data set's name.

    Raises:
        DataError: neither is there; ``flag`` names the path.
    """
    joined, alone = Path(root, path), Path(path)
    if joined.exists() or not root:
        return joined
    if alone.exists():
        return alone
    nor = "" if alone == joined else f", nor {alone}"
    raise DataError(f"{joined}: there is no such file or folder{nor}; correct --data_root or {flag}")


def training_data(place: Path, use_mxrecord: bool) -> Path:
    """What is trained on: the records in ``place`` where they are asked for, else the folder ``imgs`` in it, else
    whatever it is.

    Raises:
        DataError: records are asked for and there are none.
    """
    if use_mxrecord:
        if place.is_dir() and not any(place.glob("*.rec")):
            raise DataError(f"{place}: holds no train.rec; leave out --use_mxrecord to read a folder of images")
        return place
    return place / IMGS if (place / IMGS).is_dir() else place


def validation_sets(folder: Path) -> list[str]:
    """The sets that are scored while a model trains: those of the five (:mod:`fairface.protocols.five_sets`) that are
    there, else every set in the folder, by name.

    Raises:
        DataError: no such folder, or no set in it.
    """
    found = find_sets(folder)
    paths = [found.paths[title] for title in found.of_the_five] or list(verification_sets(folder).values())
    if not paths:
        raise DataError(
            f"{folder}: holds no verification set (lfw.bin, agedb_30.bin … or memory files of them); name their "
            "folder, or leave out --val_data_path"
        )
    return [str(path) for path in paths]
