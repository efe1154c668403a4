"""The page about detection under masks, from what masked_detection.py measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fairface.cli import parser, run
from fairface.errors import DataError
from fairface.files import atomic_write

NONE = "no mask"
INTRODUCTION = """# Finding faces that wear masks

Made by `python experiments/masked_detection.py --data LFW --photographs {asked} --out WORK/masked_detection` and
`python experiments/masked_detection_page.py --out WORK/masked_detection --page docs/experiments/masked_detection.md`.

{photographs} photographs of LFW (250 x 250 pixels, test people, evenly over their names) got a mask of each style
over nose and mouth, as `data_process/add_masks.py` draws them. Each detector then looked for the main face, as
`data_process/align.py --detector NAME` does with its usual settings: MTCNN, CenterFace, and both one after the other.
{left_out}The masks are drawn; real ones hide more. On a public set of really masked faces, tightly cropped (`--enlarge
2 --border 40`), MTCNN missed 298 of 1,996 and CenterFace found 119 of these.

A face counts as found where the detector's main face has its points, on average, within half the distance of the eyes
of the points that MTCNN found without the mask. So *no mask* is 100 % for MTCNN by definition.
"""
WITHIN = 0.5  # of the eyes' distance, for the right place
PARTS = ("eyes", "nose", "mouth")


def main(argv: Sequence[str]) -> None:
    options = parser("The page about detection under masks.")
    options.add_argument("--out", required=True, help="the folder that masked_detection.py wrote")
    options.add_argument("--page", required=True, help="Markdown file to write")
    args = options.parse_args(argv)
    with atomic_write(args.page, "w", encoding="utf-8") as file:
        file.write(page(read(Path(args.out))))


def read(folder: Path) -> list[dict[str, Any]]:
    """The results of all styles, *no mask* first.

    Raises:
        DataError: there are none, or not of the same photographs.
    """
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    if not any(result["style"] == NONE for result in results):
        raise DataError(f"{folder}: no results; make them with experiments/masked_detection.py")
    if len({(result["photographs"], result["seed"]) for result in results}) > 1:
        raise DataError(f"{folder}: results of different runs; remove them and start again")
    return sorted(results, key=lambda result: (result["style"] != NONE, result["style"]))


def page(results: Sequence[Mapping[str, Any]]) -> str:
    """The page as Markdown."""
    first = results[0]
    left_out = len(first["left_out"])
    told = f"{left_out} more, in which MTCNN finds no face without a mask, are left out.\n" if left_out else ""
    count = first["photographs"]
    introduction = INTRODUCTION.format(photographs=count, asked=count + left_out, left_out=told)
    return "\n".join([introduction, found_table(results), points_table(results), in_words(results)])


def found_table(results: Sequence[Mapping[str, Any]]) -> str:
    names = list(results[0]["detectors"])
    lines = ["## How often the face is found", "", "Percent, with 95 % confidence intervals (Wilson).", ""]
    lines += [f"| mask | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    for result in results:
        lines.append(f"| {label(result)} | {' | '.join(rate(hits(result, name)) for name in names)} |")
    masked = [result for result in results if result["style"] != NONE]
    if masked:
        pooled = {name: [hit for result in masked for hit in hits(result, name)] for name in names}
        # The same photographs stand in every row, so no interval: masks on one face are not independent.
        lines.append(f"| all styles | {' | '.join(f'{100 * np.mean(pooled[name]):.1f}' for name in names)} |")
    return "\n".join([*lines, ""])


def points_table(results: Sequence[Mapping[str, Any]]) -> str:
    lines = ["## How far the points move", "",
             "Distance from the points that MTCNN found without the mask, in percent of the distance of the eyes:",
             "median, and in brackets the 90th percentile, of the faces that were found.", ""]  # fmt: skip
    columns = [(name, part) for name in results[0]["detectors"] if "," not in name for part in PARTS]
    lines += [f"| mask | {' | '.join(f'{name}: {part}' for name, part in columns)} |", f"|---|{'---:|' * len(columns)}"]
    for result in results:
        cells = [spread([face[part] for face in right(result, name)]) for name, part in columns]
        lines.append(f"| {result['style']} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def in_words(results: Sequence[Mapping[str, Any]]) -> str:
    """What the tables say, with numbers of this run."""
    masked = [result for result in results if result["style"] != NONE]
    means = {name: 100 * float(np.mean([hit for result in masked for hit in hits(result, name)]))
             for name in results[0]["detectors"]}  # fmt: skip
    worst = min(masked, key=lambda result: float(np.mean(hits(result, "mtcnn"))))
    mtcnn, centerface, both = (means[name] for name in ("mtcnn", "centerface", "mtcnn,centerface"))
    return (
        "## What to take from it\n\n"
        f"Over all styles MTCNN finds {mtcnn:.1f} % of the masked faces, CenterFace {centerface:.1f} %,\n"
        f"MTCNN with CenterFace after it {both:.1f} %. MTCNN finds fewest with `{worst['style']}`\n"
        f"({100 * np.mean(hits(worst, 'mtcnn')):.1f} %). `--detector mtcnn,centerface` keeps MTCNN's points wherever\n"
        "it sees a face, also where that is at the wrong place.\n"
    )


def right(result: Mapping[str, Any], name: str) -> list[dict[str, float]]:
    """The faces at the right place."""
    return [face for face in result["detectors"][name] if face is not None and face["all"] <= WITHIN]


def hits(result: Mapping[str, Any], name: str) -> list[bool]:
    """Of every masked photograph, whether its face was found."""
    return [face is not None and face["all"] <= WITHIN for face in result["detectors"][name]]


def rate(found: Sequence[bool]) -> str:
    """Percent and Wilson's 95 % interval."""
    count, share, z = len(found), float(np.mean(found)), 1.959964
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return f"{100 * share:.1f} ({100 * max(middle - half, 0):.1f}-{100 * min(middle + half, 1):.1f})"


def label(result: Mapping[str, Any]) -> str:
    refused = len(result["refused"])
    return result["style"] + (f" ({refused} refused: no place for a mask)" if refused else "")


def spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{100 * np.median(values):.1f} ({100 * np.percentile(values, 90):.1f})"


if __name__ == "__main__":
    run(main)
