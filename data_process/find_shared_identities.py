"""Report identities of a test set that may be in a training set, by similarity of embeddings."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("find_shared_identities", "find_shared_identities.py")
