"""Write a model as an MXNet model that other programs load: prefix-symbol.json and prefix-0000.params."""

from fairface.cli import run
from fairface.programs.export_model import main

if __name__ == "__main__":
    run(main)
