"""Join a list of labels with the index of TFRecords to an index for training."""

from fairface.cli import run
from fairface.programs.convert_new_index import main

if __name__ == "__main__":
    run(main)
