"""Prepare LFW for the experiments: align the photographs by given landmarks and pack each split.

python experiments/prepare_lfw.py --data LFW --out WORK/lfw
python experiments/prepare_lfw.py --data LFW --out WORK/lfw_dlib --layout dlib --splits finetune,test

``LFW`` holds base.tar, finetune.tar, validation.tar, test.tar and single.tar (``<identity>/<photo>.jpg``),
landmarks.csv, identities.csv (identity, sex, images, split) and the pair lists test_pairs.csv and validation_pairs.csv.
For each split there come ``<split>/train.rec`` with the attribute sex, for validation and test also
``<split>_pairs.csv`` beside the aligned photographs, with who is shown and their sex. LFW is no part of this project;
nothing but experiments needs it.
"""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from fairface.cli import parser, progress, run, table, tell
from fairface.data.packing.plan import Photo, numbered
from fairface.data.packing.recordio import PackOptions, pack_plan
from fairface.data.recordio.notes import AttributeNotes
from fairface.errors import DataError
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig
from fairface.faces.landmarks import Landmarks, read_landmarks
from fairface.faces.layouts import ARCFACE, LAYOUTS, SIZES
from fairface.files import atomic_write
from fairface.hardware import usable_cores

SPLITS = ("base", "finetune", "validation", "test", "single")
PAIRED = ("validation", "test")
SEXES = ("m", "f")
QUALITY = 100


def sexes_of(path: Path) -> dict[str, str]:
    """Identity to sex.

    Raises:
        DataError: a missing column or another value.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"identity", "sex"} <= set(rows[0]):
        raise DataError(f"{path}: needs the columns identity and sex; give LFW's list of identities")
    strange = [row for row in rows if row["sex"] not in SEXES]
    if strange:
        who, sex = strange[0]["identity"], strange[0]["sex"]
        raise DataError(f"{path}: {who} has sex {sex!r}, not one of {', '.join(SEXES)}")
    return {row["identity"]: row["sex"] for row in rows}


def prepare_split(
    data: Path, out: Path, split: str, landmarks: Mapping[str, Landmarks], sexes: Mapping[str, str],
    layout: str = ARCFACE,
) -> int:  # fmt: skip
    """Align and pack one split; returns its number of photographs.

    A training photograph without landmarks is named and left out; one that is compared may not be missing.

    Raises:
        DataError: a photograph cannot be used, or its person has no sex.
    """
    aligned = out / "aligned" / split
    config = AlignConfig(SIZES[layout], quality=QUALITY, layout=layout)
    with TemporaryDirectory(prefix="fairface-lfw-") as folder:
        with tarfile.open(data / f"{split}.tar") as tar:
            tar.extractall(folder, filter="data")
        report = align_folder(folder, aligned, config, landmarks=landmarks, jobs=usable_cores())
    lost = [*report.no_face, *(name for name, _ in report.unreadable)]
    if lost and (split in PAIRED or report.unreadable):
        raise DataError(f"{data / split}.tar: {len(lost)} photographs cannot be used ({lost[0]} first)")
    tell(f"{split}: {name} has no landmarks and was left out" for name in lost)
    names = sorted(str(path.relative_to(aligned)) for path in aligned.glob("*/*.jpg"))
    rows = []
    for name in names:
        person = name.split("/")[0]
        if person not in sexes:
            raise DataError(f"{data / 'identities.csv'}: no row for {person}")
        rows.append((person, Photo(str(aligned / name), 0, attributes=(SEXES.index(sexes[person]),))))
    plan = numbered(data / f"{split}.tar", rows, AttributeNotes(("sex",), {"sex": SEXES}))
    pack_plan(plan, out / split, PackOptions(size=SIZES[layout], quality=QUALITY, workers=usable_cores()))
    return len(names)


def write_pairs(source: Path, target: Path, sexes: Mapping[str, str]) -> None:
    """The pair list with who is shown on each side and their sex."""
    with source.open(newline="", encoding="utf-8") as file, atomic_write(target, "w", encoding="utf-8") as out:
        out.write("image_a,image_b,same,subject_a,subject_b,sex_a,sex_b\n")
        for row in csv.DictReader(file):
            a, b = (row[key].split("/")[0] for key in ("image_a", "image_b"))
            out.write(f"{row['image_a']},{row['image_b']},{row['same']},{a},{b},{sexes[a]},{sexes[b]}\n")


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, metavar="DIR", help="LFW's tar files and lists")
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    options.add_argument("--splits", default=",".join(SPLITS), help="comma-separated")
    options.add_argument("--layout", choices=LAYOUTS, default=ARCFACE, help="dlib: crops for dlib's net")
    args = options.parse_args(argv)
    landmarks, sexes = read_landmarks(args.data / "landmarks.csv"), sexes_of(args.data / "identities.csv")
    splits = args.splits.split(",")
    counts = [
        [split, prepare_split(args.data, args.out, split, landmarks, sexes, args.layout)]
        for split in progress(splits, label="splits", unit="split")
    ]
    for split in set(PAIRED) & set(splits):
        target = args.out / "aligned" / split / f"{split}_pairs.csv"
        write_pairs(args.data / f"{split}_pairs.csv", target, sexes)
    print(table(counts, ["split", "photographs"]))


if __name__ == "__main__":
    run(main)
