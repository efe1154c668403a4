"""Join several folders of identities to one, such as references and variants of the same people, by links or copies."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("compound_multiple_datasets", "compound_multiple_datasets.py")
