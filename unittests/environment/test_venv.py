"""The project's environment: used when whole, made anew when not, with pip replaced by a recorder."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fairface.environment import SetupError, __main__, venv
from fairface.environment.__main__ import Wish, build, ready, wish_from
from fairface.environment.gpu import Gpu
from fairface.environment.requirements import parse
from fairface.environment.venv import Stamp, Venv
from fairface.errors import DeviceError

V100 = Gpu("Tesla V100", "470.1", "7.0")


class Machine:
    """What pip, the driver and the trial would do, and what was asked of them."""

    def __init__(self):
        self.calls = []
        self.gpu = None
        self.trial = ""
        self.break_at = ""

    def pip(self, python, arguments, label, log):
        """Keep the folders by which installed distributions are known, as pip does."""
        self.calls.append(arguments)
        site = log.parent / "lib" / "python3.11" / "site-packages"
        names = [parse(word).name for word in arguments if word[0].isalpha() and word not in ("install", "uninstall")]
        if "-r" in arguments:
            names += [parse(line).name for line in (log.parent / "requirements.txt").read_text().splitlines()]
        for name in names:
            folder = site / f"{name.replace('-', '_')}-1.dist-info"
            if arguments[0] == "uninstall":
                folder.rmdir()
            else:
                folder.mkdir(parents=True, exist_ok=True)
        if self.break_at and self.break_at in " ".join(arguments):
            raise SetupError(f"pip failed while {label}: offline")

    @staticmethod
    def installed(place):
        return {folder.name.split("-")[0] for folder in place.path.glob("lib/*/*/*.dist-info")}


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(venv, "run_pip", machine.pip)
    monkeypatch.setattr(__main__, "find_gpu", lambda: machine.gpu)
    monkeypatch.setattr(__main__, "try_gpu", lambda command, root: machine.trial)
    return machine


@pytest.fixture
def place(tmp_path, root, monkeypatch):
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_bytes((root / name).read_bytes())
    place = Venv(tmp_path)
    works = subprocess.run

    # Making a real environment takes seconds: a folder with a link to this Python behaves the same here.
    def make(command, **kwargs):
        if command[1:3] == ["-m", "venv"]:
            (place.path / "bin").mkdir()
            (place.path / "bin" / "python").symlink_to(sys.executable)
            (place.path / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
            return subprocess.CompletedProcess(command, 0, "", "")
        if command[0] == place.python:
            return subprocess.CompletedProcess(command, 0 if (place.path / "bin" / "python").exists() else 1)
        return works(command, **kwargs)

    monkeypatch.setattr(venv.subprocess, "run", make)
    return place


def test_first_start_then_nothing_to_do(place, machine):
    assert not ready(place, Wish())
    build(place, Wish())
    assert ready(place, Wish())
    assert place.stamp() == Stamp(place.fingerprint(), "cpu")
    lock = (place.path / "requirements.txt").read_text().splitlines()
    assert "mxnet==1.9.1" in lock
    assert [call[0] for call in machine.calls] == ["install", "install"]
    assert machine.calls[-1][-2:] == ["--editable", str(place.root)]


def test_interrupted_start_is_made_anew(place, machine, capsys):
    machine.break_at = "--editable"
    with pytest.raises(SetupError, match="offline"):
        build(place, Wish())
    assert not ready(place, Wish())
    (place.path / "half").write_text("")
    machine.break_at = ""
    build(place, Wish())
    assert ready(place, Wish())
    assert not (place.path / "half").exists()
    assert "creating it again" in capsys.readouterr().err


def test_an_environment_of_the_users_own_is_filled_not_removed(place, machine):
    (place.path / "bin").mkdir(parents=True)
    (place.path / "bin" / "python").symlink_to(sys.executable)
    (place.path / "mine").write_text("")
    machine.break_at = "-r"
    with pytest.raises(SetupError):
        build(place, Wish())
    machine.break_at = ""
    build(place, Wish())
    assert (place.path / "mine").exists()
    assert "--force-reinstall" in machine.calls[-2]
    assert ready(place, Wish())


def test_a_folder_that_is_no_environment_is_not_touched(place, machine):
    place.path.mkdir()
    (place.path / "mine").write_text("")
    with pytest.raises(SetupError, match="move it away"):
        build(place, Wish())
    assert (place.path / "mine").exists()


def test_changed_lock_installs_over(place, machine):
    build(place, Wish())
    with (place.root / "requirements.lock").open("a") as file:
        file.write("extra==1.0\n")
    assert not ready(place, Wish())
    build(place, Wish())
    assert "extra==1.0" in (place.path / "requirements.txt").read_text()
    assert ready(place, Wish())


def test_python_without_ensurepip_and_pip_names_the_package(place, machine, monkeypatch):
    monkeypatch.setattr(venv.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match=r"neither ensurepip nor pip; .*apt-get install python3-venv$"):
        build(place, Wish())
    assert not place.path.exists()


def test_python_without_ensurepip_fetches_pip_with_its_own(place, machine, monkeypatch):
    monkeypatch.setattr(venv.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else name)
    build(place, Wish())
    first = machine.calls[0]
    assert first[:2] == ["install", "--target"]
    assert first[-1] == "pip"
    assert ready(place, Wish())


def test_damaged_stamp_counts_as_none(place, machine):
    build(place, Wish())
    (place.path / venv.STAMP).write_text('{"fingerprint": 1')
    assert place.stamp() is None


def test_gpu_that_works(place, machine):
    machine.gpu = V100
    build(place, Wish())
    assert {"mxnet_cu112", "nvidia_cudnn_cu11", "numpy"} <= machine.installed(place)
    assert "mxnet" not in machine.installed(place)
    assert place.stamp().device == "cu112"
    assert ready(place, Wish(gpu=True))
    assert ready(place, Wish(cpu=True))


def test_a_gpu_without_code_is_told_before_anything_is_fetched(place, machine, monkeypatch, capsys):
    machine.gpu = Gpu("H100", "535.1", "9.0")
    monkeypatch.setattr(__main__, "try_gpu", lambda command, root: pytest.fail("a trial ran"))
    with pytest.raises(DeviceError, match=r"^H100.* 5\.0 to 8\.9 only; leave gpus="):
        build(place, Wish(gpu=True))
    assert machine.calls == []
    assert not place.path.exists()
    build(place, Wish())
    assert "5.0 to 8.9 only; the CPU is used" in capsys.readouterr().err
    assert "mxnet_cu112" not in machine.installed(place)
    assert place.stamp().device == "cpu"
    assert ready(place, Wish())
    assert not ready(place, Wish(gpu=True))


@pytest.mark.parametrize("how", ["trial", "pip"])
def test_gpu_that_fails_is_named_and_the_cpu_used(place, machine, capsys, how):
    machine.gpu = Gpu("V100", "418.39", "7.0")
    machine.trial = "import and one convolution did not end within 60 s"
    machine.break_at = "nvidia-nccl-cu11>" if how == "pip" else ""
    build(place, Wish())
    err = capsys.readouterr().err
    assert "V100, driver 418.39, compute capability 7.0: " in err
    assert ("driver 450 or newer" if how == "trial" else "offline") in err
    assert place.stamp().device == "cpu"
    assert place.stamp().gpu_failure
    assert {"mxnet", "setuptools"} <= machine.installed(place)
    assert not [name for name in machine.installed(place) if name.startswith(("mxnet_", "nvidia"))]
    assert ready(place, Wish())  # not tried again at every start
    assert not ready(place, Wish(gpu=True))


def test_gpu_that_fails_is_an_error_when_it_was_asked_for(place, machine):
    machine.gpu, machine.trial = V100, "OSError: libcudnn.so.8"
    with pytest.raises(DeviceError, match=r"Tesla V100, driver 470.1, compute capability 7.0: OSError: libcudnn"):
        build(place, Wish(gpu=True))
    assert place.stamp() is None


def test_gpu_that_is_not_there_leaves_the_environment_alone(place, machine):
    build(place, Wish())
    with pytest.raises(DeviceError, match="no NVIDIA driver"):
        build(place, Wish(gpu=True))
    assert ready(place, Wish())


def test_cpu_wish_asks_no_gpu(place, machine):
    machine.gpu = V100
    build(place, Wish(cpu=True))
    assert "mxnet_cu112" not in machine.installed(place)
    assert ready(place, Wish(cpu=True))
    assert not ready(place, Wish())
    build(place, Wish())
    assert place.stamp().device == "cu112"
    assert "mxnet" not in machine.installed(place)


@pytest.mark.parametrize(
    ("words", "device", "wish"),
    [
        ([], "", Wish()),
        (["train/configs/x.yaml", "gpus=0,1"], "", Wish(gpu=True)),
        (["gpus=0", "--dry-run"], "", Wish()),
        (["gpus="], "", Wish()),
        (["devices=cpu0,cpu1"], "", Wish(cpu=True)),
        (["devices=gpu0"], "", Wish(gpu=True)),
        (["data.path=gpus=0"], "", Wish()),
        ([], "cpu", Wish(cpu=True)),
        (["gpus=0"], "cpu", Wish(gpu=True)),
        ([], "cu112", Wish(gpu=True)),
    ],
)
def test_wishes(words, device, wish):
    assert wish_from(words, device) == wish


def test_a_second_start_waits(place):
    import fcntl
    import os

    with place.locked():
        folder = os.open(place.root, os.O_RDONLY)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(folder)
