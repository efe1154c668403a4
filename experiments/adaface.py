"""Does AdaFace recognise photographs of low quality better than ArcFace and CosFace? LFW, several seeds.

python experiments/prepare_lfw.py --data LFW --out WORK/lfw
python experiments/adaface.py --lfw WORK/lfw --model model,0 --out WORK/adaface --page docs/experiments/adaface.md

Each head trains a small net from scratch (experiments/configs/lfw_adaface.yaml) and finetunes a published model
(lfw_adaface_tune.yaml; docs/experiments/real_model.md tells which), both on the base people; the model itself is scored
as it is, too. From scratch each head has the margin, of two, that short runs found better on the validation people.
All are judged on the test people's pairs: both photographs clean, both degraded (degrade.py), and one of each. One JSON
file and one file of scores for each arm; arms that are done are skipped, one that was interrupted goes on.
``--page-only`` trains nothing: it reports on the arms that are there and names the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from adaface_arms import MARGINS, Arm, Work, make
from adaface_page import page
from adaface_summary import HEADS, MODEL, SCRATCH, TUNED, summarise
from degrade import degrade_folder
from lfw_arms import places, seeds_of, work_through
from result_output import add_arm_options, show

from fairface.checkpoints import resolve
from fairface.cli import parser, run, tell

CHOICE_SEED = 1000  # none of the arms' seeds


def choices() -> list[Arm]:
    """The short runs that choose each head's margin from scratch."""
    return [Arm("choice", head, CHOICE_SEED, margin) for head in HEADS for margin in MARGINS[head]]


def chosen_margins(results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Each head's margin with the highest mean of clean and degraded AUC in the short runs."""
    best: dict[str, tuple[float, float]] = {}
    for one in results:
        mean = (one["auc"]["clean"] + one["auc"]["degraded"]) / 2
        best[one["head"]] = max(best.get(one["head"], (-1.0, 0.0)), (mean, one["margin"]))
    return {head: margin for head, (_, margin) in best.items()}


def arms_of(seeds: Sequence[int], margins: Mapping[str, float], with_model: bool) -> list[Arm]:
    """All arms in the order of their running: a seed from scratch, then finetuned, then the next seed."""
    arms = [Arm(MODEL)] if with_model else []
    for seed in seeds:
        arms += [Arm(SCRATCH, head, seed, margins[head]) for head in HEADS]
        arms += [Arm(TUNED, head, seed, MARGINS[head][1]) for head in HEADS] if with_model else []
    return arms


def run_all(work: Work, seeds: Sequence[int], jobs: int) -> None:
    """Make every arm that is not there."""
    for split in ("validation", "test"):
        degrade_folder(work.folder(split, "clean"), work.folder(split, "degraded"))
    margins = chosen_margins(work_through(partial(make, work=work), choices(), jobs))
    tell([f"{head}: margin {margin:g}" for head, margin in margins.items()])
    work_through(partial(make, work=work), arms_of(seeds, margins, bool(work.model)), jobs)


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--model", default="", metavar="PREFIX,EPOCH", help="a published MobileFaceNet to finetune")
    add_arm_options(options)
    args = options.parse_args(argv)
    work, seeds = Work(*places(args)), seeds_of(args)
    if not args.page_only:
        if args.model:
            resolve(work.model)
        run_all(work, seeds, args.jobs)
    result = summarise(work.out, work.comparisons("test"), seeds)
    show(result, page(result), args)


if __name__ == "__main__":
    run(main)
