"""Write images of TFRecords as files; no file overwrites another."""

from fairface.cli import run
from fairface.programs.decode import main

if __name__ == "__main__":
    run(main)
