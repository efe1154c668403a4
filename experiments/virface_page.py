"""The results of experiments/virface.py as a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from paired_differences import MEASURES, TARGETS, told
from result_output import judged_on, not_there
from virface_arms import EARLY, EARLY_STEPS, FEW, FEW_PEOPLE, STEPS, TRIAL_STEPS, WHOLE
from virface_summary import TITLES

STARTS = {
    WHOLE: "the whole net",
    EARLY: f"a net after {EARLY_STEPS} steps",
    FEW: f"{FEW_PEOPLE} labeled people, {EARLY_STEPS} steps",
}


def page(result: Mapping[str, Any]) -> str:
    """The results as Markdown."""
    lines = [*HEAD, "", *judged_on(result, min(TARGETS)), ""]
    lines += ["## In short", "", *_in_short(result), "", *not_there(result["missing"])]
    lines += ["## AUC and TAR on the test people", "", *_table(result), ""]
    lines += ["## Differences", "", *DIFFERENCES, "", *_difference_table(result), ""]
    lines += ["## Trials on the validation people", "", *TRIALS, "", *_trial_table(result), ""]
    lines += [*_why(result)]
    return "\n".join(lines)


def _why(result: Mapping[str, Any]) -> list[str]:
    """What the trials say of VirFace with the paper's equations as they stand; nothing where one is missing."""
    areas = {one["trial"]: one["measures"][MEASURES[0]] for one in result["trials"]}
    if not {"labeled", "virface", "virface_constant", "virface_mean", "virface_light"} <= areas.keys():
        return []
    labeled, paper = areas["labeled"], areas["virface"]
    worse = "does harm" if paper < labeled else "does no harm"
    return [
        "## Why the paper's equations are not what was judged", "",
        f"As they stand (defaults) VirFace {worse}: AUC {paper:.4f}, labeled images only {labeled:.4f}. What trains",
        "the backbone there is the loss of the virtual instances: each unlabeled image's five instances, with the sum",
        "of their losses, pull its embedding towards what a generator makes of it, while the class loss of the labeled",
        f"images has a fifth of that weight. Where embeddings are constants in that loss, AUC is "
        f"{areas['virface_constant']:.4f}; with the mean over",
        f"instances in place of the sum {areas['virface_mean']:.4f}; with a tenth of its weight "
        f"{areas['virface_light']:.4f}. The released code does the",
        "first two, and the settings that were judged are its. What the generator then adds to VirClass, the table of",
        "differences tells.", "",
    ]  # fmt: skip


def _in_short(result: Mapping[str, Any]) -> list[str]:
    """Each two ways in one line: the verdict on each measure."""
    lines: dict[tuple[str, str], list[str]] = {}
    for entry in result["differences"]:
        text = f"{entry['measure']} {told(entry)}, {entry['verdict']}"
        lines.setdefault((entry["after"], entry["before"]), []).append(text)
    found = [f"- **{TITLES[one]} against {TITLES[other]}**: {'; '.join(of)}." for (one, other), of in lines.items()]
    return found or ["No two arms can be compared yet."]


def _settings(settings: list[str]) -> str:
    return " ".join(f"`{one}`" for one in settings) or "defaults"


def _table(result: Mapping[str, Any]) -> list[str]:
    lines = [f"| trained with | settings | seeds | {' | '.join(MEASURES)} |", "|---" * (3 + len(MEASURES)) + "|"]
    for way, of in result["ways"].items():
        if of["seeds"]:
            area, *tars = np.mean(of["measures"], axis=0)
            seeds = " ".join(map(str, of["seeds"]))
            cells = [TITLES[way], _settings(of["settings"]), seeds, f"{area:.4f}", *(f"{tar:.3f}" for tar in tars)]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _difference_table(result: Mapping[str, Any]) -> list[str]:
    lines = ["| trained with | number | difference | verdict | seed by seed |", "|---|---|---|---|---|"]
    for entry in result["differences"]:
        ways = f"{TITLES[entry['after']]} less {TITLES[entry['before']]}"
        by_seed = " ".join(f"{value:+.4f}" for value in entry["by_seed"])
        lines.append(f"| {ways} | {entry['measure']} | {told(entry)} | {entry['verdict']} | {by_seed} |")
    return lines


def _trial_table(result: Mapping[str, Any]) -> list[str]:
    """Every trial, with its AUC less that of labeled images only from the same start."""
    lines = [
        f"| trained with | from | settings | {' | '.join(MEASURES)} | AUC less labeled only |",
        "|---" * (4 + len(MEASURES)) + "|",
    ]
    plain = {one["start"]: one["measures"] for one in result["trials"] if one["way"] == "labeled"}
    for one in result["trials"]:
        area, *tars = (one["measures"][measure] for measure in MEASURES)
        gain = f"{area - plain[one['start']][MEASURES[0]]:+.4f}" if one["start"] in plain else ""
        cells = [TITLES[one["way"]], STARTS[one["start"]], _settings(one["settings"]), f"{area:.4f}"]
        lines.append(f"| {' | '.join([*cells, *(f'{tar:.3f}' for tar in tars), gain])} |")
    return lines


HEAD = [
    "# Do unlabeled photographs of people with one image each help? VirClass and VirFace", "",
    "Made by `python experiments/virface.py --lfw WORK/lfw --out WORK/virface --page docs/experiments/virface.md`",
    "after `python experiments/prepare_lfw.py --data LFW --out WORK/lfw`.", "",
    "- **Start**: a net of 1.3 M parameters from scratch, ArcFace with scale 32 and margin 0.25, LFW's 802 base people",
    "  (5,788 photographs), 60,000 image passes; for each seed its own.",
    f"- From it each arm goes on for {STEPS} steps of 64 labeled images at learning rate 0.02 that falls to nothing.",
    "  **Labeled only** sees nothing else. **VirClass** and **VirFace** also see 64 unlabeled images a step, unless",
    "  settings say another number: LFW's 4,069 people with a single photograph. VirFace's generator was trained",
    "  before, for as many steps.",
    "- For a seed the arms start from the same net and see the same labeled photographs.",
]  # fmt: skip

DIFFERENCES = [
    "The first less the second, paired by seed, mean over the seeds. [95 % interval over subjects: how the mean of",
    "these runs would come out for other people, not for other seeds]",
]

TRIALS = [
    f"One seed, {TRIAL_STEPS} steps each. Of each method, the settings with the highest AUC from the whole net were",
    "taken for the test people; the trials with `virface.instances_train_backbone=false` and",
    "`virface.instance_mean=true` alone came later, to explain, and chose nothing. With one seed a difference of a few",
    "thousandths is noise.",
]
