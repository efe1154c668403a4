"""Comparisons from whichever list: plain CSV, the challenge's, BFW's, RFW's folder, LFW's pairs.txt."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairface.comparisons import Comparisons
from fairface.errors import ConfigError
from fairface.protocols.bfw import bfw_comparisons, is_bfw
from fairface.protocols.challenge import challenge_comparisons, is_challenge
from fairface.protocols.csv_table import CsvTable, read_csv_table
from fairface.protocols.pairs import read_lfw_pairs
from fairface.protocols.plain_csv import plain_comparisons
from fairface.protocols.rfw import read_rfw

KINDS = ("auto", "csv", "challenge", "bfw", "rfw", "lfw")


@dataclass(frozen=True)
class OpenedPairs:
    """Comparisons, and the table that they come from where it is a CSV (it may hold scores)."""

    comparisons: Comparisons
    table: CsvTable | None = None


def open_comparisons(
    path: str | os.PathLike[str], kind: str = "auto", allowed: Mapping[str, Sequence[str]] | None = None
) -> OpenedPairs:
    """Read a list of pairs.

    Args:
        path: a file, or the folder of RFW.
        kind: one of ``KINDS``. ``auto``: a folder is RFW's; a CSV is told by its columns; anything else is LFW's.
        allowed: the only values that attributes in columns of a plain CSV may have.

    Raises:
        ConfigError: another kind.
        DataError: what the reader of that kind refuses.
    """
    if kind not in KINDS:
        raise ConfigError(f"pair lists of kind {kind!r} are not known; choose {', '.join(KINDS)}")
    if kind == "rfw" or (kind == "auto" and Path(path).is_dir()):
        return OpenedPairs(read_rfw(path))
    if kind == "lfw" or (kind == "auto" and Path(path).suffix.lower() != ".csv"):
        return OpenedPairs(read_lfw_pairs(path))
    table = read_csv_table(path)
    if kind == "bfw" or (kind == "auto" and is_bfw(table)):
        return OpenedPairs(bfw_comparisons(table), table)
    if kind == "challenge" or (kind == "auto" and is_challenge(table)):
        return OpenedPairs(challenge_comparisons(table), table)
    return OpenedPairs(plain_comparisons(table, allowed=allowed), table)
