"""Score models on the verification sets that papers report: LFW, CFP-FP, CPLFW, CALFW, AgeDB-30 (and CFP-FF).

Examples:
    python test/five_sets.py all_data/validation --model models/ir50_1_adaface
    python test/five_sets.py faces_emore --model adaface_ir50_ms1mv2.ckpt --model models/r100,0 --json
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fairface.checkpoints import checkpoint_label
from fairface.cli import add_groups, table
from fairface.console import Console
from fairface.errors import ConfigError
from fairface.evaluation.five_sets import SetAccuracy, SetsAccuracy, score_sets
from fairface.programs.catalog import options_of
from fairface.programs.page_options import PAGE, check_page, provenance, wants_page, write_outputs
from fairface.programs.scoring_options import MODEL_HELP, add_onnx_options, onnx_options
from fairface.protocols.five_sets import FIVE, FURTHER, FiveSets, require_sets
from fairface.report.five_sets_table import Cell, five_sets_rows
from fairface.report.page.card import plain_page
from fairface.report.page.five_sets import five_sets_panel, five_sets_verdict

LEVEL = 0.95


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("five-sets", prog)
    options.add_argument("folder", metavar="FOLDER", help="folder with lfw.bin, cfp_fp.bin, … or memory files of them")
    options.add_argument("--model", action="append", required=True, metavar="MODEL",
                         help=f"{MODEL_HELP}; repeatable")  # fmt: skip
    options.add_argument("--folds", type=int, default=10, help="folds of the cross-validation")
    options.add_argument("--level", type=float, default=LEVEL, help="confidence level of the intervals over folds")
    options.add_argument("--devices", default="", help="such as cpu0 or gpu0,gpu1; default: GPU 0, else CPU 0")
    options.add_argument("--batch-size", type=int, default=64, help="images per step, over all devices")
    options.add_argument("--no-flip", action="store_true", help="do not add the mirrored image's embedding")
    options.add_argument("--resize", action="store_true", help="resize images of another size instead of stopping")
    add_groups(options, {"report": PAGE})
    add_onnx_options(options)
    args = options.parse_args(argv)
    check_page(args, [])
    if args.folds < 2 or not 0 < args.level < 1:
        raise ConfigError(f"--folds {args.folds} --level {args.level:g}: write 2 or more, and between 0 and 1")
    header, rows = score(
        args.model, args.folder, Console.of(args), args.folds, args.level,
        devices=args.devices, batch_size=args.batch_size, flip=not args.no_flip, resize=args.resize,
        **onnx_options(args),
    )  # fmt: skip
    if wants_page(args):
        made_by = provenance(prog, "test/five_sets.py", argv, {"folder": args.folder, "model": args.model})
        panel, verdict = five_sets_panel(header, rows), five_sets_verdict(header, rows)
        write_outputs(args, plain_page("Accuracy on the five sets", verdict, [panel], made_by))


def score(
    models: Sequence[str], folder: str, console: Console, folds: int = 10, level: float = LEVEL, **embedding: Any
) -> tuple[list[str], list[list[str]]]:
    """Score each of ``models`` on the sets in ``folder`` and show the table, whose header and rows are returned.

    ``embedding`` are options of :func:`fairface.embedding.from_checkpoint.load_embedder`.

    Raises:
        FairfaceError: none of the five sets, a set or a model that cannot be used.
    """
    found = require_sets(folder)
    console.tell(notes_on(found, folder))
    # MXNet is loaded only here, after what can be wrong without it.
    from fairface.embedding.from_checkpoint import load_embedder

    results: dict[str, SetsAccuracy] = {}
    for model in dict.fromkeys(models):
        embedder = load_embedder(model, show_progress=not console.quiet, **embedding)
        results[model] = score_sets(found.paths, embedder.embed, folds, level, teller(console, model))
    return show(results, found, folder, level, console)


def notes_on(found: FiveSets, folder: str) -> list[str]:
    """Which of the five are not there, and which other sets are passed over."""
    notes = [f"{folder}: {', '.join(found.missing)}: not there, left out"] if found.missing else []
    if found.others:
        notes.append(f"{folder}: {', '.join(found.others)}: none of the five; test/verification.py scores any set")
    return notes


def teller(console: Console, model: str) -> Callable[[str, SetAccuracy], None]:
    """Says each set's accuracy when it is known: five sets take a while."""
    return lambda title, result: console.tell([f"{model}: {title} {result.folds.mean:.4f}"])


def show(
    results: dict[str, SetsAccuracy], found: FiveSets, folder: str, level: float, console: Console
) -> tuple[list[str], list[list[str]]]:
    """The table, or the JSON object; returns the table."""
    labels = {model: checkpoint_label(model) for model in results}
    called = {model: label if [*labels.values()].count(label) == 1 else model for model, label in labels.items()}
    rows = {called[model]: {title: _cell(of) for title, of in one.sets.items()} for model, one in results.items()}
    averages: dict[str, Cell | None] = {
        called[model]: None if result.average is None or result.interval is None else (result.average, result.interval)
        for model, result in results.items()
    }
    listed = [{"model": model, "checkpoint": labels[model], **result.to_dict()} for model, result in results.items()]
    header, lines = five_sets_rows(rows, averages, FIVE, FURTHER, level)
    console.show(
        {"folder": folder, "level": level, "results": listed, "missing": list(found.missing)}, table(lines, header)
    )
    return header, lines


def _cell(result: SetAccuracy) -> Cell:
    return result.folds.mean, result.interval
