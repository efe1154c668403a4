"""Do unlabeled masked faces help, and which part of UDA does it? LFW, several seeds.

python experiments/prepare_lfw.py --data LFW --out WORK/lfw
python experiments/uda.py --lfw WORK/lfw --out WORK/uda --page docs/experiments/uda.md

From scratch (experiments/configs/lfw_uda.yaml): UDA with both regularisers; the same net on the same batches without
them, so that masked faces act through BatchNorm alone; a plain net (fresnet_tiny) on the same batches. All are judged
on the test people with masks of styles that no training has seen. One JSON file and one file of scores for each arm;
arms that are done are skipped, one that was interrupted goes on. ``--page-only`` trains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lfw_arms import places, seeds_of, work_through
from masked_arms import SEEN, Arm, Work, draw_masks, make
from masked_summary import summarise
from result_output import add_arm_options, show
from uda_page import page

from fairface.cli import parser, run

UDA, WITHOUT, PLAIN = "uda", "without", "plain"
OFF = ("uda.masked_weight=0", "uda.normal_weight=0")
OF_WAY = {UDA: (), WITHOUT: OFF, PLAIN: (*OFF, "backbone.name=fresnet_tiny")}
PAIRS = ((UDA, WITHOUT), (UDA, PLAIN), (WITHOUT, PLAIN))


def arms_of(work: Work, seeds: Sequence[int]) -> list[Arm]:
    """What is judged on the test people, seed by seed."""
    data = (f"sources.faces.data.path={work.lfw / 'base'}", f"sources.masked.data.path={work.lfw / 'single'}")
    styles = f"sources.masked.augment.mask_styles=[{','.join(SEEN)}]"
    return [Arm(way, "lfw_uda.yaml", seed, (*data, styles, *of)) for seed in seeds for way, of in OF_WAY.items()]


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    add_arm_options(options)
    args = options.parse_args(argv)
    work = Work(*places(args))
    arms = arms_of(work, seeds_of(args))
    if not args.page_only:
        draw_masks(work, "test")
        work_through(partial(make, work=work), arms, args.jobs)
    result = summarise(work, arms, (), PAIRS)
    show(result, page(result, PAIRS), args)


if __name__ == "__main__":
    run(main)
