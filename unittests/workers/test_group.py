"""What the launching process makes of how its processes end; shells stand for them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import IO

import pytest

from fairface.workers import group
from fairface.workers.group import Group
from fairface.workers.hosts import Host
from fairface.workers.place import Place
from fairface.workers.rollcall import LOST, RollCall
from fairface.workers.start import Command

DOES = {"worker": "sleep 1", "scheduler": "sleep 30", "server": "echo lost its way >&2; exit 3"}


class Shells(Command):
    def start(self, place: Place, said: IO[bytes] | None, host: str = "") -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sh", "-c", DOES[place.role]], stderr=said)


@pytest.mark.parametrize("over", [True, False])
def test_a_server_that_ends_badly_counts_until_all_workers_are_done(
    over: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(group, "_GRACE", 0.1)
    monkeypatch.setattr(RollCall, "over", over)
    with Group((Host("127.0.0.1", 2),), Shells(Path("config.yaml")), "127.0.0.1", 60, 0) as started:
        code = started.wait()
    said = capsys.readouterr().err
    if over:
        assert (code, said) == (0, "")
    else:
        assert code == LOST
        assert said == "error: server ended with exit code 3: lost its way; --resume goes on from the last checkpoint\n"
