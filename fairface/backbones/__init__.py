"""Image to embedding, one file per family."""
