"""Write a model as an MXNet model that other programs load: prefix-symbol.json and prefix-0000.params."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("export_model", "export_model.py")
