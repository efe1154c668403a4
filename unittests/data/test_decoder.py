"""Remarks of the image libraries go to who decodes, by thread; C's standard error is as before afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import subprocess
import sys
import threading
import zlib
from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fairface.console import Console
from fairface.data.decoder import DECODER, RemarkingDecoder
from fairface.data.folder import FolderDataset
from fairface.data.images import decode, encode_jpeg, encode_png, try_decode
from fairface.data.processes import map_processes
from fairface.errors import DataError

ROOT = Path(__file__).resolve().parents[2]


def noise(side: int) -> NDArray[np.uint8]:
    return np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)


WHOLE = encode_jpeg(noise(48))
DAMAGED = WHOLE[: len(WHOLE) // 2] + WHOLE[-2:]  # cut in the middle of the pixels, and ended properly
REMARK = "Corrupt JPEG data: premature end of data segment"


def with_odd_profile(png: bytes) -> bytes:
    """The PNG with a colour profile that libpng warns of, as many programs write one."""
    body = b"iCCPname\0\0" + zlib.compress(b"no profile")
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return png[:33] + chunk + png[33:]


def test_a_remark_belongs_to_the_image_and_the_pixels_are_opencvs(capfd: pytest.CaptureFixture[str]) -> None:
    for data in (WHOLE, encode_png(noise(9)), with_odd_profile(encode_png(noise(9)))):
        image, remark = DECODER.decode(data, cv2.IMREAD_COLOR_RGB)
        expected = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        assert remark == ""
        assert np.array_equal(image, expected)
    assert "libpng warning: iCCP" in capfd.readouterr().err  # of the plain decoding
    image, remark = DECODER.decode(DAMAGED, cv2.IMREAD_COLOR_RGB)
    assert image is not None
    assert image.shape == (48, 48, 3)
    assert remark == REMARK
    png = encode_png(noise(30))
    broken = bytearray(png)
    broken[-13] ^= 255  # in the checksum of the pixels, before the 12 bytes of the last chunk
    assert DECODER.decode(bytes(broken), cv2.IMREAD_COLOR_RGB) == (None, "libpng error: IDAT: CRC error")
    assert capfd.readouterr().err == ""


def test_threads_hear_of_their_own_image_only() -> None:
    heard: dict[int, set[str]] = {number: set() for number in range(4)}

    def work(number: int) -> None:
        data = DAMAGED if number % 2 else WHOLE
        for _ in range(100):
            heard[number].add(DECODER.decode(data, cv2.IMREAD_COLOR_RGB)[1])

    threads = [threading.Thread(target=work, args=(number,)) for number in heard]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {0: {""}, 1: {REMARK}, 2: {""}, 3: {REMARK}}


def test_other_libraries_still_reach_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    libc = ctypes.CDLL(None)
    before = ctypes.c_void_p.in_dll(libc, "stderr").value
    DECODER.decode(DAMAGED, cv2.IMREAD_COLOR_RGB)
    with pytest.raises(cv2.error):
        DECODER.decode(b"", cv2.IMREAD_COLOR_RGB)
    assert ctypes.c_void_p.in_dll(libc, "stderr").value == before
    libc.perror(b"from C")
    assert capfd.readouterr().err.startswith("from C: ")


def test_the_record_is_named_when_its_pixels_are_taken(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "1.jpg").write_bytes(DAMAGED)
    assert FolderDataset(tmp_path).decoded(0).shape == (48, 48, 3)
    decode(DAMAGED, "grace/2.jpg")
    try_decode(DAMAGED, lambda: "radia/3.jpg")
    decode(WHOLE, "tony/4.jpg")
    said = f"the image is damaged ({REMARK}), so pixels may be wrong; restore or remove it"
    named = [f"{tmp_path}/ada/1.jpg", "grace/2.jpg", "radia/3.jpg"]
    assert [record.getMessage() for record in caplog.records] == [f"{name}: {said}" for name in named]
    assert capfd.readouterr().err == ""


def test_nothing_is_remarked_twice_on_what_cannot_be_decoded(caplog: pytest.LogCaptureFixture) -> None:
    png = encode_png(noise(30))
    with pytest.raises(DataError, match=r"^x: not an image"):
        decode(png[: len(png) // 2], "x")
    assert not caplog.records


@pytest.mark.parametrize(("quiet", "told"), [(False, True), (True, False)])
def test_a_program_tells_it_unless_quiet(tmp_path: Path, quiet: bool, told: bool) -> None:
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "1.jpg").write_bytes(DAMAGED)
    options = [str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--resize", "--size", "32"]
    done = subprocess.run(
        [sys.executable, ROOT / "data_process" / "face2rec2.py", *options, *(["--quiet"] if quiet else [])],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if "Corrupt" in line]
    assert len(lines) == (1 if told else 0)
    assert all(f"1.jpg: the image is damaged ({REMARK})" in line for line in lines)


def test_an_image_is_told_once_however_often_it_is_read(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("twice/1.jpg", "twice/2.jpg", "twice/1.jpg"):
        decode(DAMAGED, name)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["twice/1.jpg", "twice/2.jpg"]


def _decode_here(name: str) -> str:
    """In a worker process: what is printed there of an image called ``name``."""
    heard = io.StringIO()
    with contextlib.redirect_stderr(heard):
        decode(DAMAGED, name)
    return heard.getvalue()


@pytest.mark.parametrize("quiet", [False, True])
def test_worker_processes_are_as_quiet_as_the_program(quiet: bool) -> None:
    Console.of(Namespace(quiet=quiet))
    try:
        (heard,) = map_processes(_decode_here, ["w.jpg"], 1, "here")
    finally:
        Console.of(Namespace(quiet=False))
    assert heard.startswith("" if quiet else f"w.jpg: the image is damaged ({REMARK})")
    assert bool(heard) is not quiet


class _OtherLibrary:
    """A C library without streams of functions."""


@pytest.mark.parametrize("error", [None, TypeError("no name")])
def test_without_glibc_images_are_decoded_without_remarks(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    def library(name: str | None) -> _OtherLibrary:
        if error is not None:
            raise error
        return _OtherLibrary()

    monkeypatch.setattr(ctypes, "CDLL", library)
    image, remark = RemarkingDecoder().decode(encode_png(noise(16)), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(image, noise(16))
    assert remark == ""
