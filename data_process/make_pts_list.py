"""Find the five landmarks of every photograph of a list: what img2tfrecord.py takes as --pts_list."""

from fairface.cli import run
from fairface.programs.make_pts_list import main

if __name__ == "__main__":
    run(main)
