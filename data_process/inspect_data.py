"""Show the contents and the problems of a data set of any format; --check decodes every image."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("inspect_data", "inspect_data.py")
