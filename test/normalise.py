"""Fairness without retraining: normalise scores by group or by clusters of embeddings, and judge what changes."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("normalise", "normalise.py")
