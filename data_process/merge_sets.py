"""Merge data sets of any formats (.rec, TFRecords, folders, lists) to one train.rec."""

from fairface.cli import run
from fairface.programs.merge_sets import main

if __name__ == "__main__":
    run(main)
