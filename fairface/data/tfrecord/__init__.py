"""TFRecord shards with an index, as UFace and TFace lay them out."""
