"""The embedded people laid out as two generated data sets: a reference image of each identity, and its variants.

As in face_synthetics (Geissbühler, Otroshi Shahreza and Marcel 2024, "Synthetic Face Datasets Generation
via Latent Space Exploration from Brownian Identity Diffusion"): ``images_arcface_112x112/<identity>/<label>.png``, the
label of a reference being ``reference``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fairface.errors import DataError
from fairface.files import atomic_write
from fairface.recipes.orl import SPLITS
from fairface.recipes.orl_source import IMAGES

IMAGES_FOLDER = "images_arcface_112x112"
REFERENCE = 1  # number of the photograph that stands for the person


@dataclass(frozen=True)
class Generated:
    """The two folders of identities, and how many images were written for them."""

    references: Path
    variants: Path
    written: int


def write_generated(aligned: Path, target: Path) -> Generated:
    """Copy the aligned photographs of the training people (split ``base``) to ``target/references`` and
    ``target/variants``; what is there already stays.

    Raises:
        DataError: a photograph is missing, or a file cannot be written.
    """
    folders = [target / kind / IMAGES_FOLDER for kind in ("references", "variants")]
    written = 0
    for identity in SPLITS["base"]:
        for image in range(1, IMAGES + 1):
            label = "reference" if image == REFERENCE else f"{image}"
            path = folders[image != REFERENCE] / f"{identity:05d}" / f"{label}.png"
            written += _copied(aligned / f"s{identity}" / f"{image}.png", path)
    return Generated(folders[0], folders[1], written)


def _copied(source: Path, path: Path) -> bool:
    try:
        content = source.read_bytes()
        if path.is_file() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}; run data_process/prepare_orl.py --force") from error
    with atomic_write(path) as file:
        file.write(content)
    return True
