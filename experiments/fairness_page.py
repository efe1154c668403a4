"""The results of experiments/fairness.py: differences paired by seed with confidence intervals, a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.protocols.plain_csv import read_plain_csv
from fairface.scoring.fairness.assess import errors_at
from fairface.scoring.fairness.compare import compare_errors
from fairface.scoring.fairness.grouped import Grouped
from fairface.scoring.fairness.grouping import group_images
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import calibrated_threshold
from fairface.scoring.roc import auc, roc_curve, tar_at_fmr

OPTIONS = FairnessOptions(rounds=1000)
BEFORE, CONTROL = "base", "all_step3"
MEASURES = ("fnmr_gap", "fmr_gap", "fnmr_worst", "fmr_worst")
SHORT = {"fmr_gap": "FMR gap", "fmr_worst": "worst FMR", "fnmr_gap": "FNMR gap", "fnmr_worst": "worst FNMR",
         "FMR of everyone": "FMR of everyone", "FNMR of everyone": "FNMR of everyone"}  # fmt: skip
Errors = NDArray[np.float64]


def summarise(
    arms: Sequence[dict[str, Any]], titles: Sequence[tuple[str, str]], seeds: Sequence[int], lfw: Path, out: Path,
    fmr: float,
) -> dict[str, Any]:  # fmt: skip
    """Every arm's rates, and what it changed against the model before, JSON-ready."""
    data = {split: read_plain_csv(lfw / "aligned" / split / f"{split}_pairs.csv") for split in ("validation", "test")}
    test = with_everyone(data["test"])
    by_seed = {(arm["arm"], arm["seed"]): arm for arm in arms}
    judged = {
        (name, seed): judge(Path(out / f"{Path(by_seed[name, seed]['run']).name}.npz"), data["validation"], test, fmr)
        for name, _ in titles
        for seed in seeds
    }
    found: dict[str, Any] = {"seeds": list(seeds), "fmr": fmr, "arms": {}}
    for name, title in titles:
        of_seeds = [judged[name, seed] for seed in seeds]
        errors = np.mean([one["errors"] for one in of_seeds], axis=0)
        found["arms"][name] = {
            "title": title,
            "thresholds": [one["threshold"] for one in of_seeds],
            "auc": [one["auc"] for one in of_seeds],
            "tar": [one["tar"] for one in of_seeds],
            "groups": [by_seed[name, seed].get("group", {}).get("where", "") for seed in seeds],
            "decisions": [by_seed[name, seed].get("group", {}).get("messages", []) for seed in seeds],
            **rates(errors, test),
            "by_seed": [simple_rates(one["errors"], test) for one in of_seeds],
        }
        if name != BEFORE:
            first = np.mean([judged[BEFORE, seed]["errors"] for seed in seeds], axis=0)
            found["arms"][name]["change"] = changes(first, errors, test)
    if CONTROL in found["arms"]:
        step3, control = (
            np.mean([judged[name, seed]["errors"] for seed in seeds], axis=0) for name in ("fair_step3", CONTROL)
        )
        found["group_against_all_data"] = changes(control, step3, test)
    return found


def with_everyone(comparisons: Comparisons) -> Comparisons:
    """``comparisons`` with an attribute that all images share, so that everybody is a group too."""
    return replace(
        comparisons,
        attributes=np.concatenate([comparisons.attributes, np.zeros((len(comparisons.names), 1), np.int8)], axis=1),
        attribute_names=(*comparisons.attribute_names, "everyone"),
        attribute_values=(*comparisons.attribute_values, ("everyone",)),
    )


def judge(path: Path, validation: Comparisons, test: Comparisons, fmr: float) -> dict[str, Any]:
    """One model: its threshold, fixed on the validation people, and which test comparisons go wrong at it."""
    with np.load(path, allow_pickle=False) as scores:
        threshold = calibrated_threshold(scores["validation"], validation.same, fmr, "the validation people")
        roc = roc_curve(scores["test"], test.same)
        return {
            "threshold": threshold.value,
            "errors": errors_at(threshold, scores["test"], test),
            "auc": auc(roc),
            "tar": {str(target): tar_at_fmr(roc, target).value for target in (1e-2, 1e-3)},
        }


