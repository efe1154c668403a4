"""Does a hard-sample model, alone or fused with the three-step model, find more genuine pairs at a low FMR? LFW.

python experiments/fairness.py --lfw WORK/lfw --out WORK/fairness
python experiments/hard_samples.py --lfw WORK/lfw --out WORK/fairness --page docs/experiments/hard_samples.md

Goes on in the folder of experiments/fairness.py, whose models it starts from. Compared on the test people: the
three-step model alone; the hard-sample model alone; the mean of their cosines; and the challenge's chain, whose steps
change a pair's score by other pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fairness import CONFIGS, Arm, make
from paired_rounds import interval, measure_rounds, verdict
from result_output import add_output_options, show

from fairface.cli import parser, progress, run
from fairface.protocols.plain_csv import read_plain_csv
from fairface.scoring.roc import auc, roc_curve, tar_at_fmr
from fairface.scoring.transductive.chain import ChainSteps, run_chain

HARD = str(CONFIGS / "lfw_hard.yaml")
ARMS = tuple(
    Arm(f"hard_step{step}", f"hard samples, step {step}", "finetune.py", (
        HARD, str(step), "name=hard_{seed}", "hard_samples_of={models}/fair_{seed}_step3"))
    for step in (1, 2)
)  # fmt: skip
TARGETS = (1e-2, 1e-3)
ALONE = "three-step model"
CHAIN = "the challenge's chain (transductive)"


def scores_of(out: Path, seed: int, comparisons: Any) -> dict[str, Any]:
    """The test people's scores by every way of using the two models."""
    with (
        np.load(out / f"fair_{seed}_step3.npz", allow_pickle=False) as one,
        np.load(out / f"hard_{seed}_step2.npz", allow_pickle=False) as two,
    ):
        three, hard = one["test"], two["test"]
    chain = run_chain(comparisons.a, comparisons.b, three, hard, ChainSteps())
    return {ALONE: three, "hard-sample model": hard, "mean of both cosines": (three + hard) / 2, CHAIN: chain.scores}


def summarise(arms: Sequence[dict[str, Any]], seeds: Sequence[int], lfw: Path, out: Path) -> dict[str, Any]:
    """Every way's AUC and TAR by seed, and the differences to the three-step model."""
    comparisons = read_plain_csv(lfw / "aligned" / "test" / "test_pairs.csv")
    ways = [scores_of(out, seed, comparisons) for seed in seeds]
    found: dict[str, Any] = {"seeds": list(seeds), "ways": {}, "samples": []}
    for seed in seeds:
        line = (out / "models" / f"hard_{seed}_samples.txt").read_text().splitlines()[0]
        line = line.removeprefix("# ").removeprefix("hard samples: ")
        head, _, counts = line.partition(": ")
        found["samples"].append(f"{head.split(' in ')[0]}; {counts}")  # without the folders of one machine
    rounds = measure_rounds({way: [of[way] for of in ways] for way in ways[0]}, comparisons, TARGETS)
    for way in ways[0]:
        rocs = [roc_curve(of[way], comparisons.same) for of in ways]
        entry: dict[str, Any] = {"auc": [auc(roc) for roc in rocs]}
        for place, target in enumerate(TARGETS, start=1):
            entry[f"tar@{target:g}"] = [tar_at_fmr(roc, target).value for roc in rocs]
            if way != ALONE:
                entry[f"interval@{target:g}"] = interval(rounds[way][:, place] - rounds[ALONE][:, place])
        found["ways"][way] = entry
    return found


def page(result: dict[str, Any]) -> str:
    """The results as Markdown."""
    seeds = ", ".join(map(str, result["seeds"]))
    lines = [*HEAD, "", f"Mean of seeds {seeds}; thresholds at the stated FMR of the test comparisons themselves.", ""]
    lines += ["| scores | AUC | TAR at FMR 0.01 | TAR at FMR 0.001 |", "|---|---|---|---|"]
    alone = result["ways"][ALONE]
    for way, of in result["ways"].items():
        cells = [f"{np.mean(of[f'tar@{target:g}']):.3f}" for target in TARGETS]
        lines.append(f"| {way} | {np.mean(of['auc']):.4f} | " + " | ".join(cells) + " |")
    lines += ["", "Against the three-step model, [95 % confidence interval over subjects], seed by seed:", "",
              "| scores | FMR | difference in TAR | verdict | seeds |", "|---|---|---|---|---|"]  # fmt: skip
    for way, of in result["ways"].items():
        for target in TARGETS if way != ALONE else ():
            key = f"tar@{target:g}"
            seeds_of = [b - a for a, b in zip(alone[key], of[key], strict=True)]
            low, high = of[f"interval@{target:g}"]
            told = " ".join(f"{value:+.3f}" for value in seeds_of)
            lines.append(f"| {way} | {target:g} | {np.mean(seeds_of):+.3f} [{low:+.3f}, {high:+.3f}] "
                         f"| {verdict(low, high)} | {told} |")  # fmt: skip
    lines += ["", "## Why", "", *WHY, "", *(f"- seed {seed}: {told}" for seed, told in
                                        zip(result["seeds"], result["samples"], strict=True)), ""]  # fmt: skip
    return "\n".join(lines)


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--lfw", type=Path, required=True, metavar="DIR", help="what prepare_lfw.py wrote")
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="what fairness.py wrote to")
    options.add_argument("--seeds", default="0,1,2", help="comma-separated")
    add_output_options(options)
    args = options.parse_args(argv)
    lfw, out = args.lfw.resolve(), args.out.resolve()
    seeds = [int(seed) for seed in args.seeds.split(",")]
    wanted = [(arm, seed) for seed in seeds for arm in ARMS]
    arms = [make(arm, seed, lfw, out) for arm, seed in progress(wanted, label="arms", unit="arm")]
    result = summarise(arms, seeds, lfw, out)
    show(result, page(result), args)


HEAD = [
    "# Does a hard-sample model help at a low FMR?", "",
    "Made by `python experiments/hard_samples.py --lfw WORK/lfw --out WORK/fairness --page "
    "docs/experiments/hard_samples.md`", "after `experiments/fairness.py`, from whose models it starts.", "",
    "The hard-sample model starts from the recogniser before finetuning and takes the first two steps on the finetune",
    "people of whom the three-step model's classifier gets a photograph wrong. The challenge's chain re-ranks, cuts",
    "and fuses the scores; all three change a pair's score by other pairs of the list.",
]  # fmt: skip


WHY = [
    "The list of hard samples decides. Where the three-step model knows its training people by heart, few photographs",
    "or none are left to learn from, and the second model is trained on all records, or on one person's. The lists of",
    "these seeds:",
]


if __name__ == "__main__":
    run(main)
