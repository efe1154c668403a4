"""The file of machines, and machines that do not answer; ssh is a script that runs its last word here."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from fairface.errors import ConfigError
from fairface.workers.hosts import Host, address_of, check_hosts, read_hosts
from fairface.workers.place import WORKER, Place, read_place
from fairface.workers.start import by_ssh, remote_line
from unittests.workers.fake_ssh import put_ssh


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = put_ssh(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(script.parent), prepend=os.pathsep)
    return script


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "hosts"
    path.write_text(text)
    return path


def test_a_machine_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, "# ours\n\nnode-1.lan  slots=4\n  me@10.0.0.2\t# borrowed\n")
    assert read_hosts(path) == (Host("node-1.lan", 4), Host("me@10.0.0.2", 1))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a\nb slots=0\n", "line 2 is 'b slots=0'; write NAME or NAME slots=N"),
        ("a slots=two\n", "line 1 is 'a slots=two'"),
        ("a b\n", "line 1 is 'a b'"),
        ("a\n-oProxyCommand=evil\n", "line 2 is '-oProxyCommand=evil'"),
        ("a\nb\na slots=2\n", "line 3 names a again; give it slots=N once"),
        ("# nobody\n", "names no machine"),
    ],
)
def test_lines_that_cannot_be_used(tmp_path: Path, text: str, reason: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_hosts(path)
    assert str(caught.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere: cannot be read .*; --hosts takes a file"):
        read_hosts(tmp_path / "nowhere")


def test_this_machine_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"here": "127.0.0.1", "also": "127.0.0.2", "far": "192.0.2.1"}

    def resolve(name: str) -> str:
        if name not in known:
            raise socket.gaierror(name)
        return known[name]

    monkeypatch.setattr(socket, "gethostbyname", resolve)
    assert address_of([Host("me@here"), Host("also")]) == "127.0.0.1"
    assert address_of([Host("here", 3)]) == "127.0.0.1"
    with pytest.raises(ConfigError, match=r"^far \(192\.0\.2\.1\) is not this machine; start on"):
        address_of([Host("far"), Host("here")])
    with pytest.raises(ConfigError, match=r"^unknown: has no address here"):
        address_of([Host("unknown")])
    for other in ("far", "alias"):  # ssh may know an alias that nobody else does
        with pytest.raises(ConfigError, match=f"^here is 127.0.0.1, which {other} cannot reach"):
            address_of([Host("here"), Host("also"), Host(other)])


def test_machines_that_answer(ssh: Path) -> None:
    check_hosts([Host("a"), Host("me@b")], 30)
    calls = Path(f"{ssh}.calls").read_text().splitlines()
    assert sorted(call.split()[4] for call in calls) == ["a", "me@b"]
    assert all(call.startswith("-o BatchMode=yes -o ConnectTimeout=10 ") for call in calls)


def test_machines_that_do_not_answer_are_all_named(ssh: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ConfigError) as caught:
        check_hosts([Host("a"), Host("hangs"), Host("refuses")], 2)
    assert time.monotonic() - began < 10
    assert str(caught.value) == (
        "hangs does not answer within 2 s; refuses cannot be used (ssh: connect to host refuses port 22: Connection "
        "refused); nothing was started"
    )
    running = set()
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            running.add(words.read_bytes())
    assert any(b"python" in line for line in running)
    assert not any(str(ssh).encode() in line for line in running)


def test_another_folder_there_is_said(ssh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setattr(Path, "cwd", lambda: tmp_path / "not there")
    with pytest.raises(ConfigError, match=r"^a cannot be used \(.*not there.*\); nothing was started$"):
        check_hosts([Host("a")], 30)


def test_the_line_keeps_every_character(ssh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter is replaced by one that tells its folder, words, environment and standard input."""
    folder = tmp_path / "it's $HOME; a folder"
    folder.mkdir()
    shown = tmp_path / "py thon"
    shown.write_text('#!/bin/sh\npwd\nprintf "%s\\n" "$@"\nenv\ncat /dev/stdin\n')
    shown.chmod(0o755)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "executable", str(shown))
    monkeypatch.setenv("MXNET_EXAMPLE", "two words & a 'quote'")
    place = Place(WORKER, "10.0.0.1", 9091, 4, 2, rank=3, local_rank=1, local_size=2, roll_call=("10.0.0.1", 9000))
    line = remote_line(place, ["--quiet", "a b"])
    done = subprocess.run(by_ssh("a", line), input="steps: 3\n", capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[:6] == [str(folder), "-m", "fairface", "train", "/dev/stdin", "--quiet"]
    assert lines[6] == "a b"
    assert lines[-1] == "steps: 3"
    told = dict(item.split("=", 1) for item in lines[7:-1] if "=" in item)
    assert read_place(told) == place
    assert told["MXNET_EXAMPLE"] == "two words & a 'quote'"
    assert shlex.split(line)[0] == "cd"
