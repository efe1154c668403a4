"""Join a list of labels with the index of TFRecords to an index for training."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("convert_new_index", "convert_new_index.py")
