"""The page about normalised scores, from what normalisation.py measured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fairface.scoring.fairness.difference import BETTER, UNCLEAR, WORSE

INTRODUCTION = """# Fairness without retraining, on LFW

Made by `python experiments/normalisation.py --data LFW --embeddings WORK/real_model/embeddings.npz --out
WORK/normalisation --page docs/experiments/normalisation.md` after `experiments/real_model.py`
([its page](real_model.md)): the model is insightface's MobileFaceNet `y1`, the protected attribute sex. Each method of
[`test/normalise.py`](../normalisation.md) is fitted on all pairs of LFW's validation people, where both thresholds are
set too, and judged on all pairs of the test people. Nothing was chosen on the test people. Intervals are for other test
people, the fit and the thresholds of these validation people taken as given. Of 16 verdicts at 95 % one may be chance.
"""
NUMBERS = ("fmr_gap", "fmr_worst", "FMR of everyone", "fnmr_worst", "FNMR of everyone")
HEADINGS = ("FMR gap", "worst FMR", "FMR of all", "worst FNMR", "FNMR of all")
_VERDICTS = {BETTER: "smaller", WORSE: "larger", UNCLEAR: "not distinguishable"}
STEPS_FMR = 0.01
STEPS = ("step 1", "step 2", "step 3")
_ROW = re.compile(
    r"\| (?P<name>[^|]+) \| (?P<before>[-\d.]+) \| (?P<after>[-\d.]+) "
    r"\| (?P<difference>[^|]+) \| (?P<verdict>[^|]+) \|"
)


def finetuned(text: str) -> dict[str, dict[str, dict[str, str]]]:
    """What docs/experiments/fairness_model.md, whose ``text`` this is, says of each of :data:`STEPS`, by number."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for step in STEPS:
        part = re.search(rf"^### {re.escape(step)}$(.*?)^##", text, re.MULTILINE | re.DOTALL)
        rows = {row["name"].strip(): row.groupdict() for row in _ROW.finditer(part[1] if part else "")}
        found[step] = {key: rows[key] for key in NUMBERS if key in rows}
    return found


def numbers(arm: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The :data:`NUMBERS` of one arm: before, after, difference with interval, verdict."""
    of_sex, of_all = arm["changes"]["sex"], arm["changes"]["everyone"]
    result = {key: of_sex["measures"][key] for key in NUMBERS if "everyone" not in key}
    return result | {f"{kind.upper()} of everyone": of_all[kind]["all"] for kind in ("fmr", "fnmr")}


def page(result: Mapping[str, Any]) -> str:
    """The result as a page of Markdown."""
    arms = result["arms"]
    first = arms[0]
    judged, calibration = first["judged"], first["calibration"]
    lines = [INTRODUCTION,
             f"Fitted on {calibration['people']} people ({calibration['genuine']} genuine and "
             f"{calibration['impostor']} impostor pairs), judged on {judged['people']} others ({judged['genuine']} and "
             f"{judged['impostor']}).",
             "", "## In short", "", *_short(arms)]  # fmt: skip
    for fmr in dict.fromkeys(arm["fmr"] for arm in arms):
        lines += ["", f"## Thresholds at FMR {fmr:g}", "", *_table([arm for arm in arms if arm["fmr"] == fmr])]
    lines += ["", "## Beside the finetuning steps", "", *_beside(result["finetuned"], arms)]
    return "\n".join([*lines, ""])


def _short(arms: Sequence[Mapping[str, Any]]) -> list[str]:
    """At each FMR: which methods change the gap, and what everyone pays."""
    lines = []
    for fmr in dict.fromkeys(arm["fmr"] for arm in arms):
        here = [arm for arm in arms if arm["fmr"] == fmr]
        raw = numbers(here[0])["fmr_gap"]["before"]
        parts = [f"{word}: {_arms(here, 'fmr_gap', verdict)}" for verdict, word in _VERDICTS.items()]
        told = "; ".join(parts)
        lines.append(f"- **FMR {fmr:g}.** The FMR gap of raw scores is {raw:.5f}; of normalised ones, {told}.")
        lines += [
            f"- The {kind} of everyone, at the threshold set on the validation people, is worse than before with "
            f"{_arms(here, f'{kind} of everyone', WORSE)}, better with {_arms(here, f'{kind} of everyone', BETTER)}."
            for kind in ("FMR", "FNMR")
        ]
    return lines


def _arms(arms: Sequence[Mapping[str, Any]], key: str, verdict: str) -> str:
    found = [
        f"{_title(arm)} ({numbers(arm)[key]['after']:.5f})" for arm in arms if numbers(arm)[key]["verdict"] == verdict
    ]
    return ", ".join(found) or "none"


def _table(arms: Sequence[Mapping[str, Any]]) -> list[str]:
    before = numbers(arms[0])
    lines = ["| scores | " + " | ".join(HEADINGS) + " | price |", "|---" * (len(HEADINGS) + 2) + "|",
             "| raw | " + " | ".join(f"{before[key]['before']:.5f}" for key in NUMBERS) + " | |"]  # fmt: skip
    for arm in arms:
        cells = [f"{found['after']:.5f} ({_ends(found)}, {found['verdict']})" for found in numbers(arm).values()]
        order = dict(zip(numbers(arm), cells, strict=True))
        ordered = " | ".join(order[key] for key in NUMBERS)
        lines.append(f"| {_title(arm)} | {ordered} | {_price(arm)} |")
    return [*lines, "", "In brackets: the 95 % confidence interval, over subjects, of the difference from raw scores, "
            "and the verdict. Rates are of comparisons within a sex; *of all* is of all comparisons."]  # fmt: skip


def _beside(steps: Mapping[str, Mapping[str, Mapping[str, str]]], arms: Sequence[Mapping[str, Any]]) -> list[str]:
    raw = next(numbers(arm)["fmr_gap"]["before"] for arm in arms if arm["fmr"] == STEPS_FMR)
    listed = float(next(iter(steps.values()))["fmr_gap"]["before"])
    lines = ["The three finetuning steps were run on the same model, and are judged on the same test people: on the "
             f"listed pairs of them, where the FMR gap of the unchanged model is {listed:.4f} ({raw:.4f} on all their "
             f"pairs), as means of three seeds, at FMR {STEPS_FMR} ([their page](fairness_model.md), from which these "
             "figures are read). They need other people to learn from and a training; normalised scores need neither, "
             "but most need to know the group when they compare.", "",
             "| step | " + " | ".join(HEADINGS) + " |", "|---" * (len(HEADINGS) + 1) + "|"]  # fmt: skip
    for step, found in steps.items():
        cells = [f"{of['before']} to {of['after']} ({of['difference'].split(' ', 1)[1]}, {of['verdict']})"
                 for of in (found[key] for key in NUMBERS)]  # fmt: skip
        lines.append(f"| {step} | " + " | ".join(cells) + " |")
    return lines


def _title(arm: Mapping[str, Any]) -> str:
    return f"{arm['method']} by {'clusters' if arm['clusters'] else 'sex'}"


def _price(arm: Mapping[str, Any]) -> str:
    group = "embedding" if arm["clusters"] else "group at run time"
    return group + (", cohort" if arm["method"] in ("znorm", "tnorm") else "")


def _ends(found: Mapping[str, Any]) -> str:
    if found["low"] is None:
        return "no interval"
    return f"[{found['low']:+.5f}, {found['high']:+.5f}]"
