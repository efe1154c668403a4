"""The evaluation on the embedded data: the test split's photographs, pairs and attributes as files."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from fairface.checkpoints import run_folder
from fairface.errors import CheckpointError, ConfigError, DataError
from fairface.files import atomic_write
from fairface.protocols.challenge import HEADER
from fairface.recipes.orl import ALIGNMENT, SPLITS
from fairface.recipes.orl_source import IMAGES, orl_photographs

THREE_STEP, HARD = "orl_fair_step3", "orl_hard_step2"
MADE_BY = {THREE_STEP: "./fairface_finetune.sh all", HARD: "./hard_sample_finetune.sh"}
PROTECTED, LEGITIMATE = ("glasses",), ("pose",)
ENLARGE, BORDER = ALIGNMENT.enlarge, ALIGNMENT.border
DATA = Path("datasets/orl")
INPUT = "input"
MARKER = ".demo"


@dataclass(frozen=True)
class DemoFiles:
    """Where the demonstration lies.

    Attributes:
        test, calibration: folders of the photographs of identities 31-40 and 27-30.
        aligned: they hold aligned faces, since the photographs could not be had.
        template: all pairs of the test identities' photographs.
        attributes: of all these photographs; the column ``person`` says who is shown.
        notes: remarks.
    """

    test: Path
    calibration: Path
    aligned: bool
    template: Path
    attributes: Path
    notes: tuple[str, ...] = ()


def require_models(names: Iterable[str] = tuple(MADE_BY), output: str = "models") -> None:
    """Refuse to begin where the stages did not make the models ``names`` yet.

    Raises:
        CheckpointError: names the model and the command that makes it.
    """
    for name in names:
        try:
            run_folder(name, output)
        except CheckpointError as error:
            command = MADE_BY[name]
            raise CheckpointError(f"{Path(output) / name}: does not exist yet; create it with {command}") from error


def lay_out_demo(folder: Path, data: Path = DATA) -> DemoFiles:
    """Write the photographs (``s31_1.pgm`` …), pairs and attributes below ``folder``.

    Where the photographs cannot be had, the faces that ``data_process/prepare_orl.py`` aligned are taken.

    Raises:
        ConfigError: what lies there already was not laid out so.
        DataError: neither can be had, or a file cannot be written.
    """
    _claim(folder)
    notes: tuple[str, ...] = ()
    places = {stem: folder / INPUT / split for split, stems in _stems().items() for stem in stems}
    photographs = [place / f"{stem}.pgm" for stem, place in places.items()]
    aligned = False
    if not all(path.is_file() for path in photographs):
        try:
            contents = {_id(name): content for name, content in orl_photographs().items()}
        except DataError as error:
            aligned, notes = True, (f"aligned faces are used instead of the photographs: {error}",)
            contents = _aligned_faces(data / "aligned", error)
        for stem, place in places.items():
            with atomic_write(place / (stem + (".png" if aligned else ".pgm"))) as file:
                file.write(contents[stem])
    for stem, place in places.items():  # of an earlier run that had the other kind
        (place / (stem + (".pgm" if aligned else ".png"))).unlink(missing_ok=True)
    template, attributes = folder / INPUT / "pairs.csv", folder / INPUT / "attributes.csv"
    _write_csv(template, _pairs())
    _write_attributes(data / "attributes.csv", attributes)
    return DemoFiles(folder / INPUT / "test", folder / INPUT / "calibration", aligned, template, attributes, notes)


def _claim(folder: Path) -> None:
    """Mark the input in ``folder`` as a demonstration's; one that is not marked is known by its pairs."""
    place = folder / INPUT
    if not (place / MARKER).exists():
        found = min((path for path in place.rglob("*") if not path.is_dir()), default=None)
        if found is not None and not _holds_pairs(place / "pairs.csv"):
            raise ConfigError(
                f"{folder}: holds {found.relative_to(folder)}, which no demonstration wrote; choose another --output"
            )
        with atomic_write(place / MARKER):
            pass


def _holds_pairs(path: Path) -> bool:
    try:
        return path.read_text(encoding="utf-8").splitlines() == [",".join(row) for row in _pairs()]
    except (OSError, ValueError):
        return False


def _pairs() -> list[tuple[str, str, str]]:
    return [HEADER, *((a, b, "0") for a, b in combinations(_stems()["test"], 2))]


def _stems() -> dict[str, list[str]]:
    """The ids of the photographs: those that are scored, and those of other identities to fix the threshold on."""
    identities = {"test": SPLITS["test"], "calibration": SPLITS["validation"]}
    return {
        split: [f"s{number}_{image}" for number in numbers for image in range(1, IMAGES + 1)]
        for split, numbers in identities.items()
    }


def _id(name: str) -> str:
    """``s31/1.pgm`` -> ``s31_1``."""
    return os.path.splitext(name)[0].replace("/", "_")


def _aligned_faces(folder: Path, reason: DataError) -> dict[str, bytes]:
    found = {_id(path.relative_to(folder).as_posix()): path.read_bytes() for path in folder.glob("s*/*.png")}
    if not {stem for stems in _stems().values() for stem in stems} <= set(found):
        raise DataError(
            f"{folder}: does not hold all aligned faces either; run data_process/prepare_orl.py on a machine with "
            f"a network ({reason})"
        ) from reason
    return found


def _write_attributes(source: Path, target: Path) -> None:
    with source.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kept = [name for name in rows[0] if name not in ("subject", "image")]
    lines = [[f"s{row['subject']}_{row['image']}", f"s{row['subject']}", *(row[name] for name in kept)] for row in rows]
    _write_csv(target, [["image", "person", *kept], *lines])


def _write_csv(path: Path, rows: Iterable[Iterable[str]]) -> None:
    with atomic_write(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
