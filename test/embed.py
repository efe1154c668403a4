"""Embed the photographs of a data set with a trained model and write embeddings.npz."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("embed", "embed.py")
