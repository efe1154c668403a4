"""What the workers of one machine inherit from the process that starts them: a piece of memory, and a bell for each.

The memory is an anonymous file (``memfd_create``, Linux) and the bells are pipes. None of them has a name, so all are
gone with the last process that holds them, however it ends. A container's limit of ``/dev/shm`` does not matter.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

from fairface.errors import ConfigError
from fairface.quantity import quantity


@dataclass(frozen=True)
class Shared:
    """One worker's descriptors.

    Attributes:
        memory: file that all workers map.
        own: end of this worker's pipe from which it reads.
        bells: for every worker, the end of its pipe to write to.
    """

    memory: int
    own: int
    bells: tuple[int, ...]

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All of them, to be inherited."""
        return (self.memory, self.own, *self.bells)

    def text(self) -> str:
        """What :func:`read_shared` reads."""
        return ":".join(map(str, self.descriptors))


def read_shared(text: str, workers: int) -> Shared:
    """The descriptors that an environment variable holds; processes that this one starts do not inherit them.

    Raises:
        ConfigError: they are not those of as many workers, or not open.
    """
    parts = text.split(":")
    if len(parts) != workers + 2 or not all(part.isdigit() for part in parts):
        raise ConfigError(
            f"{text!r} are no descriptors of {quantity(workers, 'worker')}; only --workers sets this variable"
        )
    memory, own, *bells = map(int, parts)
    for number in (memory, own, *bells):
        try:
            os.set_inheritable(number, False)
        except OSError as error:
            raise ConfigError(f"descriptor {number} is not open; only --workers sets this variable") from error
    return Shared(memory, own, tuple(bells))


class Segment:
    """The memory and the bells of ``size`` workers, held by the process that starts them.

    Attributes:
        members: each worker's descriptors.
    """

    def __init__(self, size: int) -> None:
        memory = os.memfd_create("fairface-workers")
        pipes = [os.pipe() for _ in range(size)]
        bells = tuple(write for _, write in pipes)
        self.members = [Shared(memory, read, bells) for read, _ in pipes]

    def close(self) -> None:
        """Let go of everything; workers that hold it go on."""
        for number in {number for member in self.members for number in member.descriptors}:
            with suppress(OSError):
                os.close(number)
        self.members = []
