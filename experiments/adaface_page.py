"""The results of experiments/adaface.py as a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from adaface_summary import CONDITIONS, HEADS, MODEL, PAIRS, SCRATCH, TITLES
from paired_differences import MEASURES, TARGETS, told
from result_output import judged_on, not_there

MAIN = MEASURES[1]


def page(result: Mapping[str, Any]) -> str:
    """The results as Markdown."""
    lines = [*HEAD, "", *judged_on(result, min(TARGETS)), ""]
    lines += ["## In short", "", *_in_short(result), "", *not_there(result["missing"])]
    lines += ["## AUC and TAR on the test people", "", *TABLE, "", *_table(result), ""]
    lines += ["## Does the length of an embedding tell quality?", "", *LENGTH, "", *_length_table(result), ""]
    lines += ["## Differences", "", *DIFFERENCES, "", *_difference_table(result), ""]
    lines += ["## Margins from scratch", "", *CHOICE, "", *_choice_table(result), ""]
    return "\n".join(lines)


def _in_short(result: Mapping[str, Any]) -> list[str]:
    """Each comparison in one line: the main measure's verdict in every condition."""
    lines = []
    for one, other in PAIRS:
        of_pair = [
            f"{CONDITIONS[entry['condition']]} {told(entry)}, {entry['verdict']}"
            for entry in result["differences"]
            if (entry["after"], entry["before"], entry["measure"]) == (one, other, MAIN)
        ]
        if of_pair:
            lines.append(f"- **{TITLES[one]} against {TITLES[other]}**, {MAIN}: {'; '.join(of_pair)}.")
    return lines or ["No two arms can be compared yet."]


def _table(result: Mapping[str, Any]) -> list[str]:
    lines = [f"| photographs | model | seeds | {' | '.join(MEASURES)} |", "|---" * (3 + len(MEASURES)) + "|"]
    for condition, title in CONDITIONS.items():
        for way, of in result["ways"].items():
            if of["seeds"]:
                area, *tars = np.mean(of[condition], axis=0)
                seeds = "" if way == MODEL else " ".join(map(str, of["seeds"]))
                cells = [title, TITLES[way], seeds, f"{area:.4f}", *(f"{tar:.3f}" for tar in tars)]
                lines.append(f"| {' | '.join(cells)} |")
    return lines


def _length_table(result: Mapping[str, Any]) -> list[str]:
    lines = ["| model | mean | seed by seed |", "|---|---|---|"]
    for way, of in result["ways"].items():
        if of["length"]:
            by_seed = " ".join(f"{value:.3f}" for value in of["length"])
            lines.append(f"| {TITLES[way]} | {np.mean(of['length']):.3f} | {by_seed} |")
    return lines


def _difference_table(result: Mapping[str, Any]) -> list[str]:
    lines = ["| models | photographs | number | difference | verdict | seed by seed |", "|---|---|---|---|---|---|"]
    for entry in result["differences"]:
        models = f"{TITLES[entry['after']]} less {TITLES[entry['before']]}"
        by_seed = " ".join(f"{value:+.4f}" for value in entry["by_seed"])
        where = CONDITIONS[entry["condition"]]
        cells = [models, where, entry["measure"], told(entry), entry["verdict"], by_seed]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _choice_table(result: Mapping[str, Any]) -> list[str]:
    lines = ["| head | margin | clean AUC | degraded AUC | |", "|---|---|---|---|---|"]
    for one in result["choice"]:
        taken = "taken" if one["margin"] == result["ways"][f"{SCRATCH}_{one['head']}"]["margin"] else ""
        areas = " | ".join(f"{one['auc'][condition]:.4f}" for condition in ("clean", "degraded"))
        lines.append(f"| {HEADS[one['head']]} | {one['margin']:g} | {areas} | {taken} |")
    return lines


HEAD = [
    "# Does AdaFace recognise photographs of low quality better than ArcFace and CosFace?", "",
    "Made by `python experiments/adaface.py --lfw WORK/lfw --model model,0 --out WORK/adaface --page",
    "docs/experiments/adaface.md` after `python experiments/prepare_lfw.py --data LFW --out WORK/lfw`; `model,0` is",
    "the published MobileFaceNet that [this page](real_model.md) tells how to get.", "",
    "- **From scratch**: a net of 1.3 M parameters, LFW's 802 base people, 60,000 image passes, scale 32.",
    "- **Finetuned**: the published model on the same people, 150 steps of 64 images, learning rate 0.005, scale 64,",
    "  the published margins (AdaFace 0.4, ArcFace 0.5, CosFace 0.35), class weights from mean embeddings. Length and",
    "  learning rate were set beforehand. LFW's base people may be among those that its authors trained it on.",
    "- For a seed the three heads see the same photographs in the same order, with AdaFace's augmentations (crop, low",
    "  resolution, photometric, each with probability 0.2). AdaFace has its published h of 0.333; its mean and",
    "  deviation of embedding lengths follow with t_alpha 0.1 instead of the published 0.01, which takes hundreds of",
    "  steps to forget its first guess, and these runs have only hundreds.",
    "- **Degraded**: scaled down from 112 to 28 pixels, blurred (standard deviation 0.5 of the small picture's pixels)",
    "  and scaled up again. The blur was set by the unchanged model on the validation people: its AUC is 0.977 with",
    "  0.5 and 0.791 with 1.0. Clean against degraded: the second photograph of each pair is degraded.",
]  # fmt: skip

TABLE = ["Mean over the seeds; thresholds at the stated FMR of these comparisons."]

LENGTH = [
    "AdaFace takes the length of an embedding for the quality of its photograph. The table tells how often a clean",
    "photograph of a test person has a longer embedding than a degraded one, over all pairs: 0.5 says nothing, below",
    "0.5 degraded photographs have the longer ones. Where length does not follow quality, AdaFace gives its margins to",
    "the wrong photographs.",
]

DIFFERENCES = [
    "The first model less the second, paired by seed, mean over the seeds. [95 % interval over subjects: how the mean",
    "of these runs would come out for other people, not for other seeds]",
]

CHOICE = [
    "Each head had two margins to choose from, the published one and about half of it, in runs of 20,000 image passes",
    "with another seed, by the mean of clean and degraded AUC on the validation people.",
]
