"""Embed the photographs of a data set, or of a list of pairs, with a trained model and write embeddings.npz.

Examples:
    python test/embed.py --model models/orl_demo --data datasets/orl/test --output embeddings.npz
    python test/embed.py --model models/orl_demo --data rfw/ --output rfw.npz
    python test/embed.py --model models/orl_demo --data bfw.csv --root bfw-cropped-aligned --output bfw.npz
"""

from __future__ import annotations

from collections.abc import Sequence

from fairface.console import Console
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.evaluation.listed_images import open_images
from fairface.graph.precisions import PRECISIONS
from fairface.programs.catalog import options_of
from fairface.programs.model_argument import add_model, parse
from fairface.programs.scoring_options import MODEL_HELP, add_onnx_options, checkpoint_of, onnx_options
from fairface.quantity import quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("embed", prog)
    add_model(options, MODEL_HELP)
    options.add_argument(
        "--data",
        required=True,
        metavar="PATH_OR_CARD",
        help="data set of aligned photographs, or a list of "
        "pairs (RFW's folder, BFW's table …), whose images are embedded under the list's names",
    )
    options.add_argument("--root", default="", help="folder of the images of a list of pairs; default: the list's own")
    options.add_argument("--output", default="embeddings.npz", metavar="FILE.npz", help="file to write")
    options.add_argument("--devices", default="", help="such as cpu0 or gpu0,gpu1; default: GPU 0, else CPU 0")
    options.add_argument("--batch-size", type=int, default=64, help="images per step, over all devices")
    options.add_argument("--precision", default="fp32", choices=PRECISIONS, help="bf16 is faster on CPUs that have it")
    options.add_argument("--no-flip", action="store_true", help="do not add the mirrored image's embedding")
    options.add_argument("--resize", action="store_true", help="resize images of another size instead of stopping")
    add_onnx_options(options)
    args = parse(options, argv)
    console = Console.of(args)

    listed = open_images(args.data, args.root)
    from fairface.embedding.from_checkpoint import load_embedder  # MXNet: not for --help, nor for a wrong path

    console.tell(listed.notes)
    embedder = load_embedder(
        args.model,
        args.devices,
        args.batch_size,
        not args.no_flip,
        args.precision,
        show_progress=not console.quiet,
        resize=args.resize,
        **onnx_options(args),
    )
    embeddings = embedder.embed(listed.images)
    meta = {
        "model": args.model, **checkpoint_of(args.model), "data": args.data, "flip": not args.no_flip,
        "precision": args.precision, "classes": listed.classes,
    }  # fmt: skip
    if listed.attribute_values:
        meta["attribute_values"] = listed.attribute_values
    stored = Embeddings(embeddings, listed.names, meta, listed.labels, listed.attributes, listed.attribute_names)
    save_embeddings(args.output, stored)
    count, size = embeddings.shape
    console.show(
        {"output": args.output, "images": count, "embedding": size, **meta},
        f"{args.output}: {quantity(count, 'embedding')} of {quantity(size, 'value')}",
    )
