"""Which group is worst, and whether it can be taken out of the data."""

from dataclasses import replace

import numpy as np
import pytest

from fairface.comparisons import Comparisons
from fairface.config.schema import DataConfig, TrainConfig
from fairface.config.staged import GroupChoice
from fairface.data.packing.plan import Photo, Plan
from fairface.data.packing.recordio import pack_encoded
from fairface.data.recordio.notes import AttributeNotes
from fairface.errors import ConfigError
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from fairface.training.finetuning import worst_group
from fairface.training.finetuning.worst_group import check_choice, decide, decide_group, join_filters, where_of
from unittests.data.builders import images

CHOICE = GroupChoice("validation", ("sex",), "fmr", 0.05, 7)


def test_filters_of_groups():
    assert join_filters("", "a=1", "", "b=2") == "a=1,b=2"
    assert where_of("f", ["sex"]) == where_of("f", ["sex", "sex"]) == "sex=f"
    assert where_of("f+x", ["sex"]) == "sex=f+x"
    assert where_of("f+dark", ["sex", "skin"]) == "sex=f,skin=dark"
    for group, names in (
        ("a,b", ["sex"]),
        ("f", ["sex", "skin"]),
        ("f+a+b", ["sex", "skin"]),
        ("f+a,b", ["sex", "skin"]),
    ):
        with pytest.raises(ConfigError) as caught:
            where_of(group, names)
        assert str(caught.value) == (
            f"group {group!r} cannot be written as a filter; set it by hand: fairness.group=name=value"
        )


def assessed():
    """Two images of each of 20 people; impostors match among f only, genuine pairs miss among m only."""
    who = np.repeat(np.arange(20), 2)
    a, b = np.triu_indices(40, 1)
    same, sex = who[a] == who[b], who % 2
    scores = np.where(same, (sex[a] == 0) & (who[a] % 4 == 0), (sex[a] == 1) & (sex[b] == 1) & ((a + b) % 3 == 0))
    comparisons = Comparisons(
        a=a, b=b, same=same, fold=np.full(len(a), -1, np.int32), subject_a=who[a], subject_b=who[b],
        attributes=sex[:, None].astype(np.int8), attribute_names=("sex",), attribute_values=(("m", "f"),),
    )  # fmt: skip
    options = FairnessOptions(rounds=0, min_subjects=5)
    return assess(1.0 - 2.0 * ~scores, comparisons, ("sex",), given_threshold(0.5), options), scores, same, sex, a, b


@pytest.mark.parametrize("error", ["fmr", "fnmr"])
def test_the_group_that_is_worst_by_the_chosen_error(error):
    result, matches, same, sex, a, b = assessed()
    rates = []
    for value in (0, 1):
        inside = (sex[a] == value) & (sex[b] == value)
        rates.append(np.mean(matches[inside & ~same]) if error == "fmr" else np.mean(~matches[inside & same]))
    worst = "mf"[int(np.argmax(rates))]
    found = decide(result, replace(CHOICE, error=error))
    assert (found.where, found.before) == (f"sex={worst}", pytest.approx(max(rates)))
    assert found.messages[0] == f"threshold 0.5: {result.threshold.how}"
    assert found.messages[-1] == f"chosen by {error.upper()}: this step trains on sex={worst} only"
    assert len(found.messages) == 4
    assert found.to_dict() == {"where": found.where, "messages": list(found.messages), "report": result.to_dict()}


def test_a_choice_that_cannot_be_made():
    config = TrainConfig(data=DataConfig(path="p"))
    by_hand = decide_group(GroupChoice(group="sex=f"), config)
    assert (by_hand.where, by_hand.before, by_hand.report) == ("sex=f", None, {})
    assert by_hand.messages == ("group set by hand: sex=f",)
    for choice in (GroupChoice(), GroupChoice("v"), GroupChoice(protected=("sex",))):
        for check in (check_choice, decide_group):
            with pytest.raises(
                ConfigError, match=r"a step with worst_group needs fairness\.validation and fairness\.pro"
            ):
                check(choice, config)


def packed(folder, names=("sex",), values=(0, 1, 0)):
    photos = tuple(Photo(f"{i}", i // 2, 0, (value,) * len(names)) for i, value in enumerate(values))
    notes = AttributeNotes(names, dict.fromkeys(names, ("f", "m")))
    pack_encoded(Plan(photos, ("a", "b"), notes), images()[:3], folder, 16)
    return str(folder)


def test_data_that_a_group_can_be_taken_out_of(tmp_path, monkeypatch):
    train, other, bare = packed(tmp_path / "a"), packed(tmp_path / "b"), packed(tmp_path / "c", ())
    checked = []
    monkeypatch.setattr(worst_group, "check_groups", lambda *arguments: checked.append(arguments[1:]))
    choice = replace(CHOICE, validation=other)
    check_choice(choice, TrainConfig(data=DataConfig(path=train, only="not there")))
    assert checked == [(("sex",), 0.05, other)]
    with pytest.raises(ConfigError) as caught:
        check_choice(choice, TrainConfig(data=DataConfig(path=bare)))
    assert str(caught.value) == (
        f"{bare}: has no attribute sex (it has: none), so a group cannot be taken out of it; pack the data with its "
        "attributes (data_process/face2rec2.py)"
    )
    hat = packed(tmp_path / "d", ("hat",))
    with pytest.raises(ConfigError, match=r"has no attribute sex \(it has: hat\)"):
        check_choice(choice, TrainConfig(data=DataConfig(path=hat)))
    with pytest.raises(ConfigError, match=r"which is trained on: a model knows its subjects; name others"):
        check_choice(choice, TrainConfig(data=DataConfig(path=f"{tmp_path}/a/../b")))
    check_choice(GroupChoice(group="sex=f"), TrainConfig(data=DataConfig(path=train)))
    for where, group in (("", "sex=x"), ("sex=m", "sex=f")):
        with pytest.raises(ConfigError) as caught:
            check_choice(GroupChoice(group=group), TrainConfig(data=DataConfig(path=train, where=where)))
        assert str(caught.value).startswith(f"fairness.group={group} cannot be taken out of {train}: ")
