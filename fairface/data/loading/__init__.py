"""From data sets to batches: samplers, augmentation, the loader."""
