"""Write a model as an ONNX file that other programs load, in a folder with all that they need to use it."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not
    from fairface.programs.start import start

    start("export_onnx", "export_onnx.py")