def rates(errors: Errors, test: Comparisons) -> dict[str, Any]:
    """FNMR and FMR of each sex and of everyone, with confidence intervals over subjects."""
    found = {}
    for attribute in ("sex", "everyone"):
        grouped = Grouped(
            test, group_images(test, [attribute]), 1.0 - errors, errors, np.ones(len(test), bool),
            replace(OPTIONS, rounds=0),
        )  # fmt: skip
        for number, label in enumerate(grouped.groups.labels):
            found[label] = {name: side.rate(number, number).to_dict() for name, side in grouped.error_types.items()}
    return {"rates": found}


def simple_rates(errors: Errors, test: Comparisons) -> dict[str, float]:
    """The same rates without intervals, and the gaps."""
    sex = test.attributes[:, test.attribute_names.index("sex")]
    found = {}
    for code, label in enumerate(test.attribute_values[test.attribute_names.index("sex")]):
        inside = (sex[test.a] == code) & (sex[test.b] == code)
        found[f"fnmr {label}"] = float(errors[inside & test.same].mean())
        found[f"fmr {label}"] = float(errors[inside & ~test.same].mean())
    for side in ("fnmr", "fmr"):
        values = [value for key, value in found.items() if key.startswith(f"{side} ")]
        found[f"{side}_gap"], found[f"{side}_worst"] = max(values) - min(values), max(values)
    return found


def changes(before: Errors, after: Errors, test: Comparisons) -> dict[str, Any]:
    """What changed, by number: before, after, difference with its interval, verdict."""
    found = compare_errors(before, after, test, ["sex"], OPTIONS)["sex"]
    every = compare_errors(before, after, test, ["everyone"], OPTIONS)["everyone"]
    result = {
        f"{side} of {label}": difference.to_dict()
        for side, of in (("FNMR", found.fnmr), ("FMR", found.fmr)) for label, difference in of.items()
    }  # fmt: skip
    result |= {name: found.scalars[name].to_dict() for name in MEASURES}
    result |= {f"{side} of everyone": of["everyone"].to_dict()
               for side, of in (("FNMR", every.fnmr), ("FMR", every.fmr))}  # fmt: skip
    return result


