"""The tables of experiments/masks.py and experiments/uda.py as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from masked_arms import CONDITIONS, MIXED, RETRIEVAL
from paired_differences import MEASURES, told

WHERE = {**CONDITIONS, "retrieval": "masked queries, unmasked gallery"}
MAIN = ((MIXED, MEASURES[1]), ("retrieval", RETRIEVAL[0]), ("clean", MEASURES[1]))


def in_short(result: Mapping[str, Any], titles: Mapping[str, str], pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Each two ways in one line: the verdict on the :data:`MAIN` measures."""
    by = {(e["after"], e["before"], e["condition"], e["measure"]): e for e in result["differences"]}
    lines = []
    for one, other in pairs:
        found = [
            f"{WHERE[where]}: {measure} {told(by[key])}, {by[key]['verdict']}"
            for where, measure in MAIN
            if (key := (one, other, where, measure)) in by
        ]
        if found:
            lines.append(f"- **{titles[one]} against {titles[other]}**. {'; '.join(found)}.")
    return lines or ["No two arms can be compared yet."]


def pairs_table(result: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    """AUC and TAR of the pairs, mean over the seeds."""
    lines = [f"| pairs | trained with | seeds | {' | '.join(MEASURES)} |", "|---" * (3 + len(MEASURES)) + "|"]
    for condition, title in CONDITIONS.items():
        for way, of in result["ways"].items():
            if of["seeds"]:
                area, *tars = np.mean([one[condition] for one in of["measures"]], axis=0)
                cells = [title, titles[way], _seeds(of), f"{area:.4f}", *(f"{tar:.3f}" for tar in tars)]
                lines.append(f"| {' | '.join(cells)} |")
    return lines


def retrieval_table(result: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    """mAP and rank 1, mean over the seeds."""
    lines = [f"| trained with | seeds | {' | '.join(RETRIEVAL)} |", "|---|---|---|---|"]
    for way, of in result["ways"].items():
        if of["seeds"]:
            cells = [titles[way], _seeds(of), *(f"{value:.3f}" for value in np.mean(of["retrieval"], axis=0))]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def difference_table(result: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    """Every difference with its interval and verdict."""
    lines = ["| trained with | images | number | difference | verdict | seed by seed |", "|---|---|---|---|---|---|"]
    for entry in result["differences"]:
        ways = f"{titles[entry['after']]} less {titles[entry['before']]}"
        by_seed = " ".join(f"{value:+.4f}" for value in entry["by_seed"])
        cells = [ways, WHERE[entry["condition"]], entry["measure"], told(entry), entry["verdict"], by_seed]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def trial_table(result: Mapping[str, Any]) -> list[str]:
    """Every trial on the validation people: masked against unmasked, and unmasked."""
    lines = ["| settings | masked against unmasked AUC | its TAR at FMR 0.01 | unmasked AUC |", "|---|---|---|---|"]
    for one in result["trials"]:
        settings = " ".join(f"`{setting}`" for setting in one["extra"]) or "as configured"
        mixed, clean = one["measures"][MIXED], one["measures"]["clean"]
        lines.append(f"| {settings} | {mixed[0]:.4f} | {mixed[1]:.3f} | {clean[0]:.4f} |")
    return lines


def _seeds(of: Mapping[str, Any]) -> str:
    return " ".join(map(str, of["seeds"]))


DIFFERENCES = [
    "The first less the second, paired by seed, mean over the seeds. [95 % interval over subjects: how the mean of",
    "these runs would come out for other people, not for other seeds]",
]
