"""Score one-to-one verification: .bin sets or pair lists with a model, or embeddings that exist already."""

from fairface.cli import run
from fairface.programs.verification import main

if __name__ == "__main__":
    run(main)
