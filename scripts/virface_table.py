"""One table of several runs' test results: scripts/virface_table.py models/virface_pretrain models/virface_virface"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's fairface, installed or not

from fairface.cli import parser, run, table
from fairface.errors import DataError


def main(argv: Sequence[str]) -> None:
    options = parser("Print the test results of several runs as one table.")
    options.add_argument("runs", nargs="+", help="runs' folders, with metrics.json")
    args = options.parse_args(argv)
    results = {Path(folder).name: read(Path(folder)) for folder in args.runs}
    rates = list(next(iter(results.values()))["tar"])
    rows = [row(name, metrics, rates) for name, metrics in results.items()]
    print(table(rows, ["model", "AUC", "EER", *(f"TAR at FMR {rate}" for rate in rates)]))
    first = next(iter(results.values()))
    print(f"{first['genuine']} genuine and {first['impostor']} impostor comparisons of {first['subjects']} subjects; "
          "[95 % confidence interval over subjects]")  # fmt: skip


def read(folder: Path) -> dict[str, Any]:
    """A run's test results.

    Raises:
        DataError: there are none, or they cannot be read.
    """
    try:
        metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{folder}: has no results of a test ({error}); train it with test.sets=[…]") from error
    return metrics


def row(name: str, metrics: dict[str, Any], rates: Sequence[str]) -> list[str]:
    """A run's numbers, with intervals where there are some."""

    def shown(value: float | None, key: str) -> str:
        if value is None:
            return "n/a"
        interval = metrics["intervals"].get(key)
        return f"{value:.3f}" + (f" [{interval['low']:.3f}, {interval['high']:.3f}]" if interval else "")

    tar = [shown(metrics["tar"].get(rate), f"tar@{rate}") for rate in rates]
    return [name, shown(metrics["auc"], "auc"), shown(metrics["eer"], ""), *tar]


if __name__ == "__main__":
    run(main)
