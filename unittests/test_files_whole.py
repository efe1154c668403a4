"""JSON files, sums of files, outputs that would overwrite inputs, and what is told of a file that cannot be written."""

from __future__ import annotations

import errno
import hashlib
import json
import os

import pytest

from fairface.errors import DataError
from fairface.files import atomic_write, refuse_inputs, sha256, write_json


def test_json_is_written_whole_indented_and_as_utf8(tmp_path):
    content = {"näme": [1, {"b": None}], "c": "é"}
    write_json(tmp_path / "deep" / "a.json", content)
    text = (tmp_path / "deep" / "a.json").read_bytes().decode("utf-8")
    assert json.loads(text) == content
    assert text.startswith('{\n  "näme": [\n    1,')
    assert text.endswith("}\n")
    with pytest.raises(TypeError):
        write_json(tmp_path / "deep" / "a.json", {"x": object()})
    assert json.loads((tmp_path / "deep" / "a.json").read_text(encoding="utf-8")) == content
    assert os.listdir(tmp_path / "deep") == ["a.json"]


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_sum_is_of_the_whole_file(tmp_path, size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "a").write_bytes(content)
    assert sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_outputs_may_not_be_inputs_under_whichever_name(tmp_path):
    (tmp_path / "in.csv").touch()
    (tmp_path / "link.csv").symlink_to(tmp_path / "in.csv")
    for output in (tmp_path / "in.csv", str(tmp_path / "x" / ".." / "in.csv"), tmp_path / "link.csv"):
        with pytest.raises(DataError, match="is read by this run and would be overwritten"):
            refuse_inputs(["", tmp_path / "out.csv", output], ["", tmp_path / "other.csv", tmp_path / "in.csv"])
    refuse_inputs([tmp_path / "out.csv"], [tmp_path / "in.csv"])
    refuse_inputs([], [tmp_path / "in.csv"])


def test_names_that_are_empty_are_no_files(tmp_path, monkeypatch):
    """An option that was not given is an empty name, which would be the working folder."""
    monkeypatch.chdir(tmp_path)
    refuse_inputs([""], [tmp_path])
    refuse_inputs([tmp_path], [""])


def test_the_reason_is_the_systems_where_it_gives_one(tmp_path):
    with pytest.raises(DataError, match=r"x: cannot be written \(No space left on device\); free space"), \
            atomic_write(tmp_path / "x"):  # fmt: skip
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(DataError, match=r"x: cannot be written \(odd\)"), atomic_write(tmp_path / "x"):
        raise OSError("odd")
    assert os.listdir(tmp_path) == []


def test_the_folder_may_vanish_while_the_file_is_written(tmp_path):
    target = tmp_path / "a" / "x"
    with pytest.raises(DataError, match=r"a/x: cannot be written"), atomic_write(target) as file:
        for name in os.listdir(target.parent):
            os.unlink(target.parent / name)
        target.parent.rmdir()
        file.write(b"1")
    assert os.listdir(tmp_path) == []


def test_other_errors_of_the_block_stay_what_they_are(tmp_path):
    for error in (ValueError("no"), KeyError("k")):
        with pytest.raises(type(error)), atomic_write(tmp_path / "x"):
            raise error
    with pytest.raises(DataError, match="x: cannot be written"), atomic_write(tmp_path / "x"):
        raise FileNotFoundError("without a name")
