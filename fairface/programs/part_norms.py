"""How long the holistic, upper and lower part of each image's embedding are, for region-split nets (UDA).

python test/part_norms.py --model models/uda --data datasets/orl/test masked
python test/part_norms.py --embeddings embeddings.npz --sizes 128,256,128 --plot parts.png
"""

from __future__ import annotations

import csv
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from fairface.checkpoints import resolve
from fairface.config.load import load_config
from fairface.config.regions import HOLISTIC, LOWER, UPPER, embedding_regions
from fairface.console import Console
from fairface.data.opening import open_dataset
from fairface.embedding.store import Embeddings, load_embeddings
from fairface.errors import ConfigError
from fairface.files import atomic_write, refuse_inputs
from fairface.programs.catalog import options_of
from fairface.programs.model_argument import add_model, parse
from fairface.programs.scoring_options import checkpoint_of, model_line
from fairface.report.part_norms import csv_lines, part_norms_table, plot_part_norms
from fairface.report.picture import check_picture, drawn
from fairface.scoring.part_norms import PartLengths, part_lengths

_SPLIT_NETS = "split_ir_"


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("part-norms", prog)
    add_model(options, "a run, or run@step, with a region-split backbone")
    options.add_argument("--data", nargs="+", default=[], metavar="PATH_OR_CARD", help="sets of aligned photographs, "
                         "such as one without and one with masks")  # fmt: skip
    options.add_argument("--embeddings", nargs="+", default=[], metavar="FILE.npz", help="instead of --model and "
                         "--data: embeddings that were not normalised, of one view (embed.py --no-flip)")  # fmt: skip
    options.add_argument("--sizes", metavar="H,U,L", help="values of the holistic, upper and lower part, where no run "
                         "tells them; 0 = there is none")  # fmt: skip
    options.add_argument("--csv", metavar="FILE.csv", help="write one row an image")
    options.add_argument("--plot", metavar="FILE.png", help="draw the lengths")
    options.add_argument("--devices", default="", help="such as cpu0 or gpu0,gpu1; default: GPU 0, else CPU 0")
    options.add_argument("--batch-size", type=int, default=64, help="images per step, over all devices")
    options.add_argument("--resize", action="store_true", help="resize images of another size instead of stopping")
    args = parse(options, argv, required=False)
    check(args)
    console = Console.of(args)
    regions = regions_of(args)
    stored = {name: load_embeddings(name) for name in args.embeddings} or embedded(args, console)
    sets = {name: part_lengths(of.embeddings, regions) for name, of in stored.items()}
    if args.csv:
        write_csv(args.csv, stored, sets)
    if args.plot:
        plot_part_norms(args.plot, sets)
        console.tell([drawn(args.plot, f"the lengths of the parts in {', '.join(sets)}")])
    results = {name: {"images": len(of.ratio), **of.summary()} for name, of in sets.items()}
    console.show(
        {"model": args.model or None, **checkpoint_of(args.model), "sets": results},
        "\n".join([part_norms_table(sets), *model_line(args.model)]),
    )


def check(args: Namespace) -> None:
    """Refuse options that do not go together, and outputs that would replace inputs."""
    if bool(args.embeddings) == bool(args.model):
        raise ConfigError("give --model with --data, or --embeddings: one of the two")
    if bool(args.data) != bool(args.model):
        raise ConfigError("--model and --data go together: name the photographs that it embeds")
    names = [*args.data, *args.embeddings]
    if len(set(names)) < len(names):
        raise ConfigError("a set is named twice; name each once")
    refuse_inputs([args.csv or "", args.plot or ""], [*args.embeddings, args.model])
    if args.plot:
        check_picture(args.plot)


def regions_of(args: Namespace) -> dict[str, slice]:
    """Region to its values, by ``--sizes`` or by the run's configuration.

    Raises:
        ConfigError: neither tells.
    """
    if args.sizes:
        sizes = [part.strip() for part in args.sizes.split(",")]
        if len(sizes) != 3 or not all(size.isdecimal() for size in sizes) or not (int(sizes[1]) and int(sizes[2])):
            raise ConfigError(f"--sizes {args.sizes}: write three numbers such as 128,256,128; upper and lower above 0")
        holistic, upper, lower = map(int, sizes)
        found = {HOLISTIC: slice(0, holistic)} if holistic else {}
        cut = holistic + upper
        return {**found, UPPER: slice(holistic, cut), LOWER: slice(cut, cut + lower)}
    if not args.model:
        raise ConfigError("give --sizes, such as 128,256,128: embeddings do not tell what their values are")
    told = resolve(args.model).params.parent / "config.yaml"
    backbone = load_config(told).backbone if told.is_file() else None
    if backbone is None or not backbone.name.startswith(_SPLIT_NETS):
        what = f"its backbone {backbone.name} has no parts" if backbone else f"{told} is not there"
        raise ConfigError(f"{args.model}: {what}; give --sizes, such as 128,256,128, if its embeddings have parts")
    return embedding_regions(backbone.regions, backbone.embedding)


def embedded(args: Namespace, console: Console) -> dict[str, Embeddings]:
    """Embeddings of one view of each set, as they leave the net."""
    datasets = {name: open_dataset(name) for name in args.data}
    from fairface.embedding.from_checkpoint import load_embedder  # MXNet: not for --help, nor for a wrong path

    embedder = load_embedder(
        args.model, args.devices, args.batch_size, flip=False, show_progress=not console.quiet, resize=args.resize
    )
    found = {}
    for name, dataset in datasets.items():
        console.tell(dataset.notes)
        names = tuple(map(dataset.record_name, range(len(dataset))))
        found[name] = Embeddings(embedder.embed(dataset), names)
    return found


def write_csv(path: str, stored: Mapping[str, Embeddings], sets: Mapping[str, PartLengths]) -> None:
    """One row an image, the set first."""
    with atomic_write(Path(path), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "image", *next(iter(sets.values())).parts, "ratio", "share"])
        for name, lengths in sets.items():
            writer.writerows([name, *row] for row in csv_lines(stored[name].names, lengths))
