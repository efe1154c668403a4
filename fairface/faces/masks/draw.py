"""Put a mask on a face: the one function that the rest of the package serves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.faces.masks.cords import draw_cords
from fairface.faces.masks.light import Light, light_on
from fairface.faces.masks.parameters import MaskChoice, MaskParameters
from fairface.faces.masks.pose import MaskRefusedError, Pose, Reason, five_of, pose_of
from fairface.faces.masks.surface import Surface, surface_of
from fairface.faces.masks.template import ALPHA, LEVEL, PATTERN, RELIEF, TRIM, WIDTHS, template
from fairface.faces.masks.textures import TEXTURE_STYLE, Textures

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
_CROP_HEIGHT = 40.6  # pixels from eyes to mouth in a crop of 112, by which blur is measured
_SHARPEST = 0.3  # deviation of a blur that is not worth its time
_DENSE = 0.85  # coverage of a cord
_FAINTEST = 0.02  # what covers less of a pixel leaves it as it is
_NOISE_SIDE = 256
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Masked:
    """A face with a mask.

    Attributes:
        image: ``(H, W, 3)`` uint8 RGB; where ``region`` is False, the original's pixels.
        region: ``(H, W)`` bool: fabric, cords and the shadow below them.
        style: the mask's.
        nose_height_fraction: how far down the image the nose's tip is, 0 to 1.
        parameters: from which the same mask can be drawn again.
    """

    image: Image
    region: NDArray[np.bool_]
    style: str
    nose_height_fraction: float
    parameters: MaskParameters


def nose_height(points: ArrayLike, height: int) -> float:
    """How far down an image of ``height`` rows the nose's tip is, 0 to 1.

    It is s in Latent Part Detection (Ding et al., ACM MM 2020).

    Raises:
        MaskRefusedError: the landmarks are not 5 or 68 finite pairs.
    """
    return float(five_of(points)[2, 1]) / height


def draw_mask(image: Image, points: ArrayLike, mask: MaskChoice | MaskParameters | str, seed: int = 0,
              textures: Textures | None = None) -> Masked:  # fmt: skip
    """Put a mask on the face with landmarks ``points``.

    Args:
        image: ``(H, W, 3)`` uint8 RGB, any size, aligned or not; it is not changed.
        points: ``(5, 2)`` pixels: eyes, nose, mouth corners, left first as seen; or the 68 of iBUG's scheme.
        mask: a style's name, what to draw from, or everything that was drawn before.
        seed: decides what is drawn; the same seed and image give the same bytes. Parameters need none.
        textures: the pictures that parameters of the style ``texture`` name; a choice brings its own.

    Raises:
        MaskRefusedError: no mask can be placed on this face (:func:`fairface.faces.masks.pose.pose_of`).
        ConfigError: there is no such style.
    """
    choice = MaskChoice((mask,), nose_out=0, chin=0) if isinstance(mask, str) else mask
    if isinstance(choice, MaskChoice):
        parameters, pictures = choice.draw(np.random.default_rng(seed)), choice.textures
    else:
        parameters, pictures = choice, textures or Textures()
    height, width = image.shape[:2]
    pose = pose_of(points, (height, width))
    result = image.copy()
    region = np.zeros((height, width), np.bool_)
    _paint(result, region, pose, parameters, pictures)
    return Masked(result, region, parameters.style, nose_height(points, height), parameters)


def _paint(result: Image, region: NDArray[np.bool_], pose: Pose, mask: MaskParameters, textures: Textures) -> None:
    """Change ``result`` and tell in ``region`` where."""
    surface = surface_of(pose, mask, (result.shape[0], result.shape[1]))
    if surface is None:
        raise MaskRefusedError("the mask would lie outside the image; use an image of the whole face", Reason.OUTSIDE)
    rows = slice(surface.top, surface.top + surface.u.shape[0])
    columns = slice(surface.left, surface.left + surface.u.shape[1])
    part: NDArray[Any] = result[rows, columns]
    layers, picture = _layers(pose, mask, surface, textures)
    alpha: NDArray[Any] = layers[..., ALPHA] * surface.coverage * np.float32(1 / 255)
    light = light_on(part, alpha, result)
    factor = _shade(mask, layers[..., RELIEF], surface, light) * alpha
    fabric: NDArray[Any] = cv2.multiply(_fabric(mask, layers, picture, light), cv2.merge([factor, factor, factor]))
    sigma = mask.blur * pose.height / _CROP_HEIGHT
    if sigma > _SHARPEST:
        fabric, alpha = cv2.GaussianBlur(fabric, (0, 0), sigma), cv2.GaussianBlur(alpha, (0, 0), sigma)
    if mask.grain:
        fabric = cv2.add(fabric, cv2.merge([mask.grain * alpha * _noise(mask.noise, alpha.shape)] * 3))
    cords = draw_cords(pose, mask, surface).astype(np.float32) * np.float32(_DENSE / 255)
    shadow = _shadow(np.maximum(alpha, cords), pose.height)
    kept = (1 - shadow) * (1 - alpha)
    ground = cv2.multiply(part, cv2.merge([kept, kept, kept]), dtype=cv2.CV_32F)
    held = cords.nonzero()
    share = (cords * (1 - alpha))[held][:, None]
    ground[held] += share * (light.on(mask.cord) * np.float32(light.level) - ground[held])
    touched = np.maximum(np.maximum(alpha, cords), shadow) > _FAINTEST
    cv2.copyTo(cv2.convertScaleAbs(cv2.add(ground, fabric)), touched.view(np.uint8), part)
    region[rows, columns] = touched


def _layers(pose: Pose, mask: MaskParameters, surface: Surface, textures: Textures) -> tuple[Floats, Floats | None]:
    """The template's layers ``(h, w, 4)`` where each pixel shows it, and the colours of a picture."""
    needed = 2.4 * pose.height  # pixels that a whole mask takes across
    width = next((width for width in WIDTHS if width >= needed), WIDTHS[-1])
    maps = surface.maps(width)
    if mask.style == TEXTURE_STYLE.name:
        colours, layers = textures.layers(mask.texture, width)
        picture = cv2.remap(colours, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    else:
        layers, picture = template(mask.style, mask.variant, width), None
    seen = cv2.remap(layers, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, LEVEL, 0, 0))
    return seen.astype(np.float32), picture


