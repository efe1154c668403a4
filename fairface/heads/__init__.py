"""Embedding and label to logits, one file per head."""
