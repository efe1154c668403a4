import math

import pytest

from fairface.errors import ConfigError
from fairface.scoring.fairness.gate import Condition, failures, parse_condition
from fairface.scoring.fairness.scalars import Scalar


def scalar(name, value, low, high, reason=""):
    return Scalar(name, value, low, high, 0.95, 0.0, True, ("f", "m"), reason)


MEASURES = {
    "sex": {"fnmr_gap": scalar("fnmr_gap", 0.01, 0.0, 0.03), "fdr": scalar("fdr", 0.98, 0.9, 1.0),
            "fmr_max_min": scalar("fmr_max_min", math.nan, 1.2, math.inf, "FMR is 0")},
    "sex+skin": {"fnmr_gap": scalar("fnmr_gap", 0.05, 0.01, 0.1)},
    "challenge": {"challenge_genuine": scalar("challenge_genuine", 0.001, math.nan, math.nan)},
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("fnmr_gap>0.02", 2),  # the upper end
        ("sex:fnmr_gap>0.02", 1),
        ("sex : fnmr_gap @ value > 2e-2", 0),
        ("sex+skin:fnmr_gap@value>=.05", 1),
        ("fnmr_gap@low>0.005", 1),
        ("fdr<0.95", 1),  # the lower end
        ("fdr@value<0.95", 0),
        ("fdr <= 0.9", 1),
        ("fmr_max_min>2", 1),  # infinite
        ("fmr_max_min@value>2", 1),  # undefined: cannot be shown to pass
        ("challenge_genuine>0.5", 1),
        ("challenge_genuine@value>0.5", 0),
    ],
)
def test_conditions(text, met):
    sentences = failures([parse_condition(text)], MEASURES)
    assert len(sentences) == met
    assert all(sentence.startswith(text.strip()) for sentence in sentences)


def test_what_cannot_be_shown_says_so():
    (sentence,) = failures([parse_condition("fmr_max_min@value>2")], MEASURES)
    assert sentence.endswith("fmr_max_min is undefined (FMR is 0), so it cannot be shown to pass")
    (sentence,) = failures([parse_condition("sex:fnmr_gap>0.02")], MEASURES)
    assert sentence.endswith("sex: fnmr_gap = 0.01, high end of its interval is 0.03")


@pytest.mark.parametrize(
    "text",
    ["", "fnmr_gap", "fnmr_gap=0.02", "fnmr_gap>", "fnmr_gap>high", "0.02>fnmr_gap", "fnmr_gap>0.02 or 1", "a:b:c>1",
     "fnmr_gap@mean>1", "__import__('os')>1", "fnmr_gap>nan", "fnmr_gap>1e"],
)  # fmt: skip
def test_what_is_not_in_the_grammar_is_an_error(text):
    with pytest.raises(ConfigError, match="is not understood"):
        parse_condition(text)


def test_unknown_names_are_errors():
    with pytest.raises(ConfigError, match=r"no grouping 'age'; there are sex, sex\+skin, challenge"):
        failures([parse_condition("age:fdr<1")], MEASURES)
    with pytest.raises(ConfigError, match="no measure 'gap'; measures: fnmr_gap"):
        failures([parse_condition("gap>1")], MEASURES)


def test_parts_of_a_condition():
    whole = Condition("sex : fdr @ low >= .5", "sex", "fdr", "low", ">=", 0.5)
    assert parse_condition(" sex : fdr @ low >= .5 ") == whole
    assert parse_condition("fdr<1e-2") == Condition("fdr<1e-2", "", "fdr", "low", "<", 0.01)
    assert parse_condition("fmr_gap>1") == Condition("fmr_gap>1", "", "fmr_gap", "high", ">", 1.0)
