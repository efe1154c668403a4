"""The page of an evaluation says of its scores what the text report says."""

import pytest

from fairface.evaluation.assessment import assess_evaluation
from fairface.evaluation.evaluation_page import evaluation_page
from fairface.evaluation.report import EvaluationReport
from fairface.evaluation.sections import TRANSDUCTION
from unittests.evaluation.test_report import OFF, ON, OPTIONS, facts, judged


@pytest.mark.parametrize("steps", [ON, OFF], ids=["transductive", "plain"])
def test_scores_that_hold_for_one_list_alone_are_told_at_the_top(steps):
    pairs = judged()
    page = evaluation_page(EvaluationReport(facts(steps), assess_evaluation(pairs, OPTIONS)), pairs, "./do.sh")
    assert (f"scores are {TRANSDUCTION}" in page.notes) == (steps is ON)


def test_changes_are_from_plain_cosines_and_not_from_a_model_before():
    pairs = judged()
    report = EvaluationReport(facts(), assess_evaluation(pairs, OPTIONS))
    titles = [panel.title for panel in evaluation_page(report, pairs, "./do.sh").panels]
    assert "Compared with plain cosines, by sex" in titles
    assert "Compared with plain cosines, by sex (all images, transductive scores)" in report.markdown()
    assert not any("model before" in title for title in titles)
