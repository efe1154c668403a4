"""Finetune a trained model in steps: the classifier, all layers, the most discriminated group."""

from fairface.cli import run
from fairface.programs.finetune import main

if __name__ == "__main__":
    run(main)
