"""Files are whole or not there; names stay below their folder."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys

import pytest

from fairface.errors import DataError
from fairface.files import atomic_write, inside


def test_writes_and_makes_folders(tmp_path):
    target = tmp_path / "a" / "b.txt"
    with atomic_write(target, "w", encoding="utf-8") as file:
        file.write("é")
        assert not target.exists()
    assert target.read_bytes() == "é".encode()
    assert os.listdir(target.parent) == ["b.txt"]


def test_mode_follows_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "x") as file:
            file.write(b"1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


@pytest.mark.parametrize("fault", [ValueError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_a_failing_block_keeps_the_old_file(tmp_path, fault):
    target = tmp_path / "x"
    target.write_bytes(b"old")
    with pytest.raises(type(fault)), atomic_write(target) as file:
        file.write(b"new")
        raise fault
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x"]


def test_a_failing_block_makes_no_file(tmp_path):
    with pytest.raises(ValueError, match="no"), atomic_write(tmp_path / "x"):
        raise ValueError("no")
    assert os.listdir(tmp_path) == []


def test_file_size_limit_is_one_named_error(tmp_path):
    target = tmp_path / "big.bin"
    target.write_bytes(b"old")
    code = (
        "import sys\nfrom fairface.errors import DataError\nfrom fairface.files import atomic_write\n"
        "try:\n    with atomic_write(sys.argv[1]) as file:\n        file.write(b'x' * 200000)\n"
        "except DataError as error:\n    print(error)\n    sys.exit(7)\n"
    )

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))

    command = [sys.executable, "-c", code, str(target)]
    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert str(target) in done.stdout
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["big.bin"]


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(DataError, match="cannot be written"), atomic_write(tmp_path / "f" / "x"):
        pass


def test_target_that_is_a_folder(tmp_path):
    (tmp_path / "d").mkdir()
    with pytest.raises(DataError, match="cannot be written"), atomic_write(tmp_path / "d") as file:
        file.write(b"1")
    assert os.listdir(tmp_path) == ["d"]


def test_a_missing_input_inside_the_block_keeps_its_own_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / "out"):
        (tmp_path / "in").read_bytes()
    assert caught.value.filename == str(tmp_path / "in")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["a.jpg", "b/c d.jpg", "b/../a.jpg", ".", "..."])
def test_inside_accepts_names_below(tmp_path, name):
    assert inside(tmp_path, name) == (tmp_path / name).resolve()


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", ".."])
def test_inside_refuses_names_that_leave(tmp_path, name):
    with pytest.raises(DataError, match="would leave the folder"):
        inside(tmp_path, name)


def test_inside_refuses_a_sibling_with_the_same_beginning(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data2").mkdir()
    with pytest.raises(DataError):
        inside(tmp_path / "data", "../data2/x")


def test_inside_follows_links(tmp_path):
    data = tmp_path / "data"
    (data / "real").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (data / "out").symlink_to(tmp_path / "other")
    (data / "in").symlink_to(data / "real")
    assert inside(data, "in/x") == data / "real" / "x"
    with pytest.raises(DataError, match="out"):
        inside(data, "out/x")
    (tmp_path / "link").symlink_to(data)
    assert inside(tmp_path / "link", "real") == data / "real"


def test_a_name_with_a_zero_byte_is_no_path(tmp_path):
    with pytest.raises(DataError, match="holds a zero byte"):
        inside(tmp_path, "a\0b")
