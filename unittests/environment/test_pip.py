"""A failing pip becomes one line with a remedy."""

from __future__ import annotations

import os

import pytest

from fairface.environment import SetupError
from fairface.environment.pip import reason, run_pip


def python(tmp_path, script):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_success_says_one_line(tmp_path, capfd):
    run_pip(python(tmp_path, 'echo "$@"; echo noise >&2'), ["install", "x"], "installing x", tmp_path / "log")
    assert capfd.readouterr() == ("", "environment: installing x\n")
    assert (tmp_path / "log").read_text().splitlines() == [
        "-m pip --disable-pip-version-check --no-input install x",
        "noise",
    ]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            "WARNING: Retrying: NewConnectionError\nERROR: No matching distribution found for numpy",
            "could not be reached",
        ),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "free about 2 GB"),
        ("ERROR: numpy has a wrong hash", "numpy has a wrong hash; fix that and start again"),
        ("", "no output"),
    ],
)
def test_failure(tmp_path, output, words):
    (tmp_path / "output").write_text(output + "\n")
    fake = python(tmp_path, f"cat '{tmp_path}/output'; exit 1")
    with pytest.raises(SetupError) as caught:
        run_pip(fake, ["install"], "installing", tmp_path / "log")
    message = str(caught.value)
    assert words in message
    assert message.startswith("pip failed while installing: ")
    assert "\n" not in message
    assert reason(output) in message


def test_interrupt_ends_pip(tmp_path, monkeypatch):
    import subprocess

    def interrupted(self, timeout=None):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    fake = python(tmp_path, f"echo $$ > '{tmp_path}/pid'; exec sleep 60")
    with pytest.raises(KeyboardInterrupt):
        run_pip(fake, ["install"], "installing", tmp_path / "log")
    pid = tmp_path / "pid"
    assert not pid.exists() or not os.path.exists(f"/proc/{pid.read_text().strip()}")
