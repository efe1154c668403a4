"""Which packages are needed, and whether the running Python has them.

Reads the bounds in ``pyproject.toml``, which is their one home. Python 3.10 has no TOML reader of its own, so only the
form that this project writes is understood: one quoted requirement a line.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from fairface.environment import SetupError

Versions = Callable[[str], str]

OPERATORS = {
    "==": operator.eq, "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
}  # fmt: skip

# Distributions that bring the same module: any one of them will do.
TWINS = {
    "mxnet": ("mxnet-cu112",),
    "opencv-python-headless": ("opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"),
}


@dataclass(frozen=True)
class Requirement:
    """A distribution and the bounds of its version, such as ``numpy>=1.24.2,<2``."""

    name: str
    bounds: str = ""

    def met_by(self, version: str) -> bool:
        """Whether a version lies within the bounds; only its release numbers count."""
        have = release(version)
        for clause in filter(None, self.bounds.split(",")):
            match = re.fullmatch(r"\s*(==|!=|<=|>=|<|>)\s*([\d.]+)\s*", clause)
            if match is None:
                raise SetupError(f"pyproject.toml: the bound {clause!r} of {self.name} is not understood")
            if not OPERATORS[match[1]](have, release(match[2])):
                return False
        return True

    def __str__(self) -> str:
        return self.name + self.bounds


def release(version: str) -> tuple[int, ...]:
    """The release numbers without trailing zeros: ``1.10.0+cpu`` -> ``(1, 10)``."""
    match = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def parse(text: str) -> Requirement:
    """One requirement line, without extras; a marker after ``;`` is left out."""
    match = re.fullmatch(r"([A-Za-z0-9._-]+)\s*((?:[<>=!~][^;@]*?)?)\s*(;.*)?", text.strip())
    if match is None:
        raise SetupError(f"the requirement {text!r} is not understood")
    return Requirement(re.sub(r"[-_.]+", "-", match[1]).lower(), match[2])


def project_requirements(pyproject: Path, extras: Iterable[str] = ()) -> list[Requirement]:
    """The base requirements of the project and those of the named extras."""
    text = pyproject.read_text(encoding="utf-8")
    found = []
    for key in ("dependencies", *extras):
        match = re.search(rf"^{re.escape(key)} = \[$(.*?)^\]$", text, re.MULTILINE | re.DOTALL)
        if match is None:
            raise SetupError(f"{pyproject}: no list {key!r}; check the file out again")
        found += [parse(item) for item in re.findall(r'^\s*"([^"]+)"', match[1], re.MULTILINE)]
    return found


def locked_requirements(lock: Path) -> list[str]:
    """The lines of a lock file that name a distribution."""
    lines = (line.strip() for line in lock.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def missing(requirements: Sequence[Requirement], version_of: Versions = metadata.version) -> list[str]:
    """What the running Python lacks, each as ``name (needs …, has …)``; empty when it is complete.

    Looks at installed versions only: importing everything would add seconds to every start.
    """
    return [complaint for requirement in requirements if (complaint := _complaint(requirement, version_of))]


def _complaint(requirement: Requirement, version_of: Versions) -> str:
    complaint = f"{requirement} (not installed)"
    for name in (requirement.name, *TWINS.get(requirement.name, ())):
        try:
            version = version_of(name)
        except metadata.PackageNotFoundError:
            continue
        if requirement.met_by(version):
            return ""
        complaint = f"{requirement} (has {name} {version})"
    return complaint
