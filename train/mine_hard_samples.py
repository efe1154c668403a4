"""List the hard samples of a trained classifier: the records it gets wrong, and all records of their identities."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("mine_hard_samples", "mine_hard_samples.py")
