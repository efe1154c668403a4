"""Files that appear together."""

import os

import pytest

from fairface.data.whole_files import whole_files
from fairface.errors import DataError


def test_files_appear_together_once_all_are_on_the_disk(tmp_path, monkeypatch):
    """A power cut or a full disk never leaves a new file beside an old one."""
    first, second = tmp_path / "a.rec", tmp_path / "a.idx"
    done = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (done.append("sync"), sync(handle)))
    monkeypatch.setattr(os, "replace", lambda source, target: (done.append("rename"), replace(source, target)))
    with whole_files({first: "wb", second: "w"}) as (rec_file, idx_file):
        rec_file.write(b"\xff")
        idx_file.write("é\n")
    assert done.index("rename") >= 2
    assert done[:2] == ["sync", "sync"]
    assert (first.read_bytes(), second.read_bytes()) == (b"\xff", "é\n".encode())

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError) as caught, whole_files({first: "wb", second: "w"}) as (rec_file, _):
        rec_file.write(b"new")
    said = "cannot be written (No space left on device); free space or choose another folder"
    assert str(caught.value) == f"{first}: {said}"
    assert sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir()) == [
        ("a.idx", "é\n".encode()), ("a.rec", b"\xff")]  # fmt: skip
