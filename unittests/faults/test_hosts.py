"""Machines of --hosts, all of them this one: ssh is a script. They learn as workers of one do, and end together."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from unittests.faults.group import KILL, all_gone, children_of
from unittests.faults.helpers import Program, bits
from unittests.faults.test_kill import newest
from unittests.workers.fake_ssh import put_ssh

pytestmark = pytest.mark.faults

SETTINGS = ("steps=12", "backbone.dropout=0")
LOST = 75


@pytest.fixture
def program(tmp_path: Path, people: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A run; ``ssh`` is the script from here on."""
    monkeypatch.setenv("PATH", str(put_ssh(tmp_path / "bin").parent), prepend=os.pathsep)
    return Program(tmp_path, people, *SETTINGS)


def hosts(program: Program, *lines: str) -> tuple[str, str]:
    path = program.home / "hosts"
    path.write_text("\n".join(lines))
    return "--hosts", str(path)


def members(home: Path) -> dict[str, int]:
    """Every process of the run that has a role, wherever its parent is."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(folder / "cwd") != str(home) or "python" not in os.readlink(folder / "exe"):
                continue
            items = (folder / "environ").read_text().split("\0")
        except OSError:
            continue  # it has just ended
        settings = dict(item.split("=", 1) for item in items if "=" in item)
        if "DMLC_ROLE" in settings:
            found[f"{settings['DMLC_ROLE']}{settings.get('DMLC_WORKER_ID', '')} {folder.name}"] = int(folder.name)
    return found


def named(processes: dict[str, int], name: str) -> int:
    (found,) = (number for who, number in processes.items() if who.split()[0] == name)
    return found


def test_two_machines_end_in_the_bits_of_two_workers(program: Program, people: Path, tmp_path: Path) -> None:
    one = Program(tmp_path / "one", people, *SETTINGS)
    assert one.ends("--quiet", "--workers", "2") == (0, "", "")
    assert program.ends("--quiet", *hosts(program, "127.0.0.1", "localhost  # the second")) == (0, "", "")
    assert bits(program.run) == bits(one.run)
    calls = (program.home / "bin" / "ssh.calls").read_text().splitlines()
    assert [call.split()[4] for call in calls] == ["localhost"] * 3  # asked, a worker, a server


@pytest.mark.parametrize(("who", "how"), [("worker1", KILL), ("worker0", KILL), ("launcher", KILL), ("ssh", KILL)])
def test_whatever_ends_ends_all(program: Program, who: str, how: signal.Signals) -> None:
    with program.start("--quiet", *hosts(program, "127.0.0.1", "localhost"), "--peer-timeout", "15") as launcher:
        while newest(program) < 3:
            assert launcher.poll() is None
            time.sleep(0.005)
        processes = members(program.home)
        assert sorted(name.split()[0] for name in processes) == ["scheduler", "server", "server", "worker0", "worker1"]
        if who == "ssh":  # as when the connection breaks: what it ran goes on without it
            target = min(set(children_of(launcher.pid)) - set(processes.values()))
        else:
            target = launcher.pid if who == "launcher" else named(processes, who)
        os.kill(target, how)
        _, err = launcher.communicate(timeout=120)
    assert all_gone(processes)
    if who != "launcher":
        assert launcher.returncode == LOST, err
        assert err.count("\n") == 1, err


def test_sigterm_stops_all_and_saves(program: Program) -> None:
    with program.start("--quiet", *hosts(program, "127.0.0.1", "localhost")) as launcher:
        while newest(program) < 3:
            time.sleep(0.005)
        processes = members(program.home)
        launcher.send_signal(signal.SIGTERM)
        launcher.communicate(timeout=120)
    assert launcher.returncode == 128 + signal.SIGTERM
    assert newest(program) > 3
    assert all_gone(processes)


@pytest.mark.parametrize(
    ("lines", "options", "reason"),
    [
        (("127.0.0.1", "refuses@localhost"), (), "refuses@localhost cannot be used (ssh: connect to host"),
        (("127.0.0.1", "hangs@localhost"), ("--peer-timeout", "2"), "hangs@localhost does not answer within 2 s"),
        (("127.0.0.1 slots=2", "localhost"), ("--workers", "2"), "has 3 slots and --workers is 2"),
        (("192.0.2.1", "localhost"), (), "192.0.2.1 (192.0.2.1) is not this machine"),
        (("127.0.0.1 slots=x",), (), "line 1 is '127.0.0.1 slots=x'"),
    ],
)
def test_machines_that_cannot_be_used_are_one_line(
    program: Program, lines: tuple[str, ...], options: tuple[str, ...], reason: str
) -> None:
    code, out, err = program.ends("--quiet", *hosts(program, *lines), *options)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert reason in err
    assert members(program.home) == {}
    assert not program.run.exists()
