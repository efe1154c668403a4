"""Programs that work on one model take it as a word, or after --model as the scorers do."""

import argparse

import pytest

from fairface.errors import ConfigError
from fairface.programs import embed, mine_hard_samples
from fairface.programs.model_argument import add_model, parse


def given(*words):
    options = argparse.ArgumentParser()
    add_model(options, "a model")
    options.add_argument("--data", default="")
    return parse(options, list(words)).model


@pytest.mark.parametrize("words", [("demo", "--data", "x"), ("--data", "x", "demo"), ("--model", "demo"),
                                   ("--data", "x", "--model", "demo")])  # fmt: skip
def test_both_spellings_mean_the_same(words):
    assert given(*words) == "demo"


def test_no_model_and_two_are_refused():
    with pytest.raises(ConfigError, match=r"^no model given; give one, such as --model orl_demo"):
        given("--data", "x")
    with pytest.raises(ConfigError, match=r"^demo and other given; give one"):
        given("demo", "--model", "other")


@pytest.mark.parametrize("program", [embed, mine_hard_samples])
def test_the_programs_take_both(program, tmp_path):
    with pytest.raises(ConfigError, match=r"^no model given"):
        program.main(["--data", str(tmp_path)])
    with pytest.raises(ConfigError, match=r"^a and b given"):
        program.main(["a", "--data", str(tmp_path), "--model", "b"])
