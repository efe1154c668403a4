"""What the experiments that end in a page share: their options for it, and how a result is shown."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairface.cli import print_json
from fairface.files import atomic_write


def add_output_options(options: ArgumentParser) -> None:
    """``--page`` and ``--json``."""
    options.add_argument("--page", type=Path, metavar="FILE.md", help="write the results as a page")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of the page")


def add_arm_options(options: ArgumentParser) -> None:
    """What experiments on LFW share: where data and results are, seeds, arms at a time."""
    options.add_argument("--lfw", type=Path, required=True, metavar="DIR", help="what prepare_lfw.py wrote")
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="results; runs go below it")
    options.add_argument("--seeds", default="0,1,2", help="comma-separated")
    options.add_argument("--jobs", type=int, default=1, help="arms at a time")
    options.add_argument("--page-only", action="store_true", help="train nothing; report on what is there")
    add_output_options(options)


def show(result: Any, text: str, args: Namespace) -> None:
    """Write the page ``text`` where it is asked for; print it, or ``result`` as JSON."""
    if args.page:
        with atomic_write(args.page, "w", encoding="utf-8") as file:
            file.write(text)
    if args.json:
        print_json(result)
    else:
        print(text)


def judged_on(result: Mapping[str, Any], lowest: float) -> list[str]:
    """On how many comparisons of how many people; ``lowest`` is the lowest FMR that is reported."""
    allowed = int(result["impostor"] * lowest)
    return [f"Judged on {result['genuine']} genuine and {result['impostor']} impostor pairs of {result['people']} test "
            f"people: FMR {lowest:g} allows {allowed} false", "matches. Nothing was chosen on them."]  # fmt: skip


def not_there(missing: Sequence[str]) -> list[str]:
    """The arms without a result, by name."""
    if not missing:
        return []
    return [f"**Not there yet** ({len(missing)} arms): {', '.join(missing)}. The numbers are of the others.", ""]
