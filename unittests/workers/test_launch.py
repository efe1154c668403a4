"""What is to be started, told before anything is."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairface.errors import ConfigError
from fairface.hardware import physical_cores
from fairface.programs.train import main
from fairface.workers.hosts import Host
from fairface.workers.launch import Launch, launch
from fairface.workers.place import WORKER, Place
from fairface.workers.start import cores_for, local_environment

TWO = (Host("127.0.0.1", 2), Host("localhost", 1))


@pytest.mark.parametrize(
    ("exchange", "hosts", "shares"),
    [("kvstore", (), False), ("shared", (), True), ("kvstore", TWO[:1], False), ("kvstore", TWO, False)],
)
def test_memory_is_shared_where_that_is_told(exchange: str, hosts: tuple[Host, ...], shares: bool) -> None:
    plan = Launch(Path("config.yaml"), Path("run"), 3, exchange=exchange, hosts=hosts)
    assert plan.shares_memory is shares
    assert sum(host.slots for host in plan.machines) == (hosts[0].slots if len(hosts) == 1 else 3)


def test_several_machines_share_no_memory() -> None:
    with pytest.raises(ConfigError, match=r"^several machines share no memory; leave out --exchange shared$"):
        launch(Launch(Path("config.yaml"), Path("run"), 3, exchange="shared", hosts=TWO))


def test_words_of_a_try() -> None:
    plan = Launch(Path("config.yaml"), Path("run"), 2, ("--quiet",), resume=True, overwrite=True)
    assert plan.command().options == ("--quiet", "--resume")
    assert Launch(Path("config.yaml"), Path("run"), 2, overwrite=True).command().options == ("--overwrite",)


def test_workers_of_a_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(WORKER, "127.0.0.1", 5, 2, 0, 0, 0, 2)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert local_environment(place)["OMP_NUM_THREADS"] == str(cores_for(2)) == str(max(1, physical_cores() // 2))
    assert cores_for(10**6) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert local_environment(place)["OMP_NUM_THREADS"] == "5"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "0"], "--workers is 1 or more"),
        (["--workers", "2", "--exchange", "pigeons"], "invalid choice: 'pigeons'"),
    ],
)
def test_options_that_cannot_be_used(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train/configs/orl_demo.yaml", *words])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