def page(result: dict[str, Any]) -> str:
    """The results as Markdown."""
    arms, seeds = result["arms"], result["seeds"]
    controlled = CONTROL in arms  # else a published model, without controls
    lines = [*(HEAD if controlled else HEAD_OF_MODEL), "", "## In short", "", *in_short(result), "",
             "## Rates on the test people", "",
             f"Mean of seeds {', '.join(map(str, seeds))}; each model at its own threshold, set at FMR "
             f"{result['fmr']:g} on the validation people and taken as given. [95 % confidence interval over subjects, "
             "not over seeds]", "",
             "| model | FNMR f | FNMR m | FMR f | FMR m | FNMR all | FMR all | AUC | TAR at FMR 0.001 |",
             "|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for arm in arms.values():
        of = arm["rates"]
        cells = [_rate(of[label][side]) for side in ("fnmr", "fmr") for label in ("f", "m")]
        cells += [_rate(of["everyone"][side]) for side in ("fnmr", "fmr")]
        tar = float(np.mean([one["0.001"] for one in arm["tar"]]))
        lines.append(f"| {arm['title']} | " + " | ".join([*cells, f"{np.mean(arm['auc']):.4f}", f"{tar:.3f}"]) + " |")
    lines += ["", "## Against the model before", ""]
    for arm in arms.values():
        if "change" in arm:
            lines += [f"### {arm['title']}", "", *_changes(arm["change"], arm, arms[BEFORE]), ""]
    if controlled:
        lines += ["### The group's data against all data in step 3", "",
                  "Before: step 3 on all data; after: step 3 on the group's data.", "",
                  *_changes(result["group_against_all_data"], None, None), ""]  # fmt: skip
    lines += ["## How the group of step 3 was chosen", ""]
    for seed, messages in zip(seeds, arms["fair_step3"]["decisions"], strict=True):
        lines += [f"- seed {seed}: {'; '.join(messages)}"]
    return "\n".join([*lines, ""])


def in_short(result: dict[str, Any]) -> list[str]:
    """The verdicts in sentences, and what moved."""
    arms = result["arms"]
    lines = []
    for name in ("fair_step2", "fair_step3", CONTROL):
        if name not in arms:
            continue
        change = arms[name]["change"]
        told = "; ".join(f"{words}: {_told(change[key])}" for key, words in SHORT.items())
        lines.append(f"- **{arms[name]['title']}** against the model before. {told}.")
    if CONTROL not in arms:
        return lines
    group = result["group_against_all_data"]
    lines.append(f"- **The group's data instead of all data** in step 3. FMR gap: {_told(group['fmr_gap'])}; "
                 f"FNMR of everyone: {_told(group['FNMR of everyone'])}.")  # fmt: skip
    still, moved = arms["still_step3"], arms["fair_step3"]
    gaps = [arm["change"]["fmr_gap"]["after"] for arm in (still, moved)]
    lines.append(f"- **What moved.** With learning rate 0 the FMR gap is {gaps[0]:.4f} after step 3, with the recipe's "
                 f"{gaps[1]:.4f}. In the first case no weight changed, only BatchNorm's running statistics, "
                 "which come to fit the group.")  # fmt: skip
    return lines


def _told(change: dict[str, Any]) -> str:
    interval = f"[{change['low']:+.4f}, {change['high']:+.4f}]"
    return f"{change['before']:.4f} to {change['after']:.4f}, {interval}, {change['verdict']}"


def _changes(change: dict[str, Any], arm: Any, before: Any) -> list[str]:
    lines = ["| number | before | after | difference | verdict | seed by seed |", "|---|---|---|---|---|---|"]
    for name, one in change.items():
        interval = f"{one['value']:+.4f} [{one['low']:+.4f}, {one['high']:+.4f}]"
        per_seed = _by_seed(name, arm, before)
        numbers = f"{one['before']:.4f} | {one['after']:.4f} | {interval}"
        lines.append(f"| {name} | {numbers} | {one['verdict']} | {per_seed} |")
    return lines


def _by_seed(name: str, arm: Any, before: Any) -> str:
    key = name.replace("FNMR of ", "fnmr ").replace("FMR of ", "fmr ")
    if arm is None or key not in arm["by_seed"][0]:
        return ""
    pairs = zip(arm["by_seed"], before["by_seed"], strict=True)
    return " ".join(f"{after[key] - first[key]:+.4f}" for after, first in pairs)


def _rate(rate: dict[str, Any]) -> str:
    return f"{rate['value']:.4f} [{rate['low']:.4f}, {rate['high']:.4f}]"


HEAD = [
    "# Do the three fairness steps make a recogniser fairer?", "",
    "Made by `python experiments/fairness.py --lfw WORK/lfw --out WORK/fairness --page docs/experiments/fairness.md`",
    "after `python experiments/prepare_lfw.py --data LFW --out WORK/lfw`.", "",
    "LFW, protected attribute sex. A net of 1.3 M parameters is trained on 802 people (60,000 image passes), then",
    "finetuned in three steps on 200 other people (884 images): the classifier alone; all layers; all layers with the",
    "data of the sex that is most discriminated on 193 validation people. It is judged on 485 test people. The",
    "recipe's learning rates and lengths were looked at on the validation people with seed 0. An earlier form of step",
    "3, longer and with the checkpoint of the best AUC, was judged on the test people with seed 0: it went too far",
    "(FMR f 0.003, m 0.022). The checkpoint has been chosen by the worst group's FMR on the validation people since.",
    "",
    "Of step 3 the checkpoint is kept whose worst group has the lowest FMR on the validation people. `step 3, all",
    "data` is the control: the same step and choice of checkpoint on all finetune people. At `learning rate 0` only",
    "BatchNorm's running statistics move. Rates are those of comparisons within a sex. Confidence intervals are over",
    "subjects: each comparison counts with the share of seeds in which it goes wrong.",
]  # fmt: skip
HEAD_OF_MODEL = [
    "# Do the three fairness steps make a published recogniser fairer?", "",
    "Made by `python experiments/fairness.py --lfw WORK/lfw --model model,0 --out WORK/fairness_model --page",
    "docs/experiments/fairness_model.md` after `python experiments/prepare_lfw.py --data LFW --out WORK/lfw`. The",
    "model is insightface's MobileFaceNet `y1` ([its page](real_model.md)).", "",
    "LFW, protected attribute sex. The model is finetuned in three steps on 200 people (884 images): a new",
    "classifier alone; all layers; all layers with the data of the sex that is most discriminated on 193 validation",
    "people. It is judged on 485 test people. Lengths and learning rates were set beforehand, not tried out. Of step",
    "3 the checkpoint is kept whose worst group has the lowest FMR on the validation people. Rates are those of",
    "comparisons within a sex. Confidence intervals are over subjects: each comparison counts with the share of seeds",
    "in which it goes wrong. What the same steps do to a small net, with controls: [its page](fairness.md).",
]  # fmt: skip
