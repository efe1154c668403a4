"""List the hard samples of a trained classifier: the records it gets wrong, and all records of their people."""

from fairface.cli import run
from fairface.programs.mine_hard_samples import main

if __name__ == "__main__":
    run(main)
