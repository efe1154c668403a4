"""Changes that training makes to images: mirror, geometry, colours, loss of quality."""

from fairface.data.loading.augment.augmenter import Augmenter, Draws

__all__ = ["Augmenter", "Draws"]
