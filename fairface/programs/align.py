"""Find the main face of every photograph of a folder and write it aligned, with its landmarks in a table.

Example: python data_process/align.py photographs/ aligned/ --jobs 4
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict

from fairface.console import Console
from fairface.data.image_kinds import LeftOut
from fairface.errors import DataError
from fairface.faces.align import FILLS
from fairface.faces.align_report import FAILURES, NO_FACE, UNREADABLE, AlignReport
from fairface.faces.detect import FaceDetector
from fairface.faces.detectors import MTCNN, SPELLING, named_detectors
from fairface.faces.folder import LANDMARKS, align_folder
from fairface.faces.folder_worker import FORMATS, AlignConfig
from fairface.faces.landmarks import read_landmarks
from fairface.faces.layouts import ARCFACE, LAYOUTS, SIZES
from fairface.faces.mtcnn import MtcnnConfig
from fairface.hardware import usable_cores
from fairface.programs.catalog import options_of
from fairface.quantity import quantity


def _options(prog: str) -> argparse.ArgumentParser:
    options = options_of("align", prog)
    options.add_argument("source", help="folder of photographs, any depth")
    options.add_argument("target", help="output folder; crops keep their relative names")
    options.add_argument("--landmarks", help="CSV of landmarks to use instead of the detector")
    options.add_argument("--layout", choices=LAYOUTS, default=ARCFACE, help="dlib: crops for --model dlib only")
    options.add_argument("--size", type=int, help="width and height of a crop in pixels; default: 112, for dlib 150")
    options.add_argument("--format", choices=FORMATS, default="jpg")
    options.add_argument("--quality", type=int, default=95, help="JPEG quality")
    options.add_argument("--fill", choices=FILLS, default="black", help="fill for pixels outside the photograph")
    options.add_argument("--enlarge", type=float, default=1.0, help="enlarge photographs for the detector")
    options.add_argument("--border", type=int, default=0, help="then extend them by this many pixels on each side")
    options.add_argument("--min-face", type=float, default=20.0, help="smallest face in pixels, after --enlarge")
    options.add_argument("--factor", type=float, default=0.709, help="step of the image pyramid")
    options.add_argument("--thresholds", type=float, nargs=3, default=[0.6, 0.7, 0.9], help="of the three nets")
    options.add_argument(
        "--detector",
        default=MTCNN,
        metavar="NAME",
        help=f"{SPELLING} of insightface, run by MXNet in one process; default: {MTCNN}",
    )
    options.add_argument(
        "--count-faces", action="store_true", help="look for the other faces too, to tell how many there are; slower"
    )
    options.add_argument(
        "--rescue",
        action="store_true",
        help=f"if no face is found, try other sizes, then rotations, then crop the centre; {FAILURES}",
    )
    options.add_argument("--jobs", type=int, default=usable_cores(), help="processes")
    options.add_argument("--resume", action="store_true", help="skip what an earlier run finished")
    options.add_argument(
        "--add",
        action="store_true",
        help="keep what the output folder holds of other photographs, and its rows of landmarks",
    )
    options.add_argument("--skip-bad", action="store_true", help="skip unreadable photographs")
    return options


def main(argv: Sequence[str], prog: str = "") -> None:
    args = _options(prog).parse_args(argv)
    console = Console.of(args)
    mtcnn = MtcnnConfig(args.min_face, args.factor, tuple(args.thresholds))
    names = named_detectors(args.detector)
    size = SIZES[args.layout] if args.size is None else args.size
    config = AlignConfig(
        size,
        args.format,
        args.quality,
        args.fill,
        args.enlarge,
        args.border,
        mtcnn,
        args.rescue,
        names or (MTCNN,),
        args.count_faces,
        args.layout,
    )
    landmarks = read_landmarks(args.landmarks) if args.landmarks else None
    detector = None if names else _retinaface(args.detector)
    with console.progress(label="align", unit="img") as bar:
        report = align_folder(
            args.source,
            args.target,
            config,
            landmarks=landmarks,
            detector=detector,
            jobs=args.jobs,
            resume=args.resume,
            add=args.add,
            on_done=bar.update,
        )
    console.show({**asdict(report), "failed": report.failed}, summary(report, args.source, args.target))
    if report.unreadable and not args.skip_bad:
        name, problem = report.unreadable[0]
        raise DataError(
            f"{os.path.join(args.source, name)}: {problem}; {len(report.unreadable)} cannot be read, see "
            f"{os.path.join(args.target, UNREADABLE)}; fix or remove them, or use --skip-bad"
        )


def _retinaface(name: str) -> FaceDetector:
    from fairface.interop.detector import load_retinaface  # MTCNN works where MXNet is not installed
    from fairface.parallel import contexts_of

    return load_retinaface(name, contexts_of()[0])


def summary(report: AlignReport, source: str, target: str) -> str:
    """The counts in words."""
    lines = [
        f"{quantity(report.photographs, 'photograph')}: {report.aligned} aligned, {report.finished} finished before, "
        f"{len(report.no_face)} without a face, {len(report.unreadable)} unreadable"
    ]
    if report.no_face:
        lines.append(f"without a face: {os.path.join(target, NO_FACE)}, first {report.no_face[0]}")
    if report.forced or report.rotated or report.cropped:
        lines.append(
            f"not found in the normal way: {len(report.forced)} forced, {len(report.rotated)} rotated, "
            f"{len(report.cropped)} cropped: {os.path.join(target, FAILURES)}, first {report.failed[0]}"
        )
    lines += [f"unreadable: {name}: {problem}" for name, problem in report.unreadable[:10]]
    lines += LeftOut.of(report.ignored).notes(source)
    if report.unused:
        lines.append(
            quantity(
                report.unused,
                "row of the landmarks table has no photograph",
                "rows of the landmarks table have no photograph",
            )
        )
    lines.append(f"landmarks: {os.path.join(target, LANDMARKS)}")
    return "\n".join(lines)
