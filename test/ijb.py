"""Score IJB-B or IJB-C, 1:1 and 1:N, with a model or with features that any framework made."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("ijb", "ijb.py")
