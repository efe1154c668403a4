"""Changes that training makes to images: mirror, geometry, colours, loss of quality."""

from fairface.data.loading.augment.augmenter import Augmenter, BatchAugmentation

__all__ = ["Augmenter", "BatchAugmentation"]
