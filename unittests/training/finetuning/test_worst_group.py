"""The group of the last step is computed from what a model does to subjects that it was not trained on."""

import numpy as np
import pytest

from fairface.comparisons import Comparisons
from fairface.config.schema import TrainConfig
from fairface.config.staged import GroupChoice
from fairface.errors import ConfigError
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from fairface.training.finetuning.worst_group import decide, decide_group, where_of

CHOICE = GroupChoice("validation", ("sex",), "fmr", 0.01, 5)


def result(subjects, impostor_matches, genuine_misses, protected=("sex",)):
    """Subjects of two sexes with two images each; the given shares of the comparisons of f go wrong, none of m does."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(subjects), 2)
    a, b = np.triu_indices(len(who), 1)
    same = who[a] == who[b]
    sex, skin = (who % 2).astype(np.int8), (who // 2 % 2).astype(np.int8)
    of_f = (sex[a] == 1) & (sex[b] == 1)
    wrong = of_f & (rng.random(len(a)) < np.where(same, genuine_misses, impostor_matches))
    comparisons = Comparisons(
        a=a, b=b, same=same, fold=np.full(len(a), -1, np.int32), subject_a=who[a], subject_b=who[b],
        attributes=np.stack([sex, skin], axis=1), attribute_names=("sex", "skin"),
        attribute_values=(("m", "f"), ("light", "dark")), names=tuple(f"{i}.png" for i in range(len(who))),
    )  # fmt: skip
    scores = np.where(same != wrong, 1.0, 0.0)
    options = FairnessOptions(rounds=0, min_subjects=5)
    return assess(scores, comparisons, protected, given_threshold(0.5), options)


def test_both_sides_are_told_and_one_decides():
    decision = decide(result(40, 0.2, 0.5), CHOICE)
    assert decision.where == "sex=f"
    told = "\n".join(decision.messages)
    assert "worst FNMR: f with" in told
    assert "worst FMR: f with" in told
    assert "[" in told
    assert "sex=f only" in told
    assert decision.report["groupings"]["sex"]["groups"][0]["group"] in ("m", "f")


def test_a_side_without_errors_chooses_nobody():
    only_genuine = result(40, 0.0, 0.5)
    assert decide(only_genuine, CHOICE).where == ""
    assert "all data" in decide(only_genuine, CHOICE).messages[-1]
    assert decide(only_genuine, GroupChoice("v", ("sex",), "fnmr", 0.01, 5)).where == "sex=f"


def test_too_few_people_are_counted_and_all_data_are_taken():
    decision = decide(result(8, 0.5, 0.5), CHOICE)
    assert decision.where == ""
    told = "\n".join(decision.messages)
    assert "m: 4" in told
    assert "f: 4" in told
    assert "all data" in told


def test_attributes_together_make_a_filter_of_both():
    choice = GroupChoice("validation", ("sex", "skin"), "fmr", 0.01, 5)
    decision = decide(result(40, 0.3, 0.5, ("sex", "skin")), choice)
    assert decision.where in ("sex=f,skin=dark", "sex=f,skin=light")


def test_a_group_by_hand_needs_no_validation_subjects():
    decision = decide_group(GroupChoice(group="sex=f,skin=dark"), TrainConfig(start_from="no such model"))
    assert decision.where == "sex=f,skin=dark"
    assert "by hand" in decision.messages[0]


@pytest.mark.parametrize("choice", [GroupChoice(), GroupChoice("validation"), GroupChoice(protected=("sex",))])
def test_nothing_to_compute_it_from(choice):
    with pytest.raises(ConfigError, match=r"fairness\.group"):
        decide_group(choice, TrainConfig(start_from="no such model"))


def test_values_that_cannot_be_written():
    assert where_of("f+dark", ["sex", "skin", "sex"]) == "sex=f,skin=dark"
    assert where_of("65+", ["age"]) == "age=65+"
    with pytest.raises(ConfigError, match="by hand"):
        where_of("f+65+", ["sex", "age"])
    with pytest.raises(ConfigError, match="by hand"):
        where_of("a,b", ["origin"])
