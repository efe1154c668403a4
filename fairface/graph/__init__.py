"""A net as a graph: exported, read back, made ready for fast inference."""
