"""How often each detector finds a face that wears a mask, and how far its points lie from the unmasked face's.

python experiments/masked_detection.py --data LFW/photographs --out WORK/masked_detection
python experiments/masked_detection_page.py --out WORK/masked_detection --page docs/experiments/masked_detection.md

Every mask style is drawn on the same photographs, by the points that MTCNN finds without a mask; those are what all
points are measured against. ``--out`` gets a JSON for each style; those that are there already are skipped.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.cli import parser, progress, run, tell
from fairface.errors import DataError
from fairface.faces.detect import FaceDetector
from fairface.faces.detectors import make_detector
from fairface.faces.find import find_main
from fairface.faces.masks.draw import draw_mask
from fairface.faces.masks.parameters import MaskChoice
from fairface.faces.masks.pose import MaskRefusedError
from fairface.faces.masks.styles import STYLES
from fairface.faces.mtcnn import MtcnnConfig
from fairface.faces.photographs import list_photographs, read_photograph
from fairface.files import atomic_write

NONE = "no mask"
DETECTORS = {name: tuple(name.split(",")) for name in ("mtcnn", "centerface", "mtcnn,centerface")}
PARTS = {"eyes": slice(0, 2), "nose": slice(2, 3), "mouth": slice(3, 5)}
Image = NDArray[np.uint8]
Points = NDArray[np.float32]


def main(argv: Sequence[str]) -> None:
    options = parser("Detection under drawn masks, by style and detector.")
    options.add_argument("--data", required=True, help="folder of photographs with one main face each")
    options.add_argument("--out", required=True, help="folder for one JSON per style")
    options.add_argument("--photographs", type=int, default=400, help="as many, spread evenly over the sorted names")
    options.add_argument("--seed", type=int, default=0)
    args = options.parse_args(argv)
    cv2.setNumThreads(1)
    names = list_photographs(args.data)[0]
    names = [names[place] for place in np.unique(np.linspace(0, len(names) - 1, args.photographs).round().astype(int))]
    detectors = {name: make_detector(chosen, MtcnnConfig()) for name, chosen in DETECTORS.items()}
    faces, without = reference(Path(args.data), names, detectors["mtcnn"])
    tell([f"{len(faces)} photographs; {len(without)} more in which MTCNN finds no face without a mask are left out"])
    os.makedirs(args.out, exist_ok=True)
    for style in progress((NONE, *STYLES), label="styles"):
        path = Path(args.out) / f"{style.replace(' ', '_')}.json"
        job = {"style": style, "photographs": len(faces), "left_out": without, "seed": args.seed}
        if not finished(path, job):
            result = measure(faces, style, args.seed, detectors)
            with atomic_write(path, "w", encoding="utf-8") as file:
                json.dump({**job, **result}, file, indent=1)


def finished(path: Path, job: Mapping[str, Any]) -> bool:
    """Whether the result of this job is there.

    Raises:
        DataError: another job's is.
    """
    if not path.exists():
        return False
    there = json.loads(path.read_text(encoding="utf-8"))
    if any(there.get(key) != value for key, value in job.items()):
        raise DataError(f"{path}: is the result of other photographs or another seed; choose another --out")
    return True


def reference(
    folder: Path, names: Sequence[str], mtcnn: FaceDetector
) -> tuple[dict[str, tuple[Image, Points]], list[str]]:
    """Image and points by name, and the names without a face."""
    faces: dict[str, tuple[Image, Points]] = {}
    without = []
    for name in names:
        rgb = read_photograph(folder / name, name)
        points = find_main(mtcnn, rgb, name, count=False).points
        if points is None:
            without.append(name)
        else:
            faces[name] = (rgb, points)
    return faces, without


def measure(
    faces: Mapping[str, tuple[Image, Points]], style: str, seed: int, detectors: Mapping[str, FaceDetector]
) -> dict[str, Any]:
    """Per detector: the distance of every photograph's points, in parts of the distance of its eyes; ``None``: no face.

    ``refused`` names the photographs on which no mask can be drawn.
    """
    found: dict[str, list[dict[str, float] | None]] = {name: [] for name in detectors}
    refused = []
    for name, (rgb, points) in faces.items():
        try:
            image = rgb if style == NONE else draw(rgb, points, style, seed + zlib.crc32(name.encode()))
        except MaskRefusedError:
            refused.append(name)
            continue
        for which, detector in detectors.items():
            seen = find_main(detector, image, name, count=False).points
            found[which].append(None if seen is None else distances(seen, points))
    return {"refused": refused, "detectors": found}


def draw(rgb: Image, points: Points, style: str, seed: int) -> Image:
    """The photograph with a mask over nose and mouth."""
    return draw_mask(rgb, points, MaskChoice((style,), nose_out=0, chin=0), seed=seed).image


def distances(seen: Points, points: Points) -> dict[str, float]:
    """Mean distance of all points and of each part's, divided by the distance between the eyes."""
    eyes = float(np.linalg.norm(points[1] - points[0]))
    away = np.linalg.norm(seen.astype(np.float64) - points, axis=1) / eyes
    parts = {part: float(away[where].mean()) for part, where in PARTS.items()}
    return {"all": float(away.mean()), **parts}


if __name__ == "__main__":
    run(main)