def _fabric(mask: MaskParameters, layers: Floats, picture: Floats | None, light: Light) -> Floats:
    """Colours ``(h, w, 3)`` of the fabric, not yet shaded."""
    if picture is not None:
        grey = np.tile(_LUMA, (3, 1))
        return cv2.transform(picture, grey if light.grey else np.diag(light.cast))  # type: ignore[return-value]
    base, second, trim = (light.on(colour) for colour in (mask.colour, mask.second, mask.trim))
    mix = np.zeros((3, 5))
    mix[:, PATTERN], mix[:, TRIM], mix[:, 4] = (second - base) / 255, (trim - base) / 255, base
    return cv2.transform(layers, mix)  # type: ignore[return-value]


def _shade(mask: MaskParameters, relief: Floats, surface: Surface, light: Light) -> Floats:
    """Factor ``(h, w)`` of the colours: folds, the curve of the surface, the light on the face."""
    turned, strength = surface.sideways, mask.round
    facing = np.sqrt(1 - turned * turned)
    below = surface.y - np.float32(0.75)  # the lower half faces the ground
    curve = np.float32(0.38 * strength) * facing + np.float32(1.2 * strength * light.across) * turned
    curve -= np.float32(strength) * below * (np.float32(0.32) * np.abs(below) + np.float32(0.06))
    curve += np.float32(1 - 0.38 * strength)
    across = np.linspace(-0.6 * light.across, 0.6 * light.across, relief.shape[1], dtype=np.float32)
    down = np.linspace(1 - light.down, 1 + light.down, relief.shape[0], dtype=np.float32)
    curve *= across[None, :] + down[:, None]
    return np.asarray(curve * relief * np.float32(mask.bright * light.level / LEVEL), np.float32)


def _shadow(cover: Floats, height: float) -> Floats:
    """How much of the light is kept from the skin beside the mask: a soft shadow, a little below what casts it."""
    sigma, move = 0.045 * height, 0.03 * height
    moved = cv2.warpAffine(cover, np.array([[1, 0, 0.3 * move], [0, 1, move]]), cover.shape[::-1])
    return np.asarray(0.34 * cv2.GaussianBlur(moved, (0, 0), sigma), np.float32)


@lru_cache(maxsize=1)
def _noise_table() -> Floats:
    white = np.random.default_rng(0).standard_normal((2 * _NOISE_SIDE, 2 * _NOISE_SIDE)).astype(np.float32)
    soft = cv2.GaussianBlur(white, (0, 0), 0.7)  # as a camera and a JPEG leave it
    return np.asarray(soft / soft.std(), np.float32)


def _noise(start: int, shape: tuple[int, ...]) -> Floats:
    """Noise of deviation 1, ``shape``, from ``start`` in the table on; a large mask meets the same noise again."""
    top, left = divmod(start, _NOISE_SIDE)
    table = _noise_table()[top : top + _NOISE_SIDE, left : left + _NOISE_SIDE]
    if max(shape) > _NOISE_SIDE:
        table = np.tile(table, [-(-side // _NOISE_SIDE) for side in shape])
    return table[: shape[0], : shape[1]]
