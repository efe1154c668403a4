"""Embed the photographs of a data set with a trained model and write embeddings.npz."""

from fairface.cli import run
from fairface.programs.embed import main

if __name__ == "__main__":
    run(main)
