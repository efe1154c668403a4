"""Staged finetuning: steps, the most discriminated group, hard samples."""
