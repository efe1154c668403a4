"""Find the five landmarks of every photograph of a list: what img2tfrecord.py takes as --pts_list.

Example: python data_process/make_pts_list.py --img_list images.txt --pts_list points.txt
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from fairface.console import Console
from fairface.data.packing.names import read_image_list
from fairface.errors import ConfigError, DataError
from fairface.faces.detectors import MTCNN, NAMES, named_detectors
from fairface.faces.find_points import PointSearch, find_points
from fairface.faces.landmarks import Landmarks, read_landmarks
from fairface.faces.mtcnn import MtcnnConfig
from fairface.faces.point_list import write_point_list
from fairface.files import atomic_write
from fairface.hardware import usable_cores
from fairface.programs.catalog import options_of
from fairface.quantity import quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    args = _arguments(argv, prog)
    console = Console.of(args)
    names = list(dict.fromkeys(read_image_list(args.img_list)[0]))
    rows, problems = _search(args, names, console)
    if problems and not args.skip_bad:
        first, problem = next(iter(problems.items()))
        raise DataError(f"{first}: {problem}; {len(problems)} cannot be read: restore them, or use --skip-bad")
    written = write_point_list(args.pts_list, rows.values())
    faceless = [name for name in names if name not in rows or rows[name].points is None]
    text = f"{args.pts_list}: landmarks of {written} of {quantity(len(names), 'photograph')}"
    if faceless:
        path = Path(args.pts_list).with_suffix(".no_face.txt")
        with atomic_write(path, "w", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in faceless)
        text += f"\n{path}: {quantity(len(faceless), 'photograph')} without a face, first {faceless[0]}"
    counts = {"photographs": len(names), "found": written, "no_face": faceless, "unreadable": problems}
    console.show({"output": args.pts_list, **counts}, text)


def _search(
    args: argparse.Namespace, names: list[str], console: Console
) -> tuple[Mapping[str, Landmarks], dict[str, str]]:
    """The landmarks by name, from the table that is named or by the detector, and what cannot be read."""
    if args.landmarks:
        known = read_landmarks(args.landmarks)
        return {name: known.get(name, Landmarks(name, 0, None, None)) for name in names}, {}
    detectors = named_detectors(args.detector)
    if detectors is None:
        raise ConfigError(
            f"--detector {args.detector}: a RetinaFace model runs in data_process/align.py only; give the "
            f"landmarks.csv that it writes with --landmarks, or name {', '.join(NAMES)} or several of them here"
        )
    search = PointSearch(MtcnnConfig(args.min_face), args.enlarge, args.border, detectors)
    with console.progress(total=len(names), label="detect", unit="img") as bar:
        return find_points(args.root, names, search, args.jobs, bar.update)


def _arguments(argv: Sequence[str], prog: str) -> argparse.Namespace:
    options = options_of("landmarks", prog)
    options.add_argument("--img_list", required=True, help="list of photographs, one path per line")
    options.add_argument("--pts_list", required=True, help="file to write")
    options.add_argument("--root", default=".", help="folder that the paths of the list are below")
    options.add_argument(
        "--landmarks", help="take them from landmarks.csv of data_process/align.py, without a detector"
    )
    options.add_argument(
        "--detector",
        default=MTCNN,
        metavar="NAME",
        help=f"{', '.join(NAMES)}, or several with commas in the order of trying; default: {MTCNN}",
    )
    options.add_argument("--enlarge", type=float, default=1.0, help="enlarge photographs for the detector")
    options.add_argument("--border", type=int, default=0, help="then extend them by this many pixels on each side")
    options.add_argument("--min-face", type=float, default=20.0, help="smallest face in pixels, after --enlarge")
    options.add_argument("--jobs", type=int, default=usable_cores(), help="processes")
    options.add_argument("--skip-bad", action="store_true", help="skip unreadable photographs")
    return options.parse_args(argv)
