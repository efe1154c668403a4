"""Make an insightface verification set (.bin) from a list of pairs and the photographs that it names."""

from fairface.cli import run
from fairface.programs.make_bin import main

if __name__ == "__main__":
    run(main)
