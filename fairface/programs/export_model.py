"""Write a model as an MXNet model that other programs load: prefix-symbol.json and prefix-0000.params.

Example: python data_process/export_model.py --model models/ms1m_r100 --to insightface exported/r100
"""

from __future__ import annotations

from collections.abc import Sequence

from fairface.checkpoints import resolve
from fairface.console import Console
from fairface.errors import CheckpointError
from fairface.programs.catalog import options_of
from fairface.programs.model_argument import add_model, parse

FORMATS = ("insightface", "fairface")


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("export", prog)
    add_model(options, "run | run@step | prefix,epoch | PyTorch file")
    options.add_argument("prefix", metavar="PREFIX", help="prefix of the files' names")
    options.add_argument("--to", default="insightface", choices=FORMATS, help="system whose parameter names are used")
    options.add_argument("--output", default="models", metavar="DIR", help="folder of the runs")
    args = parse(options, argv, "PREFIX")

    found = resolve(args.model, args.output)
    if found.is_dlib:
        raise CheckpointError(
            f"{args.model}: dlib's network takes faces in a layout of its own, which an MXNet model cannot tell; "
            "use --model dlib itself"
        )
    # MXNet: not for --help, nor for a model that is not there.
    from fairface.graph.export import write_deploy
    from fairface.interop.check import check_same
    from fairface.interop.insightface import to_fairface, to_insightface
    from fairface.interop.models import load_graph

    rename = to_insightface if args.to == "insightface" else to_fairface
    files = write_deploy(rename(load_graph(found)), args.prefix)
    difference = check_same(args.model, f"{args.prefix},0", args.output)
    names = [str(path) for path in files]
    Console.of(args).show(
        {"model": args.model, "to": args.to, "files": names, "difference": difference},
        f"{args.model}: written as {' and '.join(names)}, names as {args.to} writes them\n"
        f"read again, its embedding differs by {difference:.1e} of its length",
    )
