"""Who is there, who is lost: real connections, no MXNet."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from fairface.errors import ConfigError, TrainingError
from fairface.workers.member import Member
from fairface.workers.place import Place
from fairface.workers.rollcall import LOST, RollCall

TWO = {"worker": 2}


class Ends:
    """What a member is told to say when it leaves."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int]] = []
        self.left = threading.Event()

    def __call__(self, reason: str, code: int) -> None:
        self.said.append((reason, code))
        self.left.set()


@pytest.fixture
def roll() -> Iterator[RollCall]:
    made = RollCall(TWO, timeout=5.0)
    yield made
    made.close()


def member(roll: RollCall, rank: int | None = None, timeout: float = 5.0, role: str = "worker") -> tuple[Member, Ends]:
    ends = Ends()
    place = Place(role, "127.0.0.1", 1, 2, 1, rank, timeout=timeout, roll_call=("127.0.0.1", roll.port))
    return Member(place, ends), ends


def until(holds: Callable[[], object], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_workers_get_the_numbers_they_ask_for_and_others_the_rest(roll: RollCall) -> None:
    (first, _), (second, _) = member(roll, 1), member(roll)
    assert (first.wait_for_all(), second.wait_for_all()) == (1, 0)
    for one in (first, second):
        one.done()
        one.close()
    assert roll.failure == ""


def test_two_with_one_number_are_refused(roll: RollCall) -> None:
    made = [member(roll, 1) for _ in range(2)]
    for one, ends in made:
        assert ends.left.wait(5)
        assert ends.said == [("two workers have the same DMLC_WORKER_ID; give each its own, or none", 2)]
        one.close()


def test_a_closed_connection_is_a_death_and_the_others_hear_of_it(roll: RollCall) -> None:
    (first, _), (second, ends) = member(roll, 0), member(roll, 1)
    second.wait_for_all()
    first.close()
    assert ends.left.wait(5)
    ((reason, code),) = ends.said
    assert reason.startswith("worker 0 (process ")
    assert (reason.endswith(" is gone"), code, roll.failure) == (True, LOST, reason)
    second.close()


def test_a_failure_is_handed_on_with_its_exit_code(roll: RollCall) -> None:
    (first, of_first), (second, ends) = member(roll, 0), member(roll, 1)
    second.wait_for_all()
    first.failed("the data are gone", 2)
    assert ends.left.wait(5)
    assert ends.said[0][0].endswith("stopped: the data are gone")
    assert ends.said[0][1] == 2
    assert of_first.said == []  # it knows already
    first.close()
    second.close()


def test_silence_is_a_death() -> None:
    """A member that has said who it is and then nothing more, as a stopped process does."""
    with socket.socket() as silent:
        roll = RollCall(TWO, timeout=0.4)
        silent.connect(("127.0.0.1", roll.port))
        hello = {"role": "worker", "rank": 0, "host": "far", "process": 7}
        silent.sendall(json.dumps(hello).encode() + b"\n")
        began = time.monotonic()
        other, ends = member(roll, 1, timeout=0.4)
        assert ends.left.wait(5)
        assert 0.3 < time.monotonic() - began < 3
        assert ends.said == [("worker 0 (process 7 on far) has given no sign of life for 0.4 s", LOST)]
        other.close()
        roll.close()


def test_members_that_are_slow_live_as_long_as_they_give_signs(roll: RollCall) -> None:
    made = RollCall(TWO, timeout=0.3)
    both = [member(made, rank, timeout=0.3) for rank in (0, 1)]
    time.sleep(1.0)
    assert made.failure == ""
    for one, ends in both:
        assert ends.said == []
        one.done()
        one.close()
    made.close()


def test_who_does_not_come_is_named() -> None:
    roll = RollCall({"worker": 3, "server": 1}, timeout=0.3)
    one, ends = member(roll, 2)
    assert ends.left.wait(5)
    reason, code = ends.said[0]
    assert reason.startswith("2 of 3 workers, 1 of 1 servers did not come within 0.3 s; there: worker 2 (process ")
    assert code == LOST
    one.close()
    roll.close()


def test_after_the_workers_are_done_nobody_is_missed() -> None:
    roll = RollCall({"worker": 1, "server": 1}, timeout=5.0)
    (worker, _), (server, ends) = member(roll, 0), member(roll, None, role="server")
    worker.wait_for_all()
    worker.done()
    until(lambda: all(caller.done for caller in roll._callers.values() if caller.role == "worker"))
    server.close()
    until(lambda: len(roll._callers) == 1)
    assert (roll.failure, ends.said) == ("", [])
    worker.close()
    roll.close()


def test_strangers_are_dropped(roll: RollCall) -> None:
    nested = b"[" * 60_000 + b"\n"
    stopping = b'{"failed": "on purpose", "code": 7}\n'
    for words in (b"GET / HTTP/1.1\r\n\r\n", b'{"role": "worker"}\n', b"[]\n", b"x" * (1 << 17), nested, stopping):
        with socket.create_connection(("127.0.0.1", roll.port), timeout=5) as stranger:
            stranger.sendall(words)
            with suppress(ConnectionError):
                assert stranger.recv(10) == b""
    assert roll.failure == ""


def test_one_too_many_is_turned_away(roll: RollCall) -> None:
    made = [member(roll, rank) for rank in (0, 1)]
    made[0][0].wait_for_all()
    late, ends = member(roll, 1)
    assert ends.left.wait(5)
    assert ends.said == [("every place of a worker is taken already", 2)]
    late.close()
    assert roll.failure == ""
    for one, of_one in made:
        assert of_one.said == []
        one.done()
        one.close()


def test_the_roll_call_that_is_gone_ends_its_members() -> None:
    roll = RollCall({"worker": 1}, timeout=5.0)
    one, ends = member(roll, 0)
    one.wait_for_all()
    roll.close()
    assert ends.left.wait(5)
    assert ends.said == [("the process that holds the roll call is gone", LOST)]
    one.close()


def test_a_port_in_use_and_nobody_there_are_one_line(roll: RollCall) -> None:
    with pytest.raises(ConfigError, match=rf"port {roll.port} cannot be used \(Address already in use\)"):
        RollCall(TWO, 1.0, port=roll.port)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    place = Place("worker", "127.0.0.1", 1, 2, 1, timeout=0.3, roll_call=("127.0.0.1", free))
    with pytest.raises(TrainingError, match=rf"127\.0\.0\.1:{free} does not answer within 0\.3 s"):
        Member(place)
