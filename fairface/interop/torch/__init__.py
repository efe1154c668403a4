"""PyTorch checkpoints of documented systems, read without PyTorch."""
