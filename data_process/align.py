"""Find the main face of every photograph of a folder and write it aligned, with its landmarks in a table."""

from fairface.cli import run
from fairface.programs.align import main

if __name__ == "__main__":
    run(main)
