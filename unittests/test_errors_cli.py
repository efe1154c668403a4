"""Errors and what programs share: one line per error, exit codes, tables, JSON without NaN."""

from __future__ import annotations

import json
import math
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fairface import errors
from fairface.cli import finite, parser, print_json, progress, run, table
from fairface.errors import RESIZE, ROOT, SKIP_MISSING, DataError, FairfaceError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


def leave(main, argv=()):
    with pytest.raises(SystemExit) as caught:
        run(main, list(argv))
    return caught.value.code


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_is_one_line_and_exit_2(kind, capsys):
    def main(argv):
        raise kind("train.rec: record 7 is no JPEG;\n  pack it again")

    assert issubclass(kind, FairfaceError)
    assert leave(main) == 2
    captured = capsys.readouterr()
    assert captured.err == "error: train.rec: record 7 is no JPEG; pack it again\n"
    assert captured.out == ""


def test_an_error_offers_what_the_program_has_by_its_own_name(capsys):
    def main(argv):
        raise DataError("list.txt: 1 of 2 files is missing; correct it", settings=(ROOT, SKIP_MISSING, RESIZE))

    for options, said in (
        ({}, ""),
        ({SKIP_MISSING: "--on_missing skip"}, ", or leave them out (--on_missing skip)"),
        ({ROOT: "--root F", RESIZE: "--resize"},
         ", or name the folder that its paths are below (--root F), or have images resized (--resize)"),
    ):  # fmt: skip
        with pytest.raises(SystemExit):
            run(main, [], options)
        assert capsys.readouterr().err == f"error: list.txt: 1 of 2 files is missing; correct it{said}\n"
    again = pickle.loads(pickle.dumps(DataError("x", settings=(ROOT,))))  # as from another process
    assert (str(again), again.settings) == ("x", (ROOT,))


def test_debug_adds_the_traceback(capsys):
    def main(argv):
        raise DataError("lost")

    assert leave(main, ["--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("error: lost\n")


def test_missing_file_is_named(tmp_path, capsys):
    missing = tmp_path / "absent.lst"
    assert leave(lambda argv: missing.read_text() and 0) == 2
    err = capsys.readouterr().err
    assert str(missing) in err
    assert err.count("\n") == 1


def test_an_error_without_words_still_says_its_kind(capsys):
    def main(argv):
        raise DataError

    assert leave(main) == 2
    assert capsys.readouterr().err == "error: DataError\n"


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (3, 3)])
def test_return_values_become_exit_codes(result, code):
    assert leave(lambda argv: result) == code


def test_interrupt_is_130(capsys):
    def main(argv):
        raise KeyboardInterrupt

    assert leave(main) == 130
    assert capsys.readouterr().err == "stopped\n"


def test_a_fault_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run(lambda argv: 1 // 0, [])


def test_closed_pipe_ends_quietly():
    code = "from fairface.cli import run\nrun(lambda argv: [print('x' * 80) for _ in range(50000)] and 0)"
    read, write = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    os.close(read)
    _, err = process.communicate(timeout=30)
    assert err == ""
    assert process.returncode == 128 + 13


def test_every_program_has_debug():
    assert parser("Does a thing.").parse_args(["--debug"]).debug is True


def test_progress_is_silent_without_a_terminal(capsys):
    assert list(progress(range(3), label="x")) == [0, 1, 2]
    with progress(total=2, label="y") as bar:
        bar.update(2)
    assert capsys.readouterr().err == ""


def test_table_aligns_words_left_and_numbers_right():
    text = table([["lfw", 0.5, "n/a"], ["cfp_fp", 12.25, "97%"]], ["set", "auc", "tar"])
    lines = text.splitlines()
    assert lines == [
        "set       auc  tar",
        "------  -----  ---",
        "lfw       0.5  n/a",
        "cfp_fp  12.25  97%",
    ]


def test_table_without_rows():
    assert table([], ["a", "bb"]).splitlines() == ["a  bb", "-  --"]


def test_json_has_no_nan(capsys):
    value = {
        "auc": math.nan,
        "tar": {0.01: np.float32(0.5)},
        "n": np.int64(3),
        "l": (math.inf, np.array([1.0, np.nan])),
    }
    print_json(value)
    assert json.loads(capsys.readouterr().out) == {"auc": None, "tar": {"0.01": 0.5}, "n": 3, "l": [None, [1.0, None]]}
    assert finite(True) is True
    assert finite("x") == "x"


@pytest.mark.parametrize("words", [("test/fairness.py", "--help"), ("-m", "fairface", "--help")])
def test_a_terminal_without_unicode_gets_question_marks(words: tuple[str, ...]) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, *words]
    folder = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "?" in done.stdout
