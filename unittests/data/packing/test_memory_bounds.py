"""Memory files made of a set: what is cleared, what is refused."""

import pytest

from fairface.data.packing.memory import make_memory_set
from fairface.data.pairsets.bin_set import write_bin
from fairface.errors import DataError
from unittests.data.builders import images


def test_a_set_in_memory_clears_what_a_killed_run_left(tmp_path):
    write_bin(tmp_path / "lfw.bin", images()[:4], [True, False])
    assert make_memory_set(tmp_path / "lfw.bin")
    leftover = tmp_path / "lfw" / "memfile" / ".mem_file.dat.1234.part"
    leftover.touch()
    other = tmp_path / "lfw" / "memfile" / "mine.part"
    other.touch()
    seen = []
    watched = make_memory_set(tmp_path / "lfw.bin", True, lambda items, total: (seen.append(total), items)[1])
    assert (watched, seen, leftover.exists(), other.exists()) == (True, [4], False, True)
    assert not make_memory_set(tmp_path / "lfw.bin", True)
    write_bin(tmp_path / "b.bin", [images()[0], images(24)[1]], [True])
    said = r"b\.bin, image 1: is 24x24 pixels, but the first image is 16x16; make the set again"
    with pytest.raises(DataError, match=said):
        make_memory_set(tmp_path / "b.bin")
    with pytest.raises(DataError, match=r"none\.bin: cannot be read \(No such file or directory\); correct the path"):
        make_memory_set(tmp_path / "none.bin")
