"""Images to embeddings: engines, and how embeddings lie on disk."""
