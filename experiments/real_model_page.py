"""The page about a published model, from what real_model.py measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INTRODUCTION = """# A published model through this project's programs

Made by `python experiments/real_model.py --data LFW --model model,0 --out WORK/real_model --pairs pairs.txt --page
docs/experiments/real_model.md`. No trained weights ship with this project; this page shows that its programs give a
published model the accuracy that its authors report, and that a run can start from it.

## How to get the model and the photographs

- The model is insightface's MobileFaceNet `y1` (MXNet 1.0, 128 values), which its authors trained on MS1M: follow the
  link in [insightface's issue 214](https://github.com/deepinsight/insightface/issues/214). Unpacked it is
  `model-symbol.json` and `model-0000.params`, which is named `model,0`. It may be used for research only.
- LFW, its `pairs.txt` (http://vis-www.cs.umass.edu/lfw) and how `LFW/` is laid out: `experiments/prepare_lfw.py`.

## The commands

`real_model.py` aligns the photographs by the landmarks given in `LFW/landmarks.csv` (one has none: its face is found as
`data_process/align.py --rescue` does) and calls these programs. `test.npz` holds the rows of the test people,
`test.csv` the columns image and sex:

```sh example
python test/embed.py --model model,0 --data aligned --output embeddings.npz
python test/verification.py --embeddings embeddings.npz --pairs pairs.txt --fmr 0.001
python test/verification.py --embeddings test.npz --all-pairs --subjects-from names --fmr 0.001 --bootstrap 200
python test/fairness.py --embeddings test.npz --all-pairs --subjects-from names --fmr 0.001 \\
    --attributes test.csv --protected sex
python train/train.py experiments/configs/lfw_base.yaml BACKBONE data.path=aligned stage=head steps=1 \\
    start_from=model,0
```

## What came out
"""


def page(result: Mapping[str, Any]) -> str:
    """The result as a page of Markdown."""
    parts = [_verification(result), _by_sex(result["fairness"]), _taken_over(result["taken_over"])]
    return "\n".join([INTRODUCTION, *parts])


def _verification(result: Mapping[str, Any]) -> str:
    rows = ["| pairs | genuine | impostor | AUC | TAR at FMR 0.001 | 10-fold accuracy |", "|---|---|---|---|---|---|"]
    people = result["fairness"]["subjects"]
    names = {"official": "LFW's official list", "verification": f"all pairs of {people} test people"}
    for key, name in names.items():
        if key not in result:
            continue
        found = result[key]
        accuracy = f"{found['accuracy']:.4f} ± {found['accuracy_std']:.4f}" if key == "official" else ""
        auc, tar = _measured(found, "auc", found["auc"]), _measured(found, "tar@0.001", found["tar"]["0.001"])
        rows.append(f"| {name} | {found['genuine']} | {found['impostor']} | {auc} | {tar} | {accuracy} |")
    note = "[95 % confidence interval over subjects]; ± is the standard deviation over the folds."
    return "\n".join([*rows, f"\n{note} The authors report 0.9950 for the official list.\n"])


def _measured(found: Mapping[str, Any], name: str, value: float | None) -> str:
    interval = found["intervals"].get(name)
    if value is None:  # too few comparisons
        return "n/a"
    return f"{value:.4f}" if interval is None else f"{value:.4f} [{interval['low']:.4f}, {interval['high']:.4f}]"


def _by_sex(fairness: Mapping[str, Any]) -> str:
    sex = fairness["groupings"]["sex"]
    threshold = fairness["threshold"]["value"]
    rows = [
        f"All pairs of the test people by sex, at threshold {threshold:.3f} (FMR 0.001 of all of them):", "",
        "| sex | people | FMR | FNMR |", "|---|---|---|---|",
    ]  # fmt: skip
    for group in sex["groups"]:
        rates = " | ".join(_rate(group[kind]) for kind in ("fmr", "fnmr"))
        rows.append(f"| {group['group']} | {group['subjects']} | {rates} |")
    gaps = [sex["measures"][name] for name in ("fmr_gap", "fnmr_gap")]
    rows.append("| gap | | " + " | ".join(f"{gap['value']:.5f}, p {gap['p_value']:.3f}" for gap in gaps) + " |")
    return "\n".join([*rows, "\np: p-value of a permutation test: how often permuted groups give as large a gap.\n"])


def _rate(found: Mapping[str, Any]) -> str:
    return f"{found['value']:.5f} [{found['low']:.5f}, {found['high']:.5f}]"


def _taken_over(taken: Mapping[str, Any]) -> str:
    return (
        "## Taken over by a run\n\n"
        f"BACKBONE is `{taken['backbone']}`;\na run with another one names it. The run's embeddings differ from the "
        f"model's by {taken['difference']:.1g} of their length.\nThe weight of its operator `pre_fc1` is called "
        "`fc1_weight`: parameters are known by what they feed.\n"
    )
