"""Which files are photographs, which of them can be read here, and what a user is told about the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import PurePosixPath

from fairface.extras import remedy
from fairface.quantity import quantity

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".jp2", ".pgm", ".ppm", ".tif", ".tiff"}
)
HEIC_SUFFIXES = frozenset({".heic", ".heif"})  # of phones; read by the optional package pillow-heif
# Photographs that nothing here reads and that people may have many of: they are not counted with other files.
UNREAD_SUFFIXES = frozenset(
    {".avif", ".gif", ".jxl", ".psd", ".svg", ".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"}
)
# In a folder that align.py or add_masks.py wrote: no photograph of anybody's was passed over there.
WRITTEN_BESIDE = frozenset(
    {"align.json", "landmarks.csv", "no_face.txt", "unreadable.txt", "failures.txt", "masks.jsonl"}
)
PHOTOGRAPH_SUFFIXES = IMAGE_SUFFIXES | HEIC_SUFFIXES
HEIC_PACKAGE = "pillow_heif"
_SHOWN = 10


@dataclass(frozen=True)
class LeftOut:
    """Files that a program passes over: ``photographs`` of kinds that it cannot read, and ``others``."""

    photographs: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Iterable[str]) -> LeftOut:
        """Sort the names of files that were passed over, without what our own programs leave beside the images."""
        every = sorted(set(names) - WRITTEN_BESIDE)
        unread = HEIC_SUFFIXES | UNREAD_SUFFIXES
        return cls(
            tuple(name for name in every if suffix_of(name) in unread),
            tuple(name for name in every if suffix_of(name) not in unread),
        )

    def problems(self, source: str) -> tuple[str, ...]:
        """A sentence about photographs below ``source`` that nobody will see; none where there is no such one."""
        if not self.photographs:
            return ()
        many = quantity(
            len(self.photographs), "photograph of a kind that cannot be read was left out",
            "photographs of kinds that cannot be read were left out",
        )  # fmt: skip
        return (f"{source}: {many}: {_some(self.photographs)}; {unread_remedies(self.photographs)}",)

    def notes(self, source: str) -> tuple[str, ...]:
        """What a user is told, a sentence each: :meth:`problems`, and the other files' names."""
        warnings = tuple(f"warning: {text}" for text in self.problems(source))
        if not self.others:
            return warnings
        many = quantity(len(self.others), "other file was left out", "other files were left out")
        return (*warnings, f"{source}: {many}: {_some(self.others)}")


def suffix_of(name: str) -> str:
    """The end of a file's name, in small letters, with its dot."""
    return PurePosixPath(name).suffix.lower()


def reads_heic() -> bool:
    """Whether the package that reads HEIC is installed."""
    return find_spec(HEIC_PACKAGE) is not None


def readable_suffixes() -> frozenset[str]:
    """Suffixes of the photographs that can be read here, HEIC among them where its package is installed."""
    return IMAGE_SUFFIXES | HEIC_SUFFIXES if reads_heic() else IMAGE_SUFFIXES


def heic_remedy() -> str:
    """What to do about a HEIC photograph that cannot be read."""
    return f"{remedy(HEIC_PACKAGE)} to read HEIC, or save them as JPEG"


def unread_remedies(names: Sequence[str]) -> str:
    """What to do about photographs of kinds that cannot be read here."""
    suffixes = {suffix_of(name) for name in names}
    texts = [heic_remedy()] if suffixes & HEIC_SUFFIXES else []
    others = sorted(suffixes - HEIC_SUFFIXES)
    texts += [f"save {', '.join(others)} as JPEG or PNG"] if others else []
    return "; ".join(texts)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
