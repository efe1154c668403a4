"""Score fairness: error rates by group at one shared threshold, with intervals."""

from fairface.cli import run
from fairface.programs.fairness import main

if __name__ == "__main__":
    run(main)
