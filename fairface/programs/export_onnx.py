"""Write a model as an ONNX file that other programs load, in a folder with all that they need to use it.

Example: python data_process/export_onnx.py models/orl_demo exported/orl
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fairface.checkpoints import CheckpointFiles, resolve
from fairface.console import Console
from fairface.embedding.thresholds import Thresholds, save_thresholds, thresholds_of, weights_sum
from fairface.errors import CheckpointError
from fairface.evaluation.replacement import fresh_output
from fairface.interop.onnx.package import FILE, refuse_other_folder, write_package
from fairface.programs.catalog import options_of


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("export-onnx", prog)
    options.add_argument("model", metavar="MODEL", help="run | run@step | prefix,epoch | PyTorch file")
    options.add_argument("folder", metavar="FOLDER", help="folder to write, new or an earlier export")
    options.add_argument("--licence", default="", metavar="FILE", help="the model's licence, to go with it")
    options.add_argument("--output", default="models", metavar="DIR", help="folder of the runs")
    args = options.parse_args(argv)

    files = resolve(args.model, args.output)
    folder = Path(args.folder)
    refuse_other_folder(folder)
    thresholds, note = saved_thresholds(files)
    # MXNet: not for --help, nor for a model that is not there.
    from fairface.interop.onnx.export import export_onnx
    from fairface.interop.onnx.model_card import model_card

    points = [point.to_dict() for point in thresholds.points] if thresholds else []
    exported = export_onnx(files, json.dumps(points), args.output)
    card = model_card(files, exported.metadata, exported.difference, output=args.output)
    with fresh_output(folder, keep=lambda path: False) as fresh:
        write_package(fresh, folder.resolve().name, exported.content, exported.net, card, args.licence)
        if thresholds:
            own = resolve(str(fresh / FILE))
            save_thresholds(own, replace(thresholds, step=own.step, weights=weights_sum(own)))
    told = exported.metadata
    Console.of(args).show(
        {"model": args.model, "folder": args.folder, "difference": exported.difference, "note": note, **vars(told)},
        f"{folder / FILE}: {told.image_size}x{told.image_size} RGB to {told.dimensions} values; unit embeddings differ "
        f"from MXNet's by {exported.difference:.1e} at most\n{note}",
    )


def saved_thresholds(files: CheckpointFiles) -> tuple[Thresholds | None, str]:
    """The thresholds that were saved with the model, and a line that says which, or why there are none."""
    try:
        found = thresholds_of(files)
    except CheckpointError as error:
        return None, f"no thresholds go with it: {error}"
    return found, f"thresholds at FMR {', '.join(f'{point.target:g}' for point in found.points)} go with it"
