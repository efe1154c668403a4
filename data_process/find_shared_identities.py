"""Report people of a test set who may be in a training set, by likeness of embeddings."""

from fairface.cli import run
from fairface.programs.find_shared_identities import main

if __name__ == "__main__":
    run(main)
