"""Real processes over MXNet's kvstore.

They learn as one process does, and no loss of one leaves the others waiting.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.data.loading.samplers import RandomSampler
from fairface.parameters import load_arrays
from unittests.faults.group import KILL, PAUSE, all_gone, children
from unittests.faults.helpers import ROOT, Program, bits, steps
from unittests.faults.test_kill import newest

pytestmark = pytest.mark.faults

SETTINGS = ("steps=12", "backbone.dropout=0")
WORKERS = ("--workers", "2")
TIMEOUT = 15.0  # seconds of silence; more than a busy machine lets a process wait
LOST = 75


def values(run: Path) -> dict[str, np.ndarray[Any, Any]]:
    files = resolve(f"{run}@last", with_state=True)
    loaded = [load_arrays(str(file)) for file in (files.params, files.blocks, files.state)]
    return {name: array.asnumpy() for arrays in loaded for name, array in arrays.items()}


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Path:
    """The folder of a run of two workers that nothing happened to."""
    program = Program(tmp_path_factory.mktemp("together"), people, *SETTINGS)
    assert program.ends("--quiet", *WORKERS) == (0, "", "")
    return program.run


@pytest.fixture
def program(tmp_path: Path, people: Path) -> Program:
    return Program(tmp_path, people, *SETTINGS)


def leave_the_network() -> None:
    """Only this machine's own address is left to this process and its children."""
    own_network, own_users = 0x40000000, 0x10000000  # CLONE_NEWNET, CLONE_NEWUSER of unshare(2)
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.unshare(own_network) and kernel.unshare(own_network | own_users):
        raise OSError(ctypes.get_errno(), "unshare")
    set_flags, up = 0x8914, 1  # SIOCSIFFLAGS, IFF_UP of netdevice(7)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", up))


def listening(processes: Collection[int]) -> set[str]:
    """Addresses at which these processes take connections (the tables of proc(5), "net/tcp")."""
    sockets = set()
    for process in processes:
        for handle in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):  # it has just been closed
                sockets.add(os.readlink(handle))
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
            found.add(socket.inet_ntoa(struct.pack("<I", int(words[1].split(":")[0], 16))))
    return found


def struck(program: Program, who: str, how: int, *options: str) -> tuple[int, str, float]:
    """Do something to one process after the second checkpoint; exit code, standard error, seconds until the end."""
    with program.start("--quiet", *WORKERS, "--peer-timeout", str(TIMEOUT), *options) as launcher:
        while newest(program) < 6:
            assert launcher.poll() is None
            time.sleep(0.005)
        processes = children(launcher.pid)
        began = time.monotonic()
        os.kill(processes[who], how)
        _, err = launcher.communicate(timeout=600)
    assert all_gone(processes)
    return launcher.returncode, err, time.monotonic() - began


def test_nobody_on_the_network_can_reach_them(program: Program) -> None:
    """ps-lite asks for no password, and a server runs what a worker sends."""
    with program.start("--quiet", *WORKERS) as launcher:
        while newest(program) < 3:
            assert launcher.poll() is None
            time.sleep(0.005)
        processes = children(launcher.pid)
        assert sorted(processes) == ["scheduler", "server", "worker0", "worker1"]
        assert listening([launcher.pid, *processes.values()]) == {"127.0.0.1"}
        launcher.terminate()
        launcher.communicate(timeout=120)


def test_a_machine_without_a_network_is_enough(program: Program, together: Path) -> None:
    try:
        process = program.start("--quiet", *WORKERS, before=leave_the_network)
    except subprocess.SubprocessError:
        pytest.skip("this system lets no process leave its network")
    with process:
        assert process.communicate(timeout=600) == ("", "")
    assert process.returncode == 0
    assert bits(program.run) == bits(together)


def test_two_workers_learn_what_one_process_with_two_devices_does(
    program: Program, together: Path, people: Path, tmp_path: Path
) -> None:
    one = Program(tmp_path / "one", people, *SETTINGS, "devices=cpu0,cpu1")
    assert one.ends("--quiet")[0] == 0
    found, expected = values(together), values(one.run)
    assert {name for name in expected if "copies" not in name} == {name for name in found if "copies" not in name}
    for name, array in found.items():
        if name in expected:
            np.testing.assert_allclose(array, expected[name], rtol=1e-2, atol=1e-3, err_msg=name)


def test_with_synchronous_batch_norm_two_workers_learn_what_one_device_does(tmp_path: Path, people: Path) -> None:
    words = (*SETTINGS, "steps=3", "optimizer.lr=0.01")
    one = Program(tmp_path / "one", people, *words)
    assert one.ends("--quiet")[0] == 0
    expected = values(one.run)
    for name, devices in (("one each", "devices=cpu0"), ("two each", "devices=cpu0,cpu1,cpu2,cpu3")):
        program = Program(tmp_path / name, people, *words, "backbone.sync_bn=true", devices)
        assert program.ends("--quiet", *WORKERS) == (0, "", "")
        found = values(program.run)
        for key, array in expected.items():
            scale = max(1e-3, np.abs(array).max())
            np.testing.assert_allclose(found[key], array, rtol=0, atol=1e-3 * scale, err_msg=f"{name}: {key}")


