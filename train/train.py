"""Train a model from a configuration."""

from fairface.cli import run
from fairface.programs.train import main

if __name__ == "__main__":
    run(main)
