"""Score retrieval: every query ranks a gallery, with a model or with stored embeddings."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("retrieval", "retrieval.py")
