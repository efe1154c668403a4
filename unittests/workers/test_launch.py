"""What is to be started, told before anything is."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fairface.hardware import physical_cores
from fairface.programs.train import main
from fairface.workers.hosts import Host
from fairface.workers.launch import Launch, launch
from fairface.workers.place import WORKER, Place
from fairface.workers.rollcall import LOST
from fairface.workers.start import Command, cores_for, local_environment

TWO = (Host("127.0.0.1", 2), Host("localhost", 1))


@pytest.mark.parametrize(("hosts", "machines"), [((), (Host("127.0.0.1", 3),)), (TWO[:1], TWO[:1]), (TWO, TWO)])
def test_workers_are_of_the_named_machines_or_of_this_one(hosts: tuple[Host, ...], machines: tuple[Host, ...]) -> None:
    assert Launch(Path("config.yaml"), Path("run"), 3, hosts=hosts).machines == machines


def test_words_of_a_try() -> None:
    plan = Launch(Path("config.yaml"), Path("run"), 2, ("--quiet",), resume=True, overwrite=True)
    assert plan.command().options == ("--quiet", "--resume")
    assert Launch(Path("config.yaml"), Path("run"), 2, overwrite=True).command().options == ("--overwrite",)


class Tries:
    """Stands for the processes of each try: the first one loses a worker when it has done ``first``."""

    def __init__(self, first: Callable[[str], None]) -> None:
        self.first, self.options = first, list[tuple[str, ...]]()

    def __call__(self, machines: Any, command: Command, address: str, timeout: float, port: int, mark: str) -> Any:
        self.options.append(tuple(command.options))

        def wait() -> int:
            if len(self.options) > 1:
                return 0
            self.first(mark)
            return LOST

        return nullcontext(SimpleNamespace(wait=wait, signalled=False))


def manifest(folder: Path, mark: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"launch": mark} if mark else {}
    (folder / "manifest.json").write_text(json.dumps({"checkpoints": [], "sha256": {}, **facts}))


@pytest.mark.parametrize("before", ["nothing", "begun", "saved", "launched"])
@pytest.mark.parametrize("loses", ["before", "begun", "saved"])
@pytest.mark.parametrize("words", [(), ("--overwrite",), ("--resume",)])
def test_a_restart_resumes_only_what_its_own_launch_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], before: str, loses: str,
    words: tuple[str, ...],
) -> None:  # fmt: skip
    """A worker may be lost before worker 0 has replaced the run that is there, or refused to."""
    run = tmp_path / "run"
    if before != "nothing":
        run.mkdir()
        (run / "config.yaml").write_text("name: run\n")
    if before in ("saved", "launched"):
        manifest(run, "another" if before == "launched" else "")

    def first(mark: str) -> None:
        if loses == "begun":
            run.mkdir(exist_ok=True)
            (run / "config.yaml").write_text("name: run\n")
            (run / "manifest.json").unlink(missing_ok=True)
        elif loses == "saved":
            manifest(run, mark)

    tries = Tries(first)
    monkeypatch.setattr("fairface.workers.launch.Group", tries)
    plan = Launch(tmp_path / "c.yaml", run, 2, resume="--resume" in words, overwrite="--overwrite" in words, restarts=1)
    assert launch(plan) == 0
    expected = words
    if loses == "saved":
        expected = ("--resume",)
    elif before == "nothing" and not words:
        expected = ("--overwrite",)  # what lies there is of the first try
    assert tries.options == [words, expected]
    where = "from the last checkpoint" if expected == ("--resume",) else "from the start"
    assert f"restart 1 of 1, {where}" in capsys.readouterr().err


def test_workers_of_a_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(WORKER, "127.0.0.1", 5, 2, 1, 0, 0, 2)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert local_environment(place)["OMP_NUM_THREADS"] == str(cores_for(2)) == str(max(1, physical_cores() // 2))
    assert cores_for(10**6) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert local_environment(place)["OMP_NUM_THREADS"] == "5"


@pytest.mark.parametrize("words", [["--workers", "0"], ["--workers", "2", "--restarts", "-1"]])
def test_options_that_cannot_be_used(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train/configs/orl_demo.yaml", *words])
    assert caught.value.code == 2
    assert "--workers is 1 or more, --restarts 0 or more" in capsys.readouterr().err
