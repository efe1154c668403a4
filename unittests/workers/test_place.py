"""A process's place, from the variables of MXNet's tracker."""

from __future__ import annotations

import socket

import pytest

from fairface.errors import ConfigError
from fairface.workers.place import Place, check_port, free_port, read_place

SLURM = {
    "DMLC_ROLE": "worker", "DMLC_PS_ROOT_URI": "node1", "DMLC_PS_ROOT_PORT": "9091", "DMLC_NUM_WORKER": "4",
    "DMLC_NUM_SERVER": "2",
}  # fmt: skip


def test_nothing_is_one_process() -> None:
    assert read_place({"DMLC_NUM_WORKER": "4"}) is None


def test_the_variables_of_a_cluster() -> None:
    place = read_place({**SLURM, "DMLC_WORKER_ID": "3"})
    assert place == Place("worker", "node1", 9091, 4, 2, rank=3)
    assert place.called_at == ("node1", 9092)
    assert read_place(SLURM).rank is None


def test_a_place_comes_back_from_its_environment() -> None:
    place = Place("worker", "127.0.0.1", 5, 4, 1, 2, 1, 2, 7.5, ("127.0.0.1", 77), "mark")
    assert read_place(place.environment()) == place
    assert place.called_at == ("127.0.0.1", 77)


def test_workers_of_one_machine_need_no_network() -> None:
    assert Place("worker", "127.0.0.1", 5, 2, 1).environment()["DMLC_NODE_HOST"] == "127.0.0.1"
    assert "DMLC_NODE_HOST" not in Place("worker", "10.0.0.1", 5, 2, 1).environment()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("DMLC_ROLE", "boss", "one of worker, server, scheduler"),
        ("DMLC_PS_ROOT_URI", "", "DMLC_PS_ROOT_URI is not"),
        ("DMLC_PS_ROOT_PORT", "65535", "from 1 to 65534"),
        ("DMLC_NUM_WORKER", "0", "of 1 or more"),
        ("DMLC_NUM_SERVER", "", "DMLC_NUM_SERVER is ''"),
        ("DMLC_NUM_SERVER", "0", "DMLC_NUM_SERVER is '0'; it is a number of 1 or more"),
        ("DMLC_WORKER_ID", "4", "from 0 to 3"),
        ("FAIRFACE_LOCAL_SIZE", "5", "from 1 to 4"),
        ("FAIRFACE_PEER_TIMEOUT", "soon", "seconds above 0"),
        ("FAIRFACE_PEER_TIMEOUT", "-1", "seconds above 0"),
        ("FAIRFACE_ROLL_CALL", "9092", "ADDRESS:PORT"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_place({**SLURM, name: value})


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} cannot be used"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", free_port("127.0.0.1"))
