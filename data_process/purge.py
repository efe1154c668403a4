"""List or remove the embeddings and landmarks that lie below the output folders."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("purge", "purge.py")
