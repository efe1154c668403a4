"""The results of experiments/masks.py as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from masked_arms import SEEN, UNSEEN
from masked_tables import DIFFERENCES, difference_table, in_short, pairs_table, retrieval_table, trial_table
from paired_differences import TARGETS
from result_output import judged_on, not_there

TITLES = {
    "baseline": "no masks", "mg": "MG", "lpd": "LPD", "model": "published model", "tuned_plain": "finetuned, no masks",
    "tuned_mg": "finetuned, MG", "tuned_lpd": "finetuned, LPD",
}  # fmt: skip


def page(result: Mapping[str, Any], pairs: Sequence[tuple[str, str]]) -> str:
    """The results as Markdown."""
    lines = [*HEAD, "", *judged_on(result, min(TARGETS)), ""]
    lines += ["## In short", "", *in_short(result, TITLES, pairs), "", *not_there(result["missing"])]
    lines += ["## Pairs", "", *PAIRED, "", *pairs_table(result, TITLES), ""]
    lines += ["## Retrieval", "", *_retrieval_text(result), "", *retrieval_table(result, TITLES), ""]
    lines += ["## Differences", "", *DIFFERENCES, "", *difference_table(result, TITLES), ""]
    lines += ["## LPD's settings from scratch", "", *TRIALS, "", *trial_table(result), ""]
    return "\n".join(lines)


def _retrieval_text(result: Mapping[str, Any]) -> list[str]:
    return [f"Of each test person's photographs every second one, masked, is a query ({result['queries']} queries);",
            "the others, unmasked, and those of people with a single photograph are the gallery. No query finds its",
            "own photograph."]  # fmt: skip


HEAD = [
    "# Do masks in training, and Latent Part Detection, help to recognise masked faces?", "",
    "Made by `python experiments/masks.py --lfw WORK/lfw --model model,0 --out WORK/masks --page",
    "docs/experiments/lpd.md` after `python experiments/prepare_lfw.py --data LFW --out WORK/lfw`; `model,0` is the",
    "published MobileFaceNet that [this page](real_model.md) tells how to get.", "",
    "- **From scratch**: LPD's ResNet at a quarter of the width and with fewer units (`lpd_tiny`), LFW's 802 base",
    "  people (5,788 photographs), 60,000 image passes, CosFace with scale 32 and margin 0.2. **No masks** and **MG**",
    "  (mask generation) have its global stream alone (256 values), **LPD** has both (512 values, twice the",
    "  computation). MG and LPD see half of the photographs with a drawn mask, another one in each epoch.",
    "- **Finetuned**: the published model on the same people, 150 steps of 64 images, learning rate 0.005, CosFace",
    "  with scale 64 and margin 0.35, class weights from mean embeddings. **LPD** puts both streams around it",
    "  (`lpd_mobilefacenet`, 256 values). LFW's base people may be among those that its authors trained it on.",
    f"- Masks in training: {', '.join(SEEN)}.",
    f"  Masks at test, one style for each photograph: {', '.join(UNSEEN)}. All are drawn by",
    "  [this project](../masks.md); none is a photograph of a real mask.",
    "- For a seed the arms see the same photographs in the same order.",
]  # fmt: skip

PAIRED = [
    "Mean over the seeds; thresholds at the stated FMR of these pairs. Masked against unmasked: the first photograph",
    "of each pair is masked.",
]

TRIALS = [
    "One seed, 312 steps each, scored on the validation people with masks of the same unseen styles. The settings",
    "with the highest AUC of masked against unmasked faces were taken.",
]
