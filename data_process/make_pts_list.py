"""Find the five landmarks of every photograph of a list: what img2tfrecord.py takes as --pts_list."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("make_pts_list", "make_pts_list.py")
