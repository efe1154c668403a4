"""The power cut: what is on the disk at every moment of a checkpoint's writing is a run that can be resumed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairface.errors import CheckpointError
from fairface.training.restore import newest_whole, saved_config
from unittests.faults.helpers import SAVE_EVERY, Program, steps

pytestmark = pytest.mark.faults

WRITTEN = 6
SECOND = (f"steps={WRITTEN}",)  # its last checkpoint is the second one


@pytest.mark.parametrize("step", [SAVE_EVERY, WRITTEN])
def test_files_and_folder_are_on_the_disk_before_the_manifest_names_them(
    tmp_path: Path, people: Path, step: int
) -> None:
    program, journal = Program(tmp_path, people, *SECOND), tmp_path / "journal"
    assert program.ends("--quiet", watch={"step": step, "journal": str(journal)})[0] == 0
    seen = [(operation, Path(path).name) for operation, path in map(json.loads, journal.read_text().splitlines())]
    named = seen.index(("os.rename", "manifest.json"))
    folder = [number for number, what in enumerate(seen) if what == ("fsync", program.run.name)]
    for kind in ("model", "blocks", "state"):
        name = f"{kind}-{step:04d}.params"
        written, synced, renamed = (seen.index((what, name)) for what in ("half a file", "fsync", "os.rename"))
        assert written < synced < renamed
        assert any(renamed < number < named for number in folder)
    texts = ("model-symbol.json", "manifest.json") if step == SAVE_EVERY else ("manifest.json",)  # the graph stays
    for name in texts:
        renamed = seen.index(("os.rename", name))
        assert any(what == "fsync" and file.startswith(f".{name}.") for what, file in seen[:renamed])
    assert any(number > named for number in folder)
    dropped = [number for number, what in enumerate(seen) if what[0] == "os.remove" and what[1].endswith(".params")]
    assert all(number > max(folder) for number in dropped)  # nothing goes before the new manifest is sure to stay


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    """The file system of an image, as it is found after the power came back (its journal is replayed)."""
    at.mkdir(exist_ok=True)
    try:
        subprocess.run(["mount", "-o", "loop", str(image), str(at)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs root and loop devices")
    try:
        yield at
    finally:
        subprocess.run(["umount", str(at)], check=True, capture_output=True)


def test_a_mounted_image_at_every_operation(tmp_path: Path, people: Path) -> None:
    image, copies = tmp_path / "disk.img", tmp_path / "copies"
    copies.mkdir()
    with image.open("wb") as file:
        os.truncate(file.fileno(), 16 << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs root and loop devices")
    with mounted(image, tmp_path / "disk") as disk:
        program = Program(disk / "home", people, *SECOND)
        watch = {"step": WRITTEN, "image": str(image), "copies": str(copies), "journal": str(tmp_path / "journal")}
        code, _, err = program.ends("--quiet", watch=watch)
        assert (code, err) == (0, "")
    operations = [json.loads(line)[0] for line in (tmp_path / "journal").read_text().splitlines()]
    found = []
    for copy in sorted(copies.iterdir()):
        with mounted(copy, tmp_path / "after") as disk:
            run = disk / "home" / "models" / "tiny"
            files, problems = newest_whole(run)
            assert problems == []  # the manifest names nothing that is not whole
            assert saved_config(run)["name"] == "tiny"
            assert files.step == steps(run)[-1]
            found.append(files.step)
    print(f"{len(found)} images; to be resumed from the steps {found}")
    assert len(found) == len(operations) > 15
    assert found == sorted(found)
    assert set(found) == {WRITTEN - SAVE_EVERY, WRITTEN}
    assert found[operations.index("done")] == WRITTEN


def test_the_image_notices_what_is_not_synced(tmp_path: Path) -> None:
    """The trial itself is sound: without a sync the bytes are not on the disk."""
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        os.truncate(file.fileno(), 16 << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs root and loop devices")
    with mounted(image, tmp_path / "disk") as disk:
        (disk / "manifest.json").write_text('{"checkpoints": [], "sha256": {}}')
        (tmp_path / "copy.img").write_bytes(image.read_bytes())
    with mounted(tmp_path / "copy.img", tmp_path / "after") as disk, pytest.raises(CheckpointError):
        newest_whole(disk)
        raise AssertionError("what was never synced is there")
