"""Make an insightface verification set (.bin) from a list of pairs and the photographs that it names."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("make_bin", "make_bin.py")
