"""Pack photographs into TFRecords with an index, as TFace's tool does; with --pts_list they are aligned first."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("img2tfrecord", "img2tfrecord.py")
