"""Names of strangers on a terminal: whatever it would obey is shown as text, wherever it is printed."""

from __future__ import annotations

import logging
import unicodedata

import pytest

from fairface import cli
from fairface.console import Console
from fairface.data.damaged import tell_damaged
from fairface.errors import DataError
from fairface.printable import printable, printable_line
from fairface.tables import aligned
from fairface.training.log import RunLog

NAME = "a\x1b[2Jb\x9b31m\x07\r\u202e\u2066\x7f"
SHOWN = r"a\x1b[2Jb\x9b31m\x07\r\u202e\u2066\x7f"


def obeyed(text: str) -> set[str]:
    """Characters that a terminal obeys, by their Unicode class; line breaks and tabs are ours."""
    orders = {"\u200e", "\u200f", "\u061c"} | {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
    return {sign for sign in text if (unicodedata.category(sign) == "Cc" or sign in orders) and sign not in "\n\t"}


def test_every_character() -> None:
    every = "".join(map(chr, (code for code in range(0x110000) if not 0xD800 <= code < 0xE000)))
    shown = printable(every)
    assert obeyed(shown) == set()
    assert [sign for sign in "äß漢字é👩‍👩‍👧\u200d" if sign not in shown] == []
    assert printable("one\n\ttwo") == "one\n\ttwo"
    assert printable_line("one\n\ttwo") == r"one\n\ttwo"


def test_errors_notes_and_results(capsys: pytest.CaptureFixture[str]) -> None:
    def failing(_: object) -> int:
        raise DataError(f"{NAME}: is wrong")

    with pytest.raises(SystemExit):
        cli.run(failing, [])
    cli.tell([f"{NAME} was left out"])
    Console().show({}, f"{NAME} is fair")
    out, err = capsys.readouterr()
    in_one_line = SHOWN.replace(r"\r", " ")  # an error's white space is joined
    assert (out, err) == (f"{SHOWN} is fair\n", f"error: {in_one_line}: is wrong\n{SHOWN} was left out\n")


def test_a_cell_stays_one_cell() -> None:
    """A group of this name would else be a row of its own with a rate of its choice."""
    told = aligned([["men\nwomen  0.01", 0.5]], ["group", "rate"])
    assert told.splitlines()[2:] == [r"men\nwomen  0.01   0.5"]
    assert obeyed(aligned([[NAME, 1]], [NAME, "b"])) == set()


def test_the_log_of_damaged_images(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "fairface.images"):
        tell_damaged(f"{NAME}\nerror: forged", "premature end")
    (record,) = caplog.records
    assert record.getMessage().startswith(rf"{SHOWN}\nerror: forged: the image is damaged")


def test_the_log_of_a_run(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    log = RunLog(tmp_path)
    log.begin_history()
    log.say(NAME)
    log.close()
    assert capsys.readouterr().err == f"{SHOWN}\n"
    assert (tmp_path / "train.log").read_text(encoding="utf-8").endswith(f"  {SHOWN}\n")
