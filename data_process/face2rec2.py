"""Pack photographs into train.rec, train.idx and property, insightface's layout of training data."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("face2rec2", "face2rec2.py")
