"""Everything that decides how one mask looks on one face, drawn at random or read from a log."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairface.errors import ConfigError, DataError
from fairface.faces.masks.styles import STYLES, Colour, Style, chosen_styles
from fairface.faces.masks.template import VARIANTS
from fairface.faces.masks.textures import TEXTURE_STYLE, Textures

POSITIONS = ("normal", "nose_out", "chin")
_REMEDY = "use a log as add_masks.py wrote it"
_LEAST = 0.1
_DIGITS = 4  # of the numbers that are kept: what is written to a log is what was drawn


@dataclass(frozen=True)
class MaskParameters:
    """One mask. Lengths are in face heights (:mod:`fairface.faces.masks.pose`), angles in radians.

    Attributes:
        style: a name of :data:`~fairface.faces.masks.styles.STYLES`, or ``texture``.
        texture: the file that it shows, where the style is ``texture``.
        position: ``normal``, ``nose_out`` (below the nose's tip) or ``chin`` (below the mouth).
        variant: which of the style's templates.
        colour, second, trim, cord: RGB of fabric, of its pattern, of hem or valve, of what holds it.
        top, dip, below, lift, angle, depth: as in :class:`~fairface.faces.masks.styles.Fit`.
        wide: half width of the face that it is made for, as a share of an average one's.
        aside: how far it is moved to the right, as a share of half its width.
        tilt: how far it is turned.
        bright: factor of its brightness.
        round: how strongly light and shade show its curve, 0 to 1.
        blur: deviation in pixels of a crop of 112.
        grain: deviation of the noise, of 255.
        noise: where in the table of noise it begins.
    """

    style: str
    texture: str
    position: str
    variant: int
    colour: Colour
    second: Colour
    trim: Colour
    cord: Colour
    top: float
    dip: float
    below: float
    lift: float
    angle: float
    depth: float
    wide: float
    aside: float
    tilt: float
    bright: float
    round: float
    blur: float
    grain: float
    noise: int


@dataclass(frozen=True)
class MaskChoice:
    """What masks are drawn from.

    Attributes:
        styles: names of :data:`~fairface.faces.masks.styles.STYLES`; empty = all.
        nose_out: share of masks worn below the nose.
        chin: share of masks worn below the mouth.
        textures: pictures of the user's; each is drawn as often as a style.

    Raises:
        ConfigError: a style that does not exist or is named twice, or shares that are none.
    """

    styles: tuple[str, ...] = ()
    nose_out: float = 0.06
    chin: float = 0.03
    textures: Textures = dataclasses.field(default_factory=Textures)

    def __post_init__(self) -> None:
        chosen_styles(self.styles)
        if min(self.nose_out, self.chin) < 0 or self.nose_out + self.chin > 1:
            raise ConfigError(
                f"nose_out is {self.nose_out} and chin is {self.chin}; give shares from 0 to 1 that add up to 1 at most"
            )

    def draw(self, rng: np.random.Generator) -> MaskParameters:
        """One mask of any of the styles and textures, each as likely as another."""
        kinds = self.kinds
        style, picture = kinds[int(rng.integers(len(kinds)))]
        return self.draw_as(rng, style, picture)

    @property
    def kinds(self) -> list[tuple[Style, str]]:
        """Every style with no texture, then every texture."""
        pictures = [(TEXTURE_STYLE, name) for name in self.textures.names]
        return [*((style, "") for style in chosen_styles(self.styles)), *pictures]

    def draw_as(self, rng: np.random.Generator, style: Style, picture: str = "") -> MaskParameters:
        """One mask of this style, worn as the shares say."""
        share = rng.random()
        position = "chin" if share < self.chin else "nose_out" if share < self.chin + self.nose_out else "normal"
        return draw_parameters(rng, style, position, picture)


def draw_parameters(
    rng: np.random.Generator, style: Style, position: str = "normal", texture: str = ""
) -> MaskParameters:
    """A mask of this style and position; colours, place, size, shape, light and grain are drawn."""
    fit, around = style.fit, rng.normal(size=11).clip(-2, 2)
    top = fit.top + 0.035 * around[0]
    dip = fit.dip + 0.03 * around[1]
    if position != "normal":
        top, dip = (0.72 if position == "nose_out" else 1.12) + 0.05 * around[0], 0.03 + 0.015 * around[1]
    kept: dict[str, Any] = {
        "top": top, "dip": max(dip, 0.0), "below": fit.below + 0.05 * around[2],
        "lift": 0.1 if position == "chin" else max(fit.lift + 0.06 * around[3], 0.05),
        "angle": fit.angle + 0.06 * around[4], "depth": fit.depth + 0.04 * around[5], "wide": 1 + 0.035 * around[10],
        "aside": 0.025 * around[6], "tilt": 0.025 * around[7], "bright": 1 + 0.06 * around[8],
        "round": 0.75 + 0.15 * around[9], "blur": rng.uniform(0.35, 1.0), "grain": rng.uniform(0.0, 1.8),
    }  # fmt: skip
    kept = {name: round(float(value), _DIGITS) for name, value in kept.items()}
    for name, among in (("colour", style.colours), ("second", style.trim), ("trim", style.trim), ("cord", style.cords)):
        kept[name] = _colour(rng, among, style.spread)
    kept["variant"], kept["noise"] = int(rng.integers(VARIANTS)), int(rng.integers(1 << 16))
    return MaskParameters(style=style.name, texture=texture, position=position, **kept)


def _colour(rng: np.random.Generator, among: Sequence[Colour], spread: int) -> Colour:
    base = np.array(among[int(rng.integers(len(among)))]) + rng.uniform(-spread, spread) / 2
    red, green, blue = np.clip(np.rint(base + rng.uniform(-spread, spread, 3) / 2), 0, 255).astype(int).tolist()
    return red, green, blue


def to_dict(parameters: MaskParameters) -> dict[str, Any]:
    """The parameters as JSON holds them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(parameters).items()
    }


def from_dict(values: Mapping[str, Any], where: str) -> MaskParameters:
    """The parameters of :func:`to_dict`; errors begin with ``where``.

    Raises:
        DataError: a value is missing, unknown, or of another kind or range.
    """
    fields = {field.name: field.type for field in dataclasses.fields(MaskParameters)}
    if not isinstance(values, Mapping) or set(values) != set(fields):
        raise DataError(f"{where}: these are not the parameters of a mask; {_REMEDY}")
    checks = {"str": _is_text, "int": _is_whole, "float": _is_number, "Colour": _is_colour}
    for name, kind in fields.items():
        if not checks[str(kind)](values[name]):
            raise DataError(f"{where}: {name} is {values[name]!r}; {_REMEDY}")
    if values["style"] not in (*STYLES, TEXTURE_STYLE.name) or values["position"] not in POSITIONS:
        raise DataError(
            f"{where}: there is no mask style {values['style']!r} in position {values['position']!r}; "
            f"the styles are: {', '.join(STYLES)}"
        )
    if min(values["angle"], values["depth"], values["wide"]) < _LEAST:
        raise DataError(f"{where}: angle, depth and wide must be {_LEAST} or more; {_REMEDY}")
    known: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return MaskParameters(**known)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 16


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -4 <= value <= 4


def _is_colour(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(_is_whole(part) and part <= 255 for part in value)
