"""Pack photographs into train.rec, train.idx and property, insightface's layout of training data."""

from fairface.cli import run
from fairface.programs.face2rec2 import main

if __name__ == "__main__":
    run(main)
