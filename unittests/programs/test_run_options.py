"""Words of the programs that train, in any order."""

import pytest

from fairface.cli import parser
from fairface.programs.run_options import add_run_options, parse_run


def parse(*words, names=("config", "steps")):
    options = parser("Trains.", prog="trains")
    add_run_options(options, "everything")
    return parse_run(options, words, names)


@pytest.mark.parametrize("words", [
    ("--resume", "x.yaml", "all", "lr=1", "step1.a.b=c=d"), ("lr=1", "x.yaml", "--resume", "step1.a.b=c=d", "all"),
    ("x.yaml", "lr=1", "all", "step1.a.b=c=d", "--resume"),
])  # fmt: skip
def test_options_settings_and_names_stand_anywhere(words):
    args = parse(*words)
    assert (args.config, args.steps, args.overrides) == ("x.yaml", "all", ["lr=1", "step1.a.b=c=d"])
    assert (args.resume, args.overwrite, args.dry_run, args.json) == (True, False, False, False)


def test_a_path_with_an_equals_sign_is_no_setting():
    args = parse("runs/lr=1/config.yaml", "a=./x=y")
    assert (args.config, args.steps, args.overrides) == ("runs/lr=1/config.yaml", None, ["a=./x=y"])
    assert parse("--dry-run", "--json").config is None


@pytest.mark.parametrize(("words", "message"), [
    (("x.yaml", "1", "2"), "'2' is one word too many"), (("--resume", "--overwrite"), "give one of the two"),
    (("x.yaml", "--json"), "--json goes with --dry-run"),
])  # fmt: skip
def test_what_does_not_go_together_is_one_line(capsys, words, message):
    with pytest.raises(SystemExit) as left:
        parse(*words)
    assert left.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
