"""The log of a run: for programs, for people, for TensorBoard."""

import json
import math
import sys
from datetime import datetime
from types import SimpleNamespace
from typing import ClassVar

import pytest

from fairface.errors import DataError
from fairface.training.log import RunLog


def lines_of(log):
    return [json.loads(line) for line in log.path.read_text().splitlines()]


def test_a_line_for_programs_and_one_for_people(tmp_path, capsys, monkeypatch):
    log = RunLog(tmp_path / "a" / "run")
    monkeypatch.setattr("time.time", lambda: 1234.56789)
    log.record("train", 3, {"loss": 0.5, "bad": math.nan}, "a line")
    log.record("verify/x", 4, {"auc": 1})
    assert lines_of(log) == [
        {"event": "train", "step": 3, "time": 1234.568, "loss": 0.5, "bad": None},
        {"event": "verify/x", "step": 4, "time": 1234.568, "auc": 1},
    ]
    assert capsys.readouterr().err == "a line\n"
    quiet = RunLog(tmp_path / "b", quiet=True)
    quiet.record("train", 1, {}, "a line")
    quiet.say("another")
    assert capsys.readouterr().err == ""
    assert not log.quiet
    log.path.unlink()
    log.path.mkdir()
    with pytest.raises(DataError, match=r"log\.jsonl: cannot be written \(Is a directory\); free space, then --resume"):
        log.record("train", 5, {})


def test_nobody_who_reads_stops_the_talk_and_not_the_run(tmp_path, monkeypatch):
    log = RunLog(tmp_path)
    said = []

    def broken(text, file):
        said.append(text)
        raise BrokenPipeError

    monkeypatch.setattr("fairface.training.log.tqdm", SimpleNamespace(write=broken))
    assert not log.cut_off
    log.say("one")
    assert log.cut_off
    log.say("two")
    assert said == ["one"]
    log.record("train", 1, {"loss": 1.0}, "three")
    assert (said, len(lines_of(log))) == (["one"], 1)


class Writer:
    """What tensorboardX offers, as far as a log uses it."""

    made: ClassVar[list["Writer"]] = []

    def __init__(self, folder):
        self.folder, self.written, self.closed = folder, [], 0
        Writer.made.append(self)

    def add_scalar(self, name, value, step):
        self.written.append((name, value, step))

    def close(self):
        self.closed += 1


def test_finite_numbers_go_to_tensorboard(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", SimpleNamespace(SummaryWriter=Writer))
    Writer.made.clear()
    RunLog(tmp_path / "none").record("train", 1, {"loss": 1.0})
    assert Writer.made == []
    log = RunLog(tmp_path, tensorboard=True)
    (writer,) = Writer.made
    assert writer.folder == str(tmp_path / "tensorboard")
    log.record("train", 7, {"loss": 0.5, "count": 3, "best": True, "name": "x", "nan": math.nan, "inf": math.inf})
    assert writer.written == [("train/loss", 0.5, 7), ("train/count", 3, 7)]
    log.close()
    log.close()
    assert writer.closed == 1
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    capsys.readouterr()
    RunLog(tmp_path, tensorboard=True).close()
    assert "TensorBoard events are not written: tensorboardX is not installed" in capsys.readouterr().err


def test_a_resumed_log_forgets_what_is_made_again(tmp_path, capsys):
    log = RunLog(tmp_path)
    log.forget_after(3)
    assert not log.path.exists()
    whole = [json.dumps({"step": step, "text": "é"}) for step in (1, 3, 4, 2)]
    damaged = ["{", "[]", '{"stop": 1}', '{"step": null}', '{"step": "x"}', '{"step": 1e999}']
    log.path.write_text("\n".join([*whole, *damaged]) + "\n")
    log.forget_after(3)
    assert log.path.read_text().splitlines() == [whole[0], whole[1], whole[3]]
    assert f"warning: {log.path}: 6 damaged lines were dropped" in capsys.readouterr().err
    log.forget_after(3)
    assert capsys.readouterr().err == ""


def test_the_history_has_times_and_begins_when_the_run_does(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 86400.0 * 365 + 61)
    when = datetime.fromtimestamp(86400 * 365 + 61).astimezone().strftime("%Y-%m-%d %H:%M:%S%z")
    log = RunLog(tmp_path, quiet=True)
    log.say("before")
    assert not (tmp_path / "train.log").exists()
    log.begin_history()
    log.record("train", 1, {"loss": 1.0}, "step 1/2  loss 1  ETA 3 s")
    log.keep("not printed \udcff")
    log.forget_after(0)
    log.cut_off = True
    log.say("to nobody")
    assert (tmp_path / "train.log").read_text() == (
        f"{when}  before\n{when}  step 1/2  loss 1  ETA 3 s\n{when}  not printed \\udcff\n{when}  to nobody\n"
    )
    assert capsys.readouterr().err == ""
    (tmp_path / "train.log").unlink()
    (tmp_path / "train.log").mkdir()
    with pytest.raises(DataError, match=r"train\.log: cannot be written"):
        log.say("x")


def test_other_workers_have_no_history(tmp_path):
    log = RunLog(tmp_path, quiet=True, name="log-1.jsonl", history="")
    log.say("one")
    log.begin_history()
    log.say("two")
    assert list(tmp_path.iterdir()) == []
