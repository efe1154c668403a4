"""Masks drawn on faces: styles, geometry that follows the head, light and shade; offline and in the loader.

>>> import numpy as np
>>> from fairface.faces.align import template
>>> from fairface.faces.masks import draw_mask
>>> masked = draw_mask(np.full((112, 112, 3), 150, np.uint8), template(112), "n95", seed=3)
>>> masked.style, round(masked.nose_height_fraction, 2)
('n95', 0.64)
"""

from fairface.faces.masks.draw import Masked, draw_mask
from fairface.faces.masks.parameters import MaskChoice, MaskParameters
from fairface.faces.masks.pose import MaskRefusedError, Reason
from fairface.faces.masks.styles import STYLES

__all__ = ["STYLES", "MaskChoice", "MaskParameters", "MaskRefusedError", "Masked", "Reason", "draw_mask"]
