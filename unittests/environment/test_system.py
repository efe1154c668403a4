"""A missing system library is named with the command that installs it."""

from __future__ import annotations

import pytest

from fairface.environment import SetupError
from fairface.environment.system import check_libraries, check_platform


def lacking(*names):
    def load(name):
        if name in names:
            raise OSError(name)

    return load


def only(*managers):
    return lambda name: f"/usr/bin/{name}" if name in managers else None


def test_nothing_is_missing_here():
    check_libraries()


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", "sudo apt-get install -y libgomp1 libquadmath0"),
        ("dnf", "sudo dnf install -y libgomp libquadmath"),
        ("pacman", "sudo pacman -S gcc-libs"),
        ("unknown", "sudo apt-get install -y libgomp1 libquadmath0"),
    ],
)
def test_both_missing(manager, command):
    with pytest.raises(SetupError) as caught:
        check_libraries(lacking("libgomp.so.1", "libquadmath.so.0"), only(manager))
    assert str(caught.value) == f"missing system library libgomp.so.1, libquadmath.so.0; install with: {command}"


def test_one_missing():
    with pytest.raises(SetupError, match=r"library libquadmath.so.0; .*install -y libquadmath0$"):
        check_libraries(lacking("libquadmath.so.0"), only("apt-get"))


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "aarch64")])
def test_other_platforms_are_refused(system, machine):
    with pytest.raises(SetupError, match=f"{system} {machine}"):
        check_platform(system, machine)


def test_linux_on_x86_is_accepted():
    check_platform("Linux", "x86_64")
