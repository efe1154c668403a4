"""Report identities of a test set that may be in a training set, by similarity of embeddings.

Example: python data_process/find_shared_identities.py train.npz test.npz --csv shared.csv
The .npz files are written by test/embed.py, both with the same model.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

from fairface.cli import table
from fairface.console import Console
from fairface.embedding.store import Embeddings, load_embeddings
from fairface.errors import ConfigError, DataError
from fairface.files import atomic_write
from fairface.programs.catalog import options_of
from fairface.programs.scoring_options import check_threshold
from fairface.quantity import agree, quantity
from fairface.scoring.shared_identities import SharedIdentities, shared_identities

COLUMNS = ("test_label", "train_label", "similarity", "test_image", "train_image")


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("shared-identities", prog)
    options.add_argument("train", help="embeddings of the training set (.npz with labels)")
    options.add_argument("test", help="embeddings of the test set, of the same model")
    options.add_argument("--threshold", type=float, help="cosine similarity; default: found from --fmr")
    options.add_argument("--fmr", type=float, default=1e-4, help="share of different identities that may reach it")
    options.add_argument("--top", type=int, default=20, help="pairs to print")
    options.add_argument("--csv", help="write all pairs that reach the threshold to this file")
    args = options.parse_args(argv)
    check_threshold(argv)
    if not 0 < args.fmr < 1:
        raise ConfigError(f"--fmr is {args.fmr}; it must lie between 0 and 1")
    train, test = load_embeddings(args.train), load_embeddings(args.test)
    if train.meta.get("model") != test.meta.get("model"):
        raise DataError(
            f"{args.train} and {args.test} come from different models ({train.meta.get('model')}, "
            f"{test.meta.get('model')}); embed both with one"
        )
    found = shared_identities(train.embeddings, train.labels, test.embeddings, test.labels, args.threshold, args.fmr)
    rows = lines(found, train, test)
    if args.csv:
        with atomic_write(args.csv, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([COLUMNS, *rows[: found.count]])
    pairs = [dict(zip(COLUMNS, row, strict=True)) for row in rows[: args.top]]
    counts = {"shared": found.count, "test_identities": len(rows)}
    Console.of(args).show(
        {"threshold": found.threshold, "expected_by_chance": found.by_chance, **counts, "pairs": pairs},
        f"{table(rows[: args.top], COLUMNS)}\n{found.count} of {quantity(len(rows), 'identity')} of the test set "
        f"{agree(found.count, 'reaches', 'reach')} a similarity of {found.threshold:.3f} to one of the training set; "
        f"about {found.by_chance:.1f} pairs would by chance",
    )


def lines(found: SharedIdentities, train: Embeddings, test: Embeddings) -> list[tuple[int, int, str, str, str]]:
    """One row an identity of the test set, most similar first."""
    return [
        (int(found.second[i]), int(found.first[i]), f"{found.similarity[i]:.4f}",
         test.names[found.best_second[i]], train.names[found.best_first[i]])
        for i in range(len(found.second))
    ]  # fmt: skip
