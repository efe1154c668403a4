"""Tell what a data set of any format holds and what is wrong with it; --check decodes every image."""

from fairface.cli import run
from fairface.programs.inspect_data import main

if __name__ == "__main__":
    run(main)