@pytest.mark.parametrize(
    ("who", "how", "reason"),
    [
        ("worker1", KILL, "worker 1 (process"),
        ("worker0", KILL, "worker 0 (process"),
        ("server", KILL, "server (process"),
        ("scheduler", KILL, "scheduler (process"),
        ("worker1", PAUSE, "has given no sign of life for 15 s"),
    ],
)
def test_a_lost_process_ends_all_and_the_next_try_ends_in_the_same_bits(
    program: Program, together: Path, who: str, how: int, reason: str
) -> None:
    code, err, seconds = struck(program, who, how)
    assert code == LOST
    assert (err.count("\n"), reason in err) == (1, True), err
    assert seconds < TIMEOUT + 20
    assert steps(program.run)[-1] >= 6
    assert program.ends("--quiet", "--resume", *WORKERS) == (0, "", "")
    assert bits(program.run) == bits(together)


def test_split_classes_learn_as_in_one_process_and_outlive_a_lost_worker(people: Path, tmp_path: Path) -> None:
    """Half of the classes in a step, so that the sample is another one in every step."""
    split = (*SETTINGS, "head.sharded=true", "head.sample_rate=0.5")
    whole, one = Program(tmp_path / "whole", people, *split), Program(tmp_path / "one", people, *split)
    lost = Program(tmp_path / "lost", people, *split)
    assert whole.ends("--quiet", *WORKERS) == (0, "", "")
    assert one.ends("--quiet", "devices=cpu0,cpu1")[0] == 0
    found, expected = values(whole.run), values(one.run)
    assert set(found) == set(expected)
    for name, array in found.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-2, atol=1e-3, err_msg=name)
    assert struck(lost, "worker1", KILL)[0] == LOST
    assert lost.ends("--quiet", "--resume", *WORKERS) == (0, "", "")
    assert bits(lost.run) == bits(whole.run)


def test_restarts_go_on_by_themselves(program: Program, together: Path) -> None:
    code, err, _ = struck(program, "worker1", KILL, "--restarts", "1")
    assert (code, "restart 1 of 1, from the last checkpoint" in err) == (0, True), err
    assert bits(program.run) == bits(together)


def test_the_launcher_killed_leaves_no_process(program: Program) -> None:
    with program.start("--quiet", *WORKERS) as launcher:
        while newest(program) < 3:
            time.sleep(0.005)
        processes = children(launcher.pid)
        launcher.kill()
        launcher.communicate(timeout=60)
    assert sorted(processes) == ["scheduler", "server", "worker0", "worker1"]
    assert all_gone(processes)


def test_sigterm_saves_and_resuming_with_one_process_goes_on(program: Program, together: Path) -> None:
    with program.start("--quiet", *WORKERS) as launcher:
        while newest(program) < 6:
            time.sleep(0.005)
        launcher.send_signal(signal.SIGTERM)
        launcher.communicate(timeout=600)
    assert launcher.returncode == 128 + signal.SIGTERM
    assert 6 < newest(program) < 12
    code, _, err = program.ends("--resume")
    assert code == 0
    assert "the devices was ['cpu(0)', 'cpu(1)'] and is now ['cpu(0)']" in err
    assert steps(program.run)[-1] == 12


