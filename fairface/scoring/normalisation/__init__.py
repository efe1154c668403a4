"""Fairness without retraining: scores are normalised by group, or by clusters of embeddings, on calibration people."""
