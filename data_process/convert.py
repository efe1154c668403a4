"""Unpack insightface's files: train.rec to a folder of images, .bin verification sets to memory files."""

from fairface.cli import run
from fairface.programs.convert import main

if __name__ == "__main__":
    run(main)
