"""A table of flags: what is set, ignored, refused, and how errors name it."""

from argparse import Namespace

import pytest

from fairface.cli import parser
from fairface.config.flags import (
    SWITCH,
    Flag,
    add_flags,
    check_refused,
    given,
    ignored,
    in_flags,
    told_by_flags,
    tree_of,
)
from fairface.errors import RESIZE, ConfigError, DataError, TrainingError

FLAGS = {
    "--rate": Flag("learning rate", ("optimizer.lr",), {"type": float}),
    "--title": Flag("name", ("name",), {"default": "run"}),
    "--wide": Flag("both", ("a.b.c", "a.d"), SWITCH, lambda args: {"a.b.c": 1, "a.d": 2} if args.wide else {}),
    "--old": Flag("accepted", settings={"type": int}, ignored="does nothing"),
    "--sum": Flag("1", settings={"type": int}, harmless=1, refused="give a larger batch"),
    "--never": Flag("", settings=SWITCH, refused="is not there"),
}


def parse(*words: str) -> Namespace:
    options = parser("Trains.", prog="trains")
    add_flags(options, FLAGS)
    return options.parse_args(words)


def test_keys_come_from_flags_that_are_given_or_have_a_default():
    assert tree_of(FLAGS, parse()) == {"name": "run"}
    expected = {"name": "x", "optimizer": {"lr": 0.5}, "a": {"b": {"c": 1}, "d": 2}}
    assert tree_of(FLAGS, parse("--rate", "0.5", "--wide", "--title", "x")) == expected
    assert (given(parse(), "--rate"), given(parse("--rate", "0"), "--rate")) == (None, 0.0)


def test_ignored_flags_say_so_when_they_are_given():
    assert ignored(FLAGS, parse()) == []
    assert ignored(FLAGS, parse("--old", "0")) == ["--old: does nothing"]


@pytest.mark.parametrize(("words", "message"), [
    (("--sum", "4"), "--sum: give a larger batch"), (("--never",), "--never: is not there"),
])  # fmt: skip
def test_refused_flags_are_errors_unless_harmless(words, message):
    for harmless in ((), ("--sum", "1")):
        check_refused(FLAGS, parse(*harmless))
    with pytest.raises(ConfigError, match=message):
        check_refused(FLAGS, parse(*words))


@pytest.mark.parametrize(("message", "told"), [
    ("optimizer.lr is -1; it must be 0 or more", "--rate is -1; it must be 0 or more"),
    ("lower optimizer.lr, or optimizer.lr=0.1", "lower --rate, or optimizer.lr=0.1"),
    *[(other, other) for other in ("optimizer.lr_end is", "my.optimizer.lr", "optimizer.lr.x")],
    ("name is 'a/b'; give another name", "--title is 'a/b'; give another name"),
    ("names: unknown", "names: unknown"),
    ("a.d and optimizer.lr. Then", "--wide and --rate. Then"),
])  # fmt: skip
def test_messages_name_flags_in_place_of_keys(message, told):
    assert in_flags(message, FLAGS) == told


def test_errors_keep_their_kind_and_their_settings():
    with pytest.raises(DataError, match=r"^--rate$") as caught, told_by_flags(FLAGS):
        raise DataError("optimizer.lr", settings=(RESIZE,))
    assert caught.value.settings == (RESIZE,)
    with pytest.raises(TrainingError, match=r"^optimizer\.lr$"), told_by_flags(FLAGS):
        raise TrainingError("optimizer.lr")
