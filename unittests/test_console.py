"""What is said, where, and what --quiet and --json leave of it."""

import io
import json
import sys
from argparse import Namespace

import pytest

from fairface.cli import program_parser
from fairface.console import Console


class Terminal(io.StringIO):
    """Standard error that is a terminal, where progress is shown."""

    def isatty(self):
        return True


@pytest.mark.parametrize("quiet", [False, True])
def test_quiet_hides_progress_and_notes_and_nothing_else(monkeypatch, capsys, quiet):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    console = Console(quiet)
    console.tell(["one", "two"])
    assert list(console.progress(range(3), label="work")) == [0, 1, 2]
    with console.progress(total=2, label="more") as bar:
        bar.update(2)
    console.show({"n": 1}, "one thing")
    assert capsys.readouterr().out == "one thing\n"
    if quiet:
        assert terminal.getvalue() == ""
    else:
        assert terminal.getvalue().startswith("one\ntwo\n")
        assert "work" in terminal.getvalue()
        assert "more" in terminal.getvalue()


def test_json_is_one_object_instead_of_text(capsys):
    Console(json=True).show({"value": float("nan"), "names": ("a",)}, "for people")
    assert json.loads(capsys.readouterr().out) == {"value": None, "names": ["a"]}


def test_the_options_say_what_is_wanted():
    options = program_parser("Does a thing.", "thing")
    assert Console.of(options.parse_args(["--quiet"])) == Console(quiet=True)
    assert Console.of(options.parse_args(["--json"])) == Console(json=True)
    assert Console.of(Namespace(quiet=False)) == Console()
