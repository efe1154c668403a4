"""Pack photographs into TFRecords with an index, as TFace's tool does; with --pts_list they are aligned first."""

from fairface.cli import run
from fairface.programs.img2tfrecord import main

if __name__ == "__main__":
    run(main)