@pytest.mark.parametrize(
    ("overrides", "options", "reason"),
    [
        (("devices=gpu7",), (), "GPU 7"),
        (("batch_size=1",), (), "1 row in a batch, which cannot be split over 2 devices"),
        (("head.sharded=true", "devices=cpu0,cpu1,cpu2,cpu3,cpu4,cpu5"), (), "4 classes cannot be split over 6"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    tmp_path: Path, people: Path, overrides: tuple[str, ...], options: tuple[str, ...], reason: str
) -> None:
    program = Program(tmp_path, people, *SETTINGS, *overrides)
    code, out, err = program.ends("--quiet", *WORKERS, *options)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert reason in err
    assert not program.run.exists()


def test_a_bad_record_on_one_worker_saves_and_stops_all(tmp_path: Path, people: Path) -> None:
    """The last row of the third batch is worker 1's."""
    data = Path(shutil.copytree(people, tmp_path / "people"))
    index = int(RandomSampler(24, 8, seed=0).batch(2)[-1])
    file = sorted(data.glob("*/*.png"))[index]
    file.write_bytes(b"no image" * 20)
    program = Program(tmp_path, data, *SETTINGS)
    code, out, err = program.ends("--quiet", *WORKERS)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert str(file) in err
    assert "the 2 steps before it are saved" in err
    assert steps(program.run) == [2]


def test_workers_share_the_verification_of_one_that_is_alone(tmp_path: Path, people: Path) -> None:
    words = (f"verify.sets={people}", "verify.every=6", "verify.batch_size=4", f"test.sets={people}")
    scores = []
    for split in ("true", "false"):
        program = Program(tmp_path / split, people, *SETTINGS, *words, f"verify.split={split}")
        code, out, err = program.ends("--quiet", *WORKERS)
        assert (code, err, out.count("people")) == (0, "", 1)
        lines = [json.loads(line) for line in (program.run / "log.jsonl").read_text().splitlines()]
        scores.append([(line["step"], line["auc"], line["eer"]) for line in lines if line["event"] == "verify/people"])
        scores[-1].append(json.loads((program.run / "metrics.json").read_text())["auc"])
    assert scores[0] == scores[1]
    assert [score[0] for score in scores[0][:-1]] == [6, 12]


def test_a_bad_verification_image_on_one_worker_saves_and_stops_all(tmp_path: Path, people: Path) -> None:
    data = Path(shutil.copytree(people, tmp_path / "people"))
    file = sorted(data.glob("*/*.png"))[-1]
    file.write_bytes(b"no image" * 20)
    program = Program(tmp_path, people, *SETTINGS, f"verify.sets={data}", "verify.every=4", "verify.batch_size=4")
    code, out, err = program.ends("--quiet", *WORKERS)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert str(file) in err
    assert steps(program.run)[-1] == 4


def test_sigterm_while_workers_verify_stops_all_after_it(tmp_path: Path, people: Path) -> None:
    words = (f"verify.sets={people}", "verify.every=3", "verify.batch_size=1")  # it verifies most of the time
    program = Program(tmp_path, people, *SETTINGS, "steps=60", *words)
    with program.start("--quiet", *WORKERS) as launcher:
        while newest(program) < 6:
            assert launcher.poll() is None
            time.sleep(0.005)
        processes = children(launcher.pid)
        time.sleep(0.1)
        launcher.send_signal(signal.SIGTERM)
        launcher.communicate(timeout=600)
    assert launcher.returncode == 128 + signal.SIGTERM
    assert all_gone(processes)
    assert 6 <= steps(program.run)[-1] < 60


def test_a_port_in_use_is_one_line(program: Program) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, out, err = program.ends(*WORKERS, "--port", port)
    assert (code, out) == (2, "")
    assert err == f"error: port {port} cannot be used (Address already in use); name another one\n"


@pytest.fixture
def cluster(program: Program) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Scheduler and server as a cluster's manager starts them: by environment variables alone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes: dict[str, subprocess.Popen[str]] = {}
    program.home.joinpath("port").write_text(str(port))
    for role in ("scheduler", "server"):
        processes[role] = joined(program, role)
    yield processes
    for process in processes.values():
        process.kill()
        process.communicate()


def joined(program: Program, role: str, *words: str, rank: int | None = None) -> subprocess.Popen[str]:
    """Start the program with a role from its environment."""
    settings = {
        "DMLC_ROLE": role, "DMLC_PS_ROOT_URI": "127.0.0.1", "DMLC_NUM_WORKER": "2", "DMLC_NUM_SERVER": "1",
        "DMLC_PS_ROOT_PORT": (program.home / "port").read_text(), "FAIRFACE_PEER_TIMEOUT": "60",
        "PYTHONPATH": str(ROOT), **({} if rank is None else {"DMLC_WORKER_ID": str(rank)}),
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, str(ROOT / "train" / "train.py"), str(program.config), "--quiet", *words],
        env={**os.environ, **settings}, cwd=program.home, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_started_by_environment_variables(
    program: Program, cluster: dict[str, subprocess.Popen[str]], together: Path
) -> None:
    for rank in range(2):
        cluster[f"worker{rank}"] = joined(program, "worker", rank=rank)
    for process in cluster.values():
        assert process.communicate(timeout=600) == ("", "")
        assert process.returncode == 0
    assert bits(program.run) == bits(together)


def test_workers_with_other_configurations_are_told_apart(
    program: Program, cluster: dict[str, subprocess.Popen[str]]
) -> None:
    for rank, word in enumerate(("optimizer.lr=0.05", "optimizer.lr=0.5")):
        cluster[f"worker{rank}"] = joined(program, "worker", word, rank=rank)
    for rank in range(2):
        _, err = cluster[f"worker{rank}"].communicate(timeout=600)
        assert cluster[f"worker{rank}"].returncode == 2
        assert "worker 1 has optimizer.lr=0.5, worker 0 has 0.05" in err
    assert not program.run.exists()
