"""Write a model as an ONNX file that other programs load, in a folder with all that they need to use it.

Examples:
    python data_process/export_onnx.py --model models/orl_demo exported/orl
    python data_process/export_onnx.py --model models/orl_demo exported/orl_int8 --int8 --calibrate datasets/orl/base
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fairface.checkpoints import CheckpointFiles, resolve
from fairface.console import Console
from fairface.embedding.thresholds import Thresholds, save_thresholds, thresholds_of, weights_sum
from fairface.errors import CheckpointError, ConfigError
from fairface.evaluation.int8 import Int8Cost, Int8Data
from fairface.evaluation.replacement import fresh_output
from fairface.interop.onnx.package import FILE, refuse_other_folder, write_package
from fairface.programs.catalog import options_of
from fairface.programs.model_argument import add_model, parse

if TYPE_CHECKING:
    from fairface.interop.onnx.export import Export


def main(argv: Sequence[str], prog: str = "") -> None:
    args = arguments(argv, prog)
    files = resolve(args.model, args.output)
    folder = Path(args.folder)
    refuse_other_folder(folder)
    thresholds, note = saved_thresholds(files, args.int8)
    data = int8_data(args) if args.int8 else None
    # MXNet: not for --help, nor for a model or data that are not there.
    from fairface.interop.dlib.published import LICENCE, is_published
    from fairface.interop.onnx.alignment import caution
    from fairface.interop.onnx.export import export_onnx
    from fairface.interop.onnx.model_card import model_card

    points = [point.to_dict() for point in thresholds.points] if thresholds else []
    exported = export_onnx(files, json.dumps(points))
    cost: Int8Cost | None = None
    if data:
        exported, cost = in_int8(exported, data, not args.quiet)
    told, lines = exported.metadata, cost.lines if cost else ()
    warning, known = caution(told), LICENCE if is_published(files) else ""
    remarks = "\n".join(filter(None, [*lines, note, warning]))
    card = model_card(files, told, exported.difference, lines, args.output)
    with fresh_output(folder, keep=lambda path: False) as fresh:
        write_package(fresh, folder.resolve().name, exported.content, exported.net, card, args.licence, known)
        if thresholds:
            own = resolve(str(fresh / FILE))
            save_thresholds(own, replace(thresholds, step=own.step, weights=weights_sum(own)))
    Console.of(args).show(
        {"model": args.model, "folder": args.folder, "difference": exported.difference, "note": note,
         "caution": warning, **vars(told), "int8": cost.to_dict() if cost else None},
        f"{folder / FILE}: {told.image_size}x{told.image_size} RGB to {told.dimensions} values, {told.precision}; "
        f"fp32 unit embeddings differ from MXNet's by {exported.difference:.1e} at most\n{remarks}",
    )  # fmt: skip


def arguments(argv: Sequence[str], prog: str = "") -> Namespace:
    options = options_of("export-onnx", prog)
    add_model(options, "run | run@step | prefix,epoch | PyTorch file | dlib")
    options.add_argument("folder", metavar="FOLDER", help="folder to write, new or an earlier export")
    options.add_argument("--licence", default="", metavar="FILE", help="the model's licence, to go with it")
    options.add_argument("--output", default="models", metavar="DIR", help="folder of the runs")
    int8 = options.add_argument_group("int8: faster on CPUs, nearly the same embeddings")
    int8.add_argument("--int8", action="store_true", help="write it in 8-bit integers")
    int8.add_argument("--calibrate", default="", metavar="DATA", help="aligned faces that it was trained on")
    int8.add_argument("--calibration-images", type=int, default=256, metavar="N", help="32 or more of them")
    int8.add_argument("--set", default="", metavar="SET", help="pairs, .bin or data set: TAR there")
    int8.add_argument("--protected", nargs="+", default=[], metavar="NAME", help="attributes: TAR by group")
    int8.add_argument("--fmr", type=float, default=1e-3, help="FMR at which TAR is measured")
    args = parse(options, argv, "FOLDER")
    if args.int8 != bool(args.calibrate):
        raise ConfigError("--int8 and --calibrate DATA go together: int8 needs images to find its ranges on")
    if not args.int8 and (args.set or args.protected):
        raise ConfigError("--set and --protected measure what --int8 changes; add --int8, or leave them out")
    if args.protected and not args.set:
        raise ConfigError("--protected needs --set: groups are of the people that are compared there")
    if not 0 < args.fmr < 1:
        raise ConfigError(f"--fmr {args.fmr:g}: write a rate between 0 and 1")
    return args


def saved_thresholds(files: CheckpointFiles, int8: bool) -> tuple[Thresholds | None, str]:
    """The thresholds that were saved with the model, and a line that says which, or why there are none."""
    if int8:
        return None, "no thresholds go with it: int8 moves scores; save its own with test/verification.py"
    try:
        found = thresholds_of(files)
    except CheckpointError as error:
        return None, f"no thresholds go with it: {error}"
    return found, f"thresholds at FMR {', '.join(f'{point.target:g}' for point in found.points)} go with it"


def int8_data(args: Namespace) -> Int8Data:
    """What ``--calibrate`` and ``--set`` name, opened."""
    return Int8Data.open(args.calibrate, args.calibration_images, args.set, args.protected, args.fmr)


def in_int8(exported: Export, data: Int8Data, show_progress: bool) -> tuple[Export, Int8Cost]:
    """The export in int8, and what that changes."""
    from fairface.embedding.onnx import OnnxEmbedder
    from fairface.interop.onnx.export import int8_export

    calibration, held_out = data.images(exported.metadata.image_size, exported.metadata.layout)
    smaller = int8_export(exported, calibration)
    before, after = (OnnxEmbedder(one.net, show_progress=show_progress).embed for one in (exported, smaller))
    return smaller, data.cost(held_out, before, after)
