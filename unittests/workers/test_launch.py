"""What is to be started, told before anything is."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairface.hardware import physical_cores
from fairface.programs.train import main
from fairface.workers.hosts import Host
from fairface.workers.launch import Launch
from fairface.workers.place import WORKER, Place
from fairface.workers.start import cores_for, local_environment

TWO = (Host("127.0.0.1", 2), Host("localhost", 1))


@pytest.mark.parametrize(("hosts", "machines"), [((), (Host("127.0.0.1", 3),)), (TWO[:1], TWO[:1]), (TWO, TWO)])
def test_workers_are_of_the_named_machines_or_of_this_one(hosts: tuple[Host, ...], machines: tuple[Host, ...]) -> None:
    assert Launch(Path("config.yaml"), Path("run"), 3, hosts=hosts).machines == machines


def test_words_of_a_try() -> None:
    plan = Launch(Path("config.yaml"), Path("run"), 2, ("--quiet",), resume=True, overwrite=True)
    assert plan.command().options == ("--quiet", "--resume")
    assert Launch(Path("config.yaml"), Path("run"), 2, overwrite=True).command().options == ("--overwrite",)


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
