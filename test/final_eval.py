"""Photographs (or aligned faces) and pairs in; predictions, fairness and verification report out."""

from fairface.cli import run
from fairface.programs.final_eval import main

if __name__ == "__main__":
    run(main)
