"""Compare two runs on the same pairs: side by side, with intervals of their differences."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("compare_runs", "compare_runs.py")
