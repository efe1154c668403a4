"""Programs that work on one model take it as a word, or after --model as the scorers do."""

import argparse
from importlib import import_module
from pathlib import Path

import pytest

from fairface.errors import CheckpointError, ConfigError
from fairface.programs import embed, export_model, export_onnx, mine_hard_samples
from fairface.programs.catalog import PROGRAMS
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


@pytest.mark.parametrize("words", [
    "demo out --to b", "demo --to b out", "--to b demo out", "--model demo out --to b", "out --model demo --to b",
    "out --to b --model demo", "--to b --model demo out",
])  # fmt: skip
def test_a_word_after_the_model_is_told_from_it_wherever_options_stand(words):
    options = argparse.ArgumentParser()
    add_model(options, "a model")
    options.add_argument("prefix")
    options.add_argument("--to")
    args = parse(options, words.split(), "PREFIX")
    assert (args.model, args.prefix, args.to) == ("demo", "out", "b")


@pytest.mark.parametrize(("program", "then"), [(export_model, "PREFIX"), (export_onnx, "FOLDER")])
def test_the_exports_take_both(program, then, tmp_path):
    with pytest.raises(ConfigError, match=rf"^no model given; give one, such as --model orl_demo, and {then}$"):
        program.main([str(tmp_path / "out")])
    with pytest.raises(ConfigError, match=r"^a and b given"):
        program.main(["a", str(tmp_path / "out"), "--model", "b"])
    for words in (["gone", "out"], ["out", "--model", "gone"]):
        with pytest.raises(CheckpointError, match=r"^gone: is not a run"):
            program.main(words)


def test_a_program_may_go_without_a_model():
    options = argparse.ArgumentParser()
    add_model(options, "a model")
    assert parse(options, [], required=False).model == ""


def test_every_program_that_takes_a_model_as_a_word_takes_it_as_an_option():
    for program in PROGRAMS:
        text = Path(import_module(f"fairface.programs.{program.module}").__file__).read_text(encoding="utf-8")
        assert 'add_argument("model"' not in text, program.module
