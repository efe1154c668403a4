"""One process at a time in a run's folder, and a failed start that leaves nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fairface.errors import CheckpointError, DataError, FairfaceError
from fairface.training.lock import LOCK, locked
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

HOLDER = (
    "import fcntl, os, sys\n"
    "handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
    "fcntl.flock(handle, fcntl.LOCK_EX)\n"
    "print('held', flush=True)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path, people: Path) -> None:
    config = tiny_config(tmp_path, people, "steps=1", "verify.every=0", "verify.sets=")
    run = tmp_path / "models" / "tiny"
    assert train(config, quiet=True) == 0
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    holder = [sys.executable, "-c", HOLDER, str(run / LOCK)]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        for options in ({}, {"resume": True}, {"overwrite": True}):
            with pytest.raises(CheckpointError, match=r"models/tiny: another process trains in it; wait for it"):
                train(config, quiet=True, **options)
        assert {path.name: path.read_bytes() for path in run.iterdir()} == before
        other.kill()
    assert train(config, overwrite=True, quiet=True) == 0


def test_the_lock_is_given_back_and_an_empty_folder_goes(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "run"
    with locked(folder):
        assert (folder / LOCK).exists()
        with pytest.raises(CheckpointError), locked(folder):
            pass
        assert (folder / LOCK).exists()  # of the first, which goes on
    assert not folder.exists()
    with locked(folder):
        (folder / "model").write_text("x")
    assert {path.name for path in folder.iterdir()} == {LOCK, "model"}
    folder.joinpath("model").unlink()
    with locked(folder):
        pass
    assert folder.exists()  # it was there before


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file/run.*choose another output folder"), locked(tmp_path / "file" / "run"):
        pass


@pytest.mark.parametrize(
    ("options", "overrides"),
    [
        ({"resume": True}, ()),
        ({}, ("start_from=nothing",)),
        ({}, ("stage=head", "start_from={foreign}")),
        ({}, ("verify.monitor=fmr_worst", "verify.protected=sex")),
        ({}, ("test.sets=/nowhere.bin",)),
    ],
)
def test_a_failed_start_leaves_no_folder(
    tmp_path: Path, people: Path, options: dict[str, bool], overrides: tuple[str, ...]
) -> None:
    (tmp_path / "m-symbol.json").write_text("{}")
    (tmp_path / "m-0001.params").write_bytes(b"no parameters")
    filled = [override.replace("{foreign}", f"{tmp_path}/m,1") for override in overrides]
    with pytest.raises(FairfaceError) as caught:
        train(tiny_config(tmp_path, people, *filled), quiet=True, **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "models" / "tiny").exists()
