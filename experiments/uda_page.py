"""The results of experiments/uda.py as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from masked_arms import SEEN, UNSEEN
from masked_tables import DIFFERENCES, difference_table, in_short, pairs_table, retrieval_table
from paired_differences import TARGETS
from result_output import judged_on, not_there

TITLES = {"uda": "UDA", "without": "no regularisers", "plain": "plain net"}


def page(result: Mapping[str, Any], pairs: Sequence[tuple[str, str]]) -> str:
    """The results as Markdown."""
    lines = [*HEAD, "", *judged_on(result, min(TARGETS)), ""]
    lines += ["## In short", "", *in_short(result, TITLES, pairs), "", *not_there(result["missing"])]
    lines += ["## Pairs", "", *PAIRED, "", *pairs_table(result, TITLES), ""]
    lines += ["## Retrieval", "", f"{result['queries']} masked queries search the unmasked photographs of the others.",
              "", *retrieval_table(result, TITLES), ""]  # fmt: skip
    lines += ["## Differences", "", *DIFFERENCES, "", *difference_table(result, TITLES), ""]
    return "\n".join(lines)


HEAD = [
    "# Do unlabeled masked faces help? UDA",
    "",
    "Made by `python experiments/uda.py --lfw WORK/lfw --out WORK/uda --page docs/experiments/uda.md` after",
    "`python experiments/prepare_lfw.py --data LFW --out WORK/lfw`.",
    "",
    "- Every arm sees 64 labeled photographs of LFW's 802 base people a step, 20,000 passes from scratch, and 16",
    "  masked ones without labels, of the 4,069 people with a single photograph. CosFace, scale 32, margin 0.2.",
    "- **UDA**: the region-split net `split_ir_tiny` (256 values) with both regularisers, weights 0.3 and 0.2.",
    "  **No regularisers**: the same net, weights 0: masked faces act through BatchNorm's statistics alone.",
    "  **Plain net**: `fresnet_tiny`, whose embedding has no parts, on the same batches.",
    f"- Masks in training: {', '.join(SEEN)}.",
    f"  Masks at test, one style for each photograph: {', '.join(UNSEEN)}. All are drawn by",
    "  [this project](../masks.md); none is a photograph of a real mask.",
    "- The published MobileFaceNet of [this page](real_model.md) cannot be finetuned this way: UDA's regularisers need",
    "  a net that keeps upper and lower face apart from its first layers on.",
    "- For a seed the arms see the same photographs in the same order.",
]

PAIRED = [
    "Mean over the seeds; thresholds at the stated FMR of these pairs. Masked against unmasked: the first photograph",
    "of each pair is masked.",
]
