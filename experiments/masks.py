"""Do masks in training, and Latent Part Detection, help to recognise masked faces? LFW, several seeds.

python experiments/prepare_lfw.py --data LFW --out WORK/lfw
python experiments/masks.py --lfw WORK/lfw --model model,0 --out WORK/masks --page docs/experiments/lpd.md

From scratch on the base people (experiments/configs/lfw_masks.yaml): a baseline without masks, MG (mask generation:
half of the images wear a drawn mask) and LPD with the same masks. A published model (lfw_masks_tune.yaml;
docs/experiments/real_model.md tells which) is scored as it is and finetuned: without masks, with masks, and with LPD's
two streams around it. All are judged on the test people with masks of styles that no training has seen. Trials on the
validation people choose LPD's settings from scratch. One JSON file and one file of scores for each arm; arms that are
done are skipped, one that was interrupted goes on. ``--page-only`` trains nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lfw_arms import places, seeds_of, work_through
from masked_arms import MIXED, SEEN, Arm, Work, draw_masks, make
from masked_summary import summarise
from masks_page import page
from result_output import add_arm_options, show

from fairface.checkpoints import resolve
from fairface.cli import parser, run, tell

BASELINE, MG, LPD = "baseline", "mg", "lpd"
MODEL, PLAIN = "model", "tuned_plain"
MASKS = ("augment.mask=0.5", f"augment.mask_styles=[{','.join(SEEN)}]")
TWO_STREAMS = ("method=lpd", "backbone.name=lpd_tiny", "backbone.embedding=512")
AROUND_MODEL = ("method=lpd", "backbone.name=lpd_mobilefacenet", "backbone.embedding=256")
PAIRS = (
    (MG, BASELINE), (LPD, BASELINE), (LPD, MG), (PLAIN, MODEL), ("tuned_mg", MODEL), ("tuned_mg", PLAIN),
    ("tuned_lpd", MODEL), ("tuned_lpd", "tuned_mg"),
)  # fmt: skip
TRIAL_STEPS = 312
TRIALS: Mapping[str, tuple[str, ...]] = {
    "top": (),
    "top_light": ("lpd.height_weight=5",),
    "free": ("lpd.anchor=free",),
    "joint": ("lpd.joint_statistics=true",),
}


def trials(work: Work) -> list[Arm]:
    """Short LPD runs from scratch."""
    shared = (f"data.path={work.lfw / 'base'}", *MASKS, *TWO_STREAMS, f"steps={TRIAL_STEPS}")
    return [Arm(LPD, "lfw_masks.yaml", 1000, shared, extra, name) for name, extra in TRIALS.items()]


def chosen(results: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The settings of the trial with the highest AUC of masked against unmasked faces."""
    best = max(results, key=lambda one: one["measures"][MIXED][0])
    return tuple(best["extra"])


def arms_of(work: Work, seeds: Sequence[int], settings: Sequence[str]) -> list[Arm]:
    """What is judged on the test people: from scratch, then finetuned, seed by seed."""
    base, extra = f"data.path={work.lfw / 'base'}", tuple(settings)
    start = (base, f"start_from={work.model}")
    arms = [Arm(MODEL)] if work.model else []
    for seed in seeds:
        arms += [
            Arm(BASELINE, "lfw_masks.yaml", seed, (base,)),
            Arm(MG, "lfw_masks.yaml", seed, (base, *MASKS)),
            Arm(LPD, "lfw_masks.yaml", seed, (base, *MASKS, *TWO_STREAMS), extra),
        ]
    for seed in seeds if work.model else ():
        arms += [
            Arm(PLAIN, "lfw_masks_tune.yaml", seed, start),
            Arm("tuned_mg", "lfw_masks_tune.yaml", seed, (*start, *MASKS)),
            Arm("tuned_lpd", "lfw_masks_tune.yaml", seed, (*start, *MASKS, *AROUND_MODEL)),
        ]
    return arms


def run_all(work: Work, seeds: Sequence[int], jobs: int) -> None:
    """Make every arm that is not there, ``jobs`` at a time. All are tried before the first error is raised."""
    for split in ("validation", "test"):
        draw_masks(work, split)
    settings = chosen(work_through(partial(make, work=work), trials(work), jobs))
    tell([f"LPD from scratch: {' '.join(settings) or 'as configured'}"])
    work_through(partial(make, work=work), arms_of(work, seeds, settings), jobs)


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
    arms = arms_of(work, seeds, ())
    pairs = [pair for pair in PAIRS if {*pair} <= {arm.way for arm in arms}]
    result = summarise(work, arms, trials(work), pairs, (MODEL,))
    show(result, page(result, pairs), args)


if __name__ == "__main__":
    run(main)
