"""Do unlabeled photographs of people with one image each help? VirClass and VirFace on LFW, several seeds.

python experiments/prepare_lfw.py --data LFW --out WORK/lfw
python experiments/virface.py --lfw WORK/lfw --out WORK/virface --page docs/experiments/virface.md

A net is trained from scratch on the base people (the ArcFace arm of experiments/adaface.py, whose finished runs under
``OUT/models`` are taken where they are). From it three arms go on with the same number of steps: labeled images only,
VirClass and VirFace, which also see the 4,069 people with a single photograph, without labels. Trials on the
validation people come first; of each method, the settings that were best there are judged on the test people. One JSON
file and one file of scores for each arm; arms that are done are skipped, one that was interrupted goes on.
``--page-only`` trains nothing: it reports on the arms that are there and names the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import lfw_arms
from lfw_arms import places, seeds_of
from paired_differences import MEASURES
from result_output import add_arm_options, show
from virface_arms import (
    EARLY,
    FEW,
    LABELED,
    VIRCLASS,
    VIRFACE,
    WHOLE,
    Arm,
    Work,
    make,
    train_from_scratch,
    train_generator,
    write_few,
)
from virface_page import page
from virface_summary import summarise

from fairface.cli import parser, run, tell

WAYS = (LABELED, VIRCLASS, VIRFACE)
ALIKE = "virface.overlap=0.8"
# Trials by name; the first of each start is labeled images only.
TRIALS = (
    Arm(LABELED, trial="labeled"),
    Arm(VIRCLASS, trial="virclass"),
    Arm(VIRCLASS, trial="virclass_16", settings=("sources.unlabeled.batch_size=16",)),
    Arm(VIRCLASS, trial="virclass_128", settings=("sources.unlabeled.batch_size=128",)),
    Arm(VIRCLASS, trial="virclass_constant", settings=("virface.centres_train_backbone=false",)),
    Arm(VIRCLASS, trial="virclass_dropout", settings=("virface.dropout=0.5",)),
    Arm(VIRCLASS, trial="virclass_overlap", settings=(ALIKE,)),
    Arm(VIRFACE, trial="virface"),
    Arm(VIRFACE, trial="virface_light", settings=("virface.instance_weight=0.1",)),
    Arm(VIRFACE, trial="virface_released", settings=("virface.instances_train_backbone=false",
        "virface.instance_mean=true", "virface.dropout=0.5", "virface.l2_moves_classes=true")),
    # These two tell which of the released code's options does it; they came later and choose nothing.
    Arm(VIRFACE, trial="virface_constant", settings=("virface.instances_train_backbone=false",)),
    Arm(VIRFACE, trial="virface_mean", settings=("virface.instance_mean=true",)),
    Arm(LABELED, trial="early_labeled", start=EARLY),
    Arm(VIRCLASS, trial="early_virclass", start=EARLY),
    Arm(LABELED, trial="few_labeled", start=FEW),
    Arm(VIRCLASS, trial="few_virclass", start=FEW),
)  # fmt: skip
EXPLAINING = ("virface_constant", "virface_mean")


def chosen_settings(results: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """By way, the settings of its trial with the highest AUC, of those that start from the whole net and may choose."""
    best: dict[str, tuple[float, tuple[str, ...]]] = {}
    for one in results:
        if one["start"] == WHOLE and one["trial"] not in EXPLAINING:
            area = one["measures"][MEASURES[0]]
            if area > best.get(one["way"], (-1.0, ()))[0]:
                best[one["way"]] = (area, tuple(one["settings"]))
    return {way: settings for way, (_, settings) in best.items()}


def arms_of(seeds: Sequence[int], settings: Mapping[str, tuple[str, ...]]) -> list[Arm]:
    """The arms that are judged on the test people, seed by seed."""
    return [Arm(way, seed, settings=settings[way]) for seed in seeds for way in WAYS]


def work_through(arms: Sequence[Arm], work: Work, jobs: int) -> list[dict[str, Any]]:
    """Every arm's result, ``jobs`` at a time; what several of them start from is trained before, one by one."""
    missing = [arm for arm in arms if not (work.out / f"{arm.name}.json").is_file()]
    for start in dict.fromkeys((arm.start, arm.seed) for arm in missing):
        train_from_scratch(*start, work)
    for start in dict.fromkeys((arm.start, arm.seed) for arm in missing if arm.way == VIRFACE):
        train_generator(*start, work)
    return lfw_arms.work_through(partial(make, work=work), arms, jobs)


def run_all(work: Work, seeds: Sequence[int], jobs: int) -> None:
    """Make every arm that is not there."""
    write_few(work)
    settings = chosen_settings(work_through(TRIALS, work, jobs))
    tell([f"{way}: {' '.join(of_way) or 'defaults'}" for way, of_way in settings.items()])
    for seed in seeds:
        work_through(arms_of([seed], settings), work, jobs)


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    add_arm_options(options)
    args = options.parse_args(argv)
    work, seeds = Work(*places(args)), seeds_of(args)
    if not args.page_only:
        run_all(work, seeds, args.jobs)
    result = summarise(work, TRIALS, seeds)
    show(result, page(result), args)


if __name__ == "__main__":
    run(main)
