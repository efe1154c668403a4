"""What workers inherit: written to the environment and read again, without a name, gone with who holds it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fairface.errors import ConfigError
from fairface.workers.segment import Segment, read_shared


def test_a_child_reads_what_the_environment_tells():
    segment = Segment(2)
    member = segment.members[1]
    code = (
        "import os, sys; from fairface.workers.segment import read_shared; got = read_shared(sys.argv[1], 2);"
        "os.pwrite(got.memory, b'seen', 0); os.write(got.bells[0], b'ring'); print(os.get_inheritable(got.memory))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, member.text()], pass_fds=member.descriptors, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout == "False\n"
    assert os.pread(segment.members[0].memory, 4, 0) == b"seen"
    assert os.read(segment.members[0].own, 9) == b"ring"
    segment.close()


def test_nothing_has_a_name_and_nothing_stays_open():
    before = set(os.listdir("/proc/self/fd")), set(os.listdir("/dev/shm"))
    segment = Segment(3)
    assert len(segment.members[2].descriptors) == 5
    assert "(deleted)" in os.readlink(f"/proc/self/fd/{segment.members[0].memory}")
    segment.close()
    assert (set(os.listdir("/proc/self/fd")), set(os.listdir("/dev/shm"))) == before


@pytest.mark.parametrize("text", ["", "3:4", "3:4:x:5", "3:4:5:6:7"])
def test_descriptors_of_other_workers_are_refused(text):
    with pytest.raises(ConfigError, match="are no descriptors of 2 workers"):
        read_shared(text, 2)


def test_descriptors_that_are_not_open_are_refused():
    with pytest.raises(ConfigError, match=r"^descriptor 9990 is not open"):
        read_shared("9990:9991:9992:9993", 2)
