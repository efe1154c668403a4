"""Score identification of probes in a gallery, with a model or with stored embeddings.

Examples:
    python test/identification.py --model models/r50 --data people/       (people/gallery, people/probe, people/unknown)
    python test/identification.py --model models/r50 --gallery staff/ --probe visits/ --unknown others/ --bootstrap 1000
    python test/identification.py --gallery gallery.npz --probe probe.npz --plot cmc.png
    python test/identification.py --data people/ --embeddings any_framework.npz
    python test/identification.py --gallery gallery.txt --probe probe.txt --scores scores.npy --enrol images
    python test/identification.py --model models/r50 --enrol images --gallery Gallery_Match --probe Probe \\
        --distractors Gallery_Distractor --identities gallery_match_img_ID_pairs.mat --identities probe_img_ID_pairs.mat
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairface.cli import add_groups
from fairface.console import Console
from fairface.embedding.origin import of_several_models
from fairface.errors import ConfigError
from fairface.evaluation.distinct import check_distinct
from fairface.evaluation.given import embedded_parts, read_score_matrix
from fairface.evaluation.identified import (
    ENROL,
    PARTS,
    SEARCHED,
    ReadScores,
    check_parts,
    identify_parts,
    open_part,
)
from fairface.programs.catalog import options_of
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
from fairface.report.identification_curves import plot_identification
from fairface.report.identification_table import identification_text
from fairface.report.page.card import plain_page
from fairface.report.page.ranking import identification_panels, identification_verdict
from fairface.report.picture import check_picture, drawn
from fairface.scoring.identification.one_to_many import FPIRS, RANKS


def main(argv: Sequence[str], prog: str = "") -> None:
    args = arguments(argv, prog)
    console = Console.of(args)
    paths = {name: path for name in PARTS if (path := getattr(args, name))}
    if args.plot:
        check_picture(args.plot)
    for name in SEARCHED:
        if name in paths:
            check_distinct(paths[name], args.gallery, name)
    parts = {name: open_part(path) for name, path in paths.items()}
    if args.embeddings:
        parts = embedded_parts(parts, args.embeddings)
    if not args.scores:
        check_parts(parts, bool(args.model))
    identities: dict[str, str] = {}
    for path in args.identities:
        identities |= read_identities(path)
    found = identify_parts(
        parts, embedder(args) if args.model else None, args.enrol, identities, score_matrix(args, PROBES_BY_ENTRIES),
        ranks=args.ranks, fpirs=args.fpir, rounds=args.bootstrap, level=args.level, seed=args.seed,
    )  # fmt: skip
    results = {Path(args.gallery).stem: found.result}
    if args.plot:
        plot_identification(args.plot, results)
        console.tell([drawn(args.plot, f"CMC and DET of {', '.join(results)}")])
    stored = (args.embeddings, *paths.values())
    notes = (*of_several_models(stored), *found.notes)
    source = {name: given for name in SOURCES if (given := getattr(args, name))}
    if wants_page(args):
        made_by = provenance(prog, "test/identification.py", argv, {**source, **paths})
        write_outputs(args, plain_page(
            f"Identification in {Path(args.gallery).stem}", identification_verdict(results),
            identification_panels(results), made_by, notes,
        ))  # fmt: skip
    console.show(
        {**source, **checkpoint_of(args.model, *stored), **paths, "enrol": args.enrol, **found.result.to_dict(),
         "notes": list(notes)},
        "\n".join([*notes, identification_text(results), *model_line(args.model, *stored)]),
    )  # fmt: skip


SOURCES = ("model", "embeddings", "scores")
PROBES_BY_ENTRIES = "a row for each probe (then each unknown), a column for each gallery image (then each distractor)"


def score_matrix(args: argparse.Namespace, what: str) -> ReadScores | None:
    """Reads ``--scores``; ``what`` says what their rows and columns are."""
    if not args.scores:
        return None
    return lambda shape: read_score_matrix(args.scores, shape, what, args.distance)


OPTIONS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "images": {
        "--data": {"default": "", "metavar": "FOLDER", "help": "folder with gallery/, probe/ and, if "
                   "wanted, unknown/ and distractors/"},
        "--gallery": {"default": "", "metavar": "PATH", "help": "who is enrolled: a folder of ID__Name/ folders, "
                      "stored embeddings (.npz, or .npy with names.txt), or a list of names (.txt)"},
        "--probe": {"default": "", "metavar": "PATH", "help": "who is searched for: the same"},
        "--unknown": {"default": "", "metavar": "PATH", "help": "probes of people who are not enrolled"},
        "--distractors": {"default": "", "metavar": "PATH", "help": "entries of people who are not searched for"},
        "--identities": {"action": "append", "default": [], "metavar": "FILE", "help": "CSV of image and identity, or "
                         "TinyFace's .mat, if names do not tell; repeatable"},
        "--enrol": {"choices": ENROL, "default": "template", "help": "template: one entry for an identity; images: one "
                    "for each image, the best one counts (TinyFace)"},
    },
    "scoring": {
        "--ranks": {"type": int, "nargs": "+", "default": list(RANKS), "help": "ranks of the closed set"},
        "--fpir": {"type": float, "nargs": "+", "default": list(FPIRS), "help": "FPIRs at which TPIR is given"},
        "--bootstrap": {"type": int, "default": 0, "metavar": "ROUNDS", "help": "bootstrap resamples; 0: no intervals"},
        "--level": {"type": float, "default": 0.95, "help": "confidence level of the intervals"},
        "--seed": {"type": int, "default": 0, "help": "seed of the bootstrap"},
        "--plot": {"default": "", "metavar": "FILE.png", "help": "draw CMC and DET curves"},
        **PAGE,
    },
    "with a model": MODEL,
    "instead of a model": GIVEN,
}  # fmt: skip


def arguments(argv: Sequence[str], prog: str = "") -> argparse.Namespace:
    options = options_of("identification", prog)
    add_groups(options, OPTIONS)
    args = options.parse_args(argv)
    if args.data:
        if args.gallery or args.probe:
            raise ConfigError("--data names the folder of gallery and probe; give it, or --gallery and --probe")
        for name in PARTS:
            below = Path(args.data, name)
            if name in PARTS[:2] or (below.is_dir() and not getattr(args, name)):
                setattr(args, name, str(below))
    if not args.gallery or not args.probe:
        raise ConfigError("give --gallery and --probe, or --data FOLDER with both in it")
    check_given(args)
    check_intervals(args)
    check_page(args, [*(getattr(args, name) for name in PARTS), *args.identities, args.embeddings, args.scores])
    return args
