"""Pages of small worlds."""

from dataclasses import replace

import numpy as np

from fairface.report.fairness_report import FairnessReport
from fairface.report.page.card import Provenance
from fairface.report.page.fairness_page import fairness_page
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.score_summary import summarise_scores
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world, with_attribute

MADE_BY = Provenance("python test/fairness.py --pairs 'a <b>.csv'", {"pairs": "a <b>.csv"})


def report_of(scores, comparisons, protected=("sex",), threshold=0.35, rounds=20):
    options = FairnessOptions(rounds=rounds, min_subjects=5)
    return FairnessReport(assess(scores, comparisons, protected, given_threshold(threshold), options))


def page_of(scores, comparisons, protected=("sex",), threshold=0.35, size=60):
    summary = summarise_scores(scores, comparisons, protected, threshold, size=size)
    return fairness_page(report_of(scores, comparisons, protected, threshold), MADE_BY, summary, comparisons)


def undrawn(page):
    """The page without its figures, which take most of the time."""
    return replace(page, panels=tuple(replace(panel, drawing=None) for panel in page.panels))


def two_attributes(values=("f", "m"), subjects=40):
    scores, comparisons = small_world(subjects=subjects, images=2, worse=0.15, values=values)
    codes = np.arange(len(comparisons.attributes)) // 2 % 3 == 0
    return scores, with_attribute(comparisons, codes, "skin", ("dark", "bright"))
