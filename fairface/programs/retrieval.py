"""Score retrieval: every query ranks a gallery, with a model or with stored embeddings.

Examples:
    python test/retrieval.py --model models/r50 --query test/query --gallery test/gallery --both-directions
    python test/retrieval.py --model models/r50 --data people/ --masked names --bootstrap 1000
    python test/retrieval.py --query query.npz --gallery gallery.npz --metric euclidean --distractors others.npz
    python test/retrieval.py --query query.txt --gallery gallery.txt --scores scores.npy
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairface.cli import add_groups
from fairface.console import Console
from fairface.data.table import read_csv_table
from fairface.embedding.origin import of_several_models
from fairface.errors import ConfigError
from fairface.evaluation.distinct import check_distinct
from fairface.evaluation.given import embedded_parts
from fairface.evaluation.identified import check_parts, open_part
from fairface.evaluation.part import Part
from fairface.evaluation.retrieved import (
    DISTRACTORS,
    GALLERY,
    QUERY,
    RetrievalParts,
    retrieve_parts,
    split_masked,
)
from fairface.programs.catalog import options_of
from fairface.programs.identification import SOURCES, score_matrix
from fairface.programs.page_options import PAGE, check_page, provenance, wants_page, write_outputs
from fairface.programs.scoring_options import (
    GIVEN,
    MODEL,
    check_given,
    check_intervals,
    checkpoint_of,
    embedder,
    model_line,
)
from fairface.protocols.identity_lists import read_identities
from fairface.report.page.card import plain_page
from fairface.report.page.ranking import retrieval_panels, retrieval_verdict
from fairface.report.retrieval_table import retrieval_text
from fairface.scoring.retrieval.ranking import RANKS, RetrievalOptions
from fairface.scoring.retrieval.similarities import METRICS


def main(argv: Sequence[str], prog: str = "") -> None:
    args = arguments(argv, prog)
    console = Console.of(args)
    parts = open_parts(args)
    if not args.scores:
        check_parts(parts.all(), bool(args.model))
    options = RetrievalOptions(tuple(args.ranks), tuple(args.fmr), args.bootstrap, args.level, args.seed)
    found = retrieve_parts(
        parts, embedder(args) if args.model else None, args.metric, options, args.both_directions,
        score_matrix(args, "a row for each query, a column for each gallery image"),
    )  # fmt: skip
    stored = (args.embeddings, args.data, *(getattr(args, name) for name in PARTS))
    notes = (*of_several_models(stored), *found.notes)
    source = {name: getattr(args, name) for name in (*SOURCES, "data", "masked", *PARTS) if getattr(args, name)}
    if wants_page(args):
        made_by = provenance(prog, "test/retrieval.py", argv, source)
        panels = retrieval_panels(found.results, found.hits)
        write_outputs(args, plain_page("Retrieval", retrieval_verdict(found.results), panels, made_by, notes))
    hits = {} if found.hits is None else {"distractor_hits": found.hits.to_dict()}
    results = {name: {**result.to_dict(), "absent": found.absent[name]} for name, result in found.results.items()}
    console.show(
        {**source, **checkpoint_of(args.model, *stored), "metric": args.metric, "results": results, **hits,
         "notes": list(notes)},
        "\n".join([*notes, retrieval_text(found.results, found.hits), *model_line(args.model, *stored)]),
    )  # fmt: skip


PARTS = (QUERY, GALLERY, DISTRACTORS)

OPTIONS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "images": {
        "--data": {"default": "", "metavar": "PATH", "help": "folder with query/, gallery/ and, if wanted, "
                   "distractors/; with --masked any folder of people, or stored embeddings"},
        "--masked": {"default": "", "metavar": "HOW", "help": "the masked images of --data are the queries, the others "
                     "the gallery: 'names' (mask in the file's name), 'pku' (folders ID_0 and ID_1), or a CSV of image "
                     "and masked, or MFR2's labels"},
        "--query": {"default": "", "metavar": "PATH", "help": "a folder of ID/ or ID__Name/ folders, stored "
                    "embeddings (.npz, or .npy with names.txt), or a list of names (.txt)"},
        "--gallery": {"default": "", "metavar": "PATH", "help": "what every query ranks: the same"},
        "--distractors": {"default": "", "metavar": "PATH", "help": "more of the gallery, of people in neither"},
        "--identities": {"action": "append", "default": [], "metavar": "FILE", "help": "CSV of image and identity, if "
                         "names do not tell; repeatable"},
        "--cameras": {"default": "", "metavar": "FILE", "help": "CSV of image and camera: a gallery image of the "
                      "query's identity and camera is left out, as in re-identification"},
    },
    "scoring": {
        "--metric": {"choices": METRICS, "default": METRICS[0], "help": "how images are compared"},
        "--both-directions": {"action": "store_true", "help": "the gallery's images as queries, too"},
        "--ranks": {"type": int, "nargs": "+", "default": list(RANKS), "help": "ranks of the CMC"},
        "--fmr": {"type": float, "nargs": "+", "default": [], "help": "FMRs at which TAR is given, of every query with "
                  "every gallery image (1e-4: InsightFace's masked-to-unmasked protocol)"},
        "--bootstrap": {"type": int, "default": 0, "metavar": "ROUNDS", "help": "bootstrap resamples; 0: no intervals"},
        "--level": {"type": float, "default": 0.95, "help": "confidence level of the intervals"},
        "--seed": {"type": int, "default": 0, "help": "seed of the bootstrap"},
        **PAGE,
    },
    "with a model": MODEL,
    "instead of a model": GIVEN,
}  # fmt: skip


def arguments(argv: Sequence[str], prog: str = "") -> argparse.Namespace:
    options = options_of("retrieval", prog)
    add_groups(options, OPTIONS)
    args = options.parse_args(argv)
    if args.data and (args.query or args.gallery):
        raise ConfigError("--data names queries and gallery; give it, or --query and --gallery")
    if args.masked and not args.data:
        raise ConfigError("--masked splits the images of --data; give --data PATH")
    if args.data and not args.masked:
        for name in PARTS:
            below = Path(args.data, name)
            if name != DISTRACTORS or (below.is_dir() and not args.distractors):
                setattr(args, name, str(below))
    elif not args.data and not (args.query and args.gallery):
        raise ConfigError("give --query and --gallery, or --data FOLDER with both in it, or --data with --masked")
    check_given(args)
    if args.scores and (args.data and args.masked):
        raise ConfigError("--scores are of --query and --gallery; --masked splits one set: list its two parts instead")
    if args.scores and args.distractors:
        raise ConfigError("--scores go without --distractors; list them in --gallery, with columns of their own")
    if args.scores and args.metric != METRICS[0]:
        raise ConfigError(f"--metric {args.metric} compares embeddings; leave it out with --scores")
    check_intervals(args)
    parts = [getattr(args, name) for name in PARTS]
    check_page(args, [args.data, *parts, *args.identities, args.cameras, args.embeddings, args.scores])
    return args


def open_parts(args: argparse.Namespace) -> RetrievalParts:
    """Queries and gallery as the options name them."""
    identities: dict[str, str] = {}
    for path in args.identities:
        identities |= read_identities(path)
    paths = {"data": args.data} if args.masked else {name: getattr(args, name) for name in (QUERY, GALLERY)}
    if not args.masked:
        check_distinct(args.query, args.gallery, QUERY, ", or --data with --masked")
    opened: dict[str, Part] = {name: open_part(path) for name, path in paths.items()}
    if args.distractors:
        opened[DISTRACTORS] = open_part(args.distractors)
    if args.embeddings:
        opened = embedded_parts(opened, args.embeddings)
    if args.masked:
        parts = split_masked(opened["data"], args.masked, identities)
    else:
        parts = RetrievalParts(opened[QUERY], opened[GALLERY], identities=identities)
    others = opened.get(DISTRACTORS)
    cameras: dict[str, str] = {}
    if args.cameras:
        table = read_csv_table(args.cameras)
        cameras = dict(zip(table.filled("image", "file", "name"), table.filled("camera", "cam"), strict=True))
    return RetrievalParts(parts.query, parts.gallery, parts.names, others, parts.identities, cameras)
