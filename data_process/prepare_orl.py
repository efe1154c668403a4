"""Prepare the embedded data set: fetch the ORL photographs, align them, pack them by split. Does nothing twice."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("prepare_orl", "prepare_orl.py")
