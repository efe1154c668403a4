"""Prepare the embedded data set: fetch the ORL photographs, align them, pack them by split. Does nothing twice."""

from fairface.cli import run
from fairface.programs.prepare_orl import main

if __name__ == "__main__":
    run(main)
