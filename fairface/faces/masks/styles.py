"""The kinds of masks: what each is made of, its shape, its colours and how it is worn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairface.errors import ConfigError

Colour = tuple[int, int, int]
WHITE: Colour = (234, 236, 238)
CORDS, STRAPS = "cords", "straps"


@dataclass(frozen=True)
class Fit:
    """How a mask lies on a face: each value the middle of what is drawn, in face heights (:mod:`.pose`) or radians.

    Attributes:
        top: y of its upper edge on the bridge of the nose.
        dip: how much lower that edge lies on the cheeks.
        below: how far its lower edge reaches below the chin.
        lift: how much higher that edge lies at the sides.
        angle: of its sides from the middle of the face, about the axis from ear to ear.
        depth: how far it stands out before that axis.
    """

    top: float = 0.26
    dip: float = 0.13
    below: float = 0.08
    lift: float = 0.34
    angle: float = 1.28
    depth: float = 1.28


@dataclass(frozen=True)
class Style:
    """A kind of mask.

    Attributes:
        name: how it is asked for.
        shape: its outline and folds, a name of :data:`fairface.faces.masks.template.SHAPES`.
        colours: of the fabric; one is drawn.
        trim: of hem or valve, likewise.
        patterns: of the fabric, names of :data:`fairface.faces.masks.fabric.PATTERNS`.
        fit: how it lies on the face.
        held: by ``cords`` behind the ears or ``straps`` around the head.
        cords: their colours.
        spread: how much each colour channel varies, of 255.
    """

    name: str
    shape: str
    colours: tuple[Colour, ...]
    trim: tuple[Colour, ...] = (WHITE,)
    patterns: tuple[str, ...] = ("plain",)
    fit: Fit = Fit()
    held: str = CORDS
    cords: tuple[Colour, ...] = (WHITE,)
    spread: int = 10


_CUP = Fit(top=0.22, dip=0.15, below=0.04, lift=0.30, angle=1.14, depth=1.48)
_FOLDED = Fit(top=0.22, dip=0.13, below=0.07, lift=0.22, angle=1.22, depth=1.42)
_SOFT = Fit(top=0.26, dip=0.12, below=0.07, lift=0.22, angle=1.28, depth=1.26)
_CLOTH = ((176, 52, 58), (46, 66, 120), (60, 110, 84), (214, 190, 150), (120, 86, 140), (220, 140, 150), (90, 92, 96),
          (238, 226, 204), (34, 40, 60), (200, 110, 50), (96, 150, 180), (232, 200, 90))  # fmt: skip
_BLACK = ((26, 26, 29), (36, 37, 41), (20, 21, 26))

STYLES: Mapping[str, Style] = {style.name: style for style in (
    Style("surgical_blue", "pleated",
          ((128, 170, 204), (118, 164, 202), (156, 188, 210), (140, 186, 200), (172, 198, 214))),
    Style("surgical_white", "pleated", ((226, 229, 232), (232, 230, 226))),
    Style("surgical_green", "pleated", ((142, 184, 168), (158, 198, 182), (122, 168, 154))),
    Style("n95", "cup", ((232, 231, 226), (226, 222, 210), (168, 190, 172)), ((206, 206, 200),), fit=_CUP, held=STRAPS,
          cords=((214, 198, 140), WHITE, (226, 224, 216), (190, 128, 84)), spread=6),
    Style("kn95", "folded", ((233, 234, 236), (228, 230, 234), (60, 62, 66)), ((214, 216, 220),),
          fit=_FOLDED, spread=6),
    Style("kn95_valve", "valve", ((233, 234, 236), (226, 228, 230), (128, 132, 136)),
          ((196, 198, 202), (216, 218, 222), (90, 92, 96)), fit=_FOLDED, spread=6),
    Style("cloth", "soft", _CLOTH, _CLOTH, ("plain", "plain", "checks", "stripes", "dots", "flowers", "melange"),
          _SOFT, cords=(WHITE, (40, 40, 44), (90, 92, 96)), spread=22),
    Style("activated_carbon", "pleated", ((122, 126, 130), (104, 108, 114), (140, 142, 144)), ((168, 170, 172), WHITE),
          ("melange",), cords=(WHITE, (150, 152, 154)), spread=8),
    Style("black", "soft", _BLACK, _BLACK, fit=_SOFT, cords=_BLACK, spread=6),
    Style("black_pleated", "pleated", _BLACK, ((44, 45, 48), (24, 24, 27)), cords=_BLACK, spread=6),
)}  # fmt: skip


def chosen_styles(names: Sequence[str] = ()) -> tuple[Style, ...]:
    """The styles of these names; all where none are given.

    Raises:
        ConfigError: a style that does not exist, or one named twice.
    """
    for name in names:
        if name not in STYLES:
            raise ConfigError(f"there is no mask style {name!r}; the styles are: {', '.join(STYLES)}")
    if len(set(names)) < len(names):
        raise ConfigError(f"the mask styles {', '.join(names)} name one twice; name each once")
    return tuple(STYLES[name] for name in names) if names else tuple(STYLES.values())
