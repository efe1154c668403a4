"""What an evaluation starts from: photographs or aligned faces, and what tells who is really who. No MXNet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fairface.errors import ConfigError
from fairface.faces.layouts import ARCFACE, DLIB, SIZES
from fairface.hardware import usable_cores


@dataclass(frozen=True)
class PhotoSource:
    """Whose faces are compared with whose.

    Attributes:
        photos: folder of photographs, to be aligned; or
        aligned: folder of aligned faces, used as they are.
        failures: names on which detection failed, one a line; for ``aligned``, where failures.txt is looked for.
        template: CSV of pairs; without one all pairs are compared.
    """

    photos: str = ""
    aligned: str = ""
    failures: str = ""
    template: str = ""

    def __post_init__(self) -> None:
        if bool(self.photos) == bool(self.aligned):
            raise ConfigError("give a folder of photographs or a folder of aligned faces, not both")
        if self.photos and self.failures:
            raise ConfigError("alignment of photographs finds the failures itself; give a list with aligned faces only")

    @property
    def folder(self) -> str:
        """Where the images are."""
        return self.photos or self.aligned


@dataclass(frozen=True)
class Cropping:
    """How photographs are aligned: what :class:`fairface.faces.folder_worker.AlignConfig` says; ``detector`` as
    :func:`fairface.faces.detectors.named_detectors` reads it, "" for MTCNN."""

    size: int = 112
    enlarge: float = 1.0
    border: int = 0
    detector: str = ""
    jobs: int = field(default_factory=usable_cores)
    layout: str = ARCFACE

    def for_models(self, layouts: Iterable[str]) -> Cropping:
        """The same, with crops of the size and layout of dlib's net where all the models take that."""
        return replace(self, size=SIZES[DLIB], layout=DLIB) if set(layouts) == {DLIB} else self


@dataclass(frozen=True)
class TruthSource:
    """Where the truth comes from.

    Attributes:
        truth: a list of pairs with 1 (one subject) or 0; "" where who is shown says it.
        attributes: CSV with a row for each image.
        image_column: its column with the image's id; "" finds it.
        subjects_from: who is shown: ``names``, or a column of ``attributes``; "" for what ``truth`` says.
        allowed: the only values that an attribute may have.
        wanted: attributes that are used.
    """

    truth: str = ""
    attributes: str = ""
    image_column: str = ""
    subjects_from: str = ""
    allowed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    wanted: Sequence[str] = ()

    @property
    def known(self) -> bool:
        """Whether there is a truth at all."""
        return bool(self.truth or self.subjects_from)

    def __post_init__(self) -> None:
        if self.wanted and not self.known:
            raise ConfigError("attributes need a truth; give a truth file, or name the subjects")
        if self.wanted and not self.attributes:
            raise ConfigError(f"{', '.join(self.wanted)}: unknown for all images; give a file of attributes")
        if self.subjects_from not in ("", "names") and not self.attributes:
            raise ConfigError(f"subjects cannot come from {self.subjects_from!r} without a file of attributes")
