"""dlib's face recognition network here and in dlib: the same descriptors of the same chips, and how fast.

python benchmarks/dlib_net.py --dlib-python .venv-dlib/bin/python --json

The peer is the wheel ``dlib-bin`` in an environment of its own (pip install dlib-bin "numpy<2"). Both sides get the
same chips of 150 x 150 pixels, drawn faces or those of ``--chips FILE.npy`` (N, 150, 150, 3) uint8 RGB, in one batch
and without mirrored images. ``differences`` are the largest of a number in the descriptors; float32 rounds numbers of
this size by 3e-8, and sums of thousands of them by some 1e-7. How the sides are measured: benchmarks/sides.py.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from comparison import chosen, show, summary
from drawn_faces import draw_face
from numpy.typing import NDArray
from sides import Kind, Side, take_turns

from fairface.checkpoints import resolve
from fairface.cli import parser, print_json, run
from fairface.errors import FairfaceError
from fairface.hardware import physical_cores
from fairface.interop.dlib.layers import chip_size

OURS = "dlib_net_mxnet.py"
SIDES = {
    "ours": Kind(OURS, {}),
    "dlib": Kind("dlib_net_peer.py", {}, "dlib"),
    "ours one by one": Kind(OURS, {"batch_size": 1}),
}
PAIRS = (("ours", ("dlib",)), ("ours", ("ours one by one",)))


def main(argv: Sequence[str]) -> None:
    args = _options(argv)
    weights = resolve(args.model).params
    with tempfile.TemporaryDirectory() as folder:
        chips = np.load(args.chips) if args.chips else drawn(args.batch, chip_size(weights))
        np.save(f"{folder}/chips.npy", chips)
        job = {"batch": len(chips), "threads": args.threads, "weights": str(weights), "folder": folder}
        kinds = chosen(args.sides, SIDES)
        if any(kind.needs for kind in kinds.values()):
            require_dlib(args.dlib_python)
        sides = measured(kinds, args.dlib_python, job, args.pairs, args.steps)
        differences = compared([side.name for side in sides], Path(folder))
    job = {key: job[key] for key in ("batch", "threads")}
    result = {"benchmark": "dlib_net", **summary(sides, job, PAIRS), "differences": differences}
    print_json(result) if args.json else _show(result)


def _options(argv: Sequence[str]) -> Any:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--model", default="dlib", help="dlib, or a file.dat of that network")
    options.add_argument("--chips", metavar="FILE.npy", help="take these instead of drawing them")
    options.add_argument("--batch", type=int, default=32, help="drawn chips; all chips make one step")
    options.add_argument("--pairs", type=int, default=9, help="rounds; every side is measured once in each")
    options.add_argument("--steps", type=int, default=2, help="steps of a side in a round; their median counts")
    options.add_argument("--threads", type=int, default=physical_cores())
    options.add_argument("--sides", default="ours,dlib", help=f"which to run, ours first: {', '.join(SIDES)}")
    options.add_argument("--dlib-python", default=sys.executable, help="Python with dlib-bin")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return options.parse_args(argv)


def require_dlib(python: str) -> None:
    """Raise :class:`FairfaceError` unless ``python`` can import dlib."""
    if subprocess.run([python, "-c", "import dlib"], capture_output=True, check=False).returncode:
        raise FairfaceError(
            f"{python} cannot import dlib; install dlib-bin and 'numpy<2' into an environment of its own and name its "
            "Python with --dlib-python, or measure ours alone with --sides 'ours,ours one by one'"
        )


def drawn(count: int, size: int) -> NDArray[np.uint8]:
    """Faces of different skin, shifted, with noise."""
    generator = np.random.default_rng(0)
    chips = []
    for _ in range(count):
        red, green, blue = generator.integers(60, 230, 3)
        face = np.roll(draw_face(size, (int(red), int(green), int(blue))), generator.integers(-20, 21, 2), axis=(0, 1))
        chips.append(np.clip(face + generator.normal(0, 10, face.shape), 0, 255).astype(np.uint8))
    return np.stack(chips)


def measured(kinds: Mapping[str, Kind], python: str, job: Mapping[str, Any], pairs: int, steps: int) -> list[Side]:
    """The sides with their rates, in turns."""
    sides: list[Side] = []
    try:
        for number, (name, kind) in enumerate(kinds.items()):
            sides.append(Side(name, kind, python, {**job, "output": f"{job['folder']}/{number}.npy"}))
        take_turns(sides, pairs, steps, job["batch"])
    finally:
        for side in sides:
            side.stop()
    return sides


def compared(names: Sequence[str], folder: Path) -> dict[str, dict[str, float]]:
    """How far every other side's descriptors lie from ours: the largest difference of a number, and of a descriptor.

    Raises:
        FairfaceError: the sides gave arrays of different shapes.
    """
    ours, *others = (np.load(folder / f"{number}.npy").astype(np.float64) for number in range(len(names)))
    found = {}
    for name, other in zip(names[1:], others, strict=True):
        if other.shape != ours.shape:
            raise FairfaceError(f"{name}: descriptors of shape {other.shape}, ours {ours.shape}")
        apart = ours - other
        share = np.linalg.norm(apart, axis=1) / np.linalg.norm(other, axis=1)
        found[name] = {"number": float(np.abs(apart).max()), "share of the length": float(share.max())}
    return found


def _show(result: Mapping[str, Any]) -> None:
    show(result)
    for name, apart in result["differences"].items():
        share = apart["share of the length"]
        print(f"largest difference from {name}: {apart['number']:.1e}, or {share:.1e} of a descriptor's length")


if __name__ == "__main__":
    run(main)
