"""Comparisons from whichever list: plain CSV, the challenge's, BFW's, RFW's folder, LFW's pairs.txt, bare paths, and
the lists of masked faces."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairface.comparisons import Comparisons
from fairface.data.table import CsvTable, fields_of, read_csv_table, read_text
from fairface.errors import ConfigError
from fairface.protocols.bfw import bfw_comparisons, is_bfw
from fairface.protocols.cfp import is_cfp, read_cfp
from fairface.protocols.challenge import challenge_comparisons, is_challenge
from fairface.protocols.columns import ROLES
from fairface.protocols.lfw import is_lfw_csv, is_lfw_pairs, read_lfw_pairs
from fairface.protocols.masked_to_unmasked import is_masked_to_unmasked, read_masked_to_unmasked
from fairface.protocols.mfr2 import is_mfr2, read_mfr2
from fairface.protocols.mlfw import is_mlfw_line, read_mlfw
from fairface.protocols.pair_attributes import attributes_of_pairs
from fairface.protocols.path_pairs import is_path_pairs, read_path_pairs
from fairface.protocols.pku_masked import is_pku_line, read_pku_masked
from fairface.protocols.plain_csv import plain_comparisons
from fairface.protocols.rfw import PHOTOGRAPHS, read_rfw
from fairface.protocols.rmfrd import read_rmfrd

KINDS = ("auto", "csv", "challenge", "bfw", "rfw", "lfw", "cfp", "paths", "mfr2", "mlfw", "pku", "rmfrd", "mfr")
TABLES = (".csv", ".tsv")
_NO_TABLES: Mapping[str, Callable[[str | os.PathLike[str]], Comparisons]] = {
    "rfw": read_rfw, "lfw": read_lfw_pairs, "cfp": read_cfp, "paths": read_path_pairs, "mfr2": read_mfr2,
    "mlfw": read_mlfw, "pku": read_pku_masked, "rmfrd": read_rmfrd, "mfr": read_masked_to_unmasked,
}  # fmt: skip


@dataclass(frozen=True)
class OpenedPairs:
    """Comparisons, and the table that they come from where it is one (it may hold scores)."""

    comparisons: Comparisons
    table: CsvTable | None = None


def open_comparisons(
    path: str | os.PathLike[str],
    kind: str = "auto",
    allowed: Mapping[str, Sequence[str]] | None = None,
    columns: Mapping[str, str] | None = None,
    wanted: Sequence[str] = (),
) -> OpenedPairs:
    """Read a list of pairs.

    Args:
        path: a file, or the folder of RFW or of masked and unmasked images.
        kind: one of ``KINDS``; ``auto`` tells it by what the list looks like.
        allowed: the only values that attributes in columns of a plain CSV may have.
        columns: for ``image_a``, ``same`` and other roles (:data:`fairface.protocols.columns.ROLES`) the column that
            plays it; the list is then a plain CSV.
        wanted: attributes that will be used; for these columns ``sex1`` and ``sex2`` of a table are understood, besides
            ``sex_a`` and ``sex_b``.

    Raises:
        ConfigError: another kind or role.
        DataError: what the reader of that kind refuses.
    """
    if kind not in KINDS:
        raise ConfigError(f"the kind {kind!r} of a pair list is unknown; choose {', '.join(KINDS)}")
    for role in (columns or {}).keys() - set(ROLES):
        raise ConfigError(f"the role {role!r} of a column is unknown; choose {', '.join(ROLES)}")
    chosen = _kind_of(Path(path), bool(columns)) if kind == "auto" else kind
    if chosen in _NO_TABLES:
        return OpenedPairs(_NO_TABLES[chosen](path))
    table = read_csv_table(path).renamed(columns or {})
    if chosen == "bfw" or (kind == "auto" and not columns and is_bfw(table)):
        return OpenedPairs(bfw_comparisons(table), table)
    if chosen == "challenge" or (kind == "auto" and not columns and is_challenge(table)):
        comparisons = challenge_comparisons(table)
        return OpenedPairs(attributes_of_pairs(table, comparisons, allowed, wanted).put_into(comparisons), table)
    return OpenedPairs(plain_comparisons(table, allowed=allowed, wanted=wanted), table)


def images_folder(path: str | os.PathLike[str]) -> Path:
    """Where a list's images are unless somebody says otherwise: beside it, or in a folder's own place for them."""
    if is_masked_to_unmasked(Path(path)):
        return Path(path)
    return Path(path, PHOTOGRAPHS) if Path(path).is_dir() else Path(path).parent


def is_pair_list(path: str | os.PathLike[str]) -> bool:
    """Whether a file or folder is surely a list of pairs, rather than another kind of data."""
    place = Path(path)
    if place.is_dir():
        return (place / "txts").is_dir() or is_masked_to_unmasked(place)
    if place.suffix.lower() in TABLES:
        return True
    if place.suffix.lower() not in (".txt", ".list") or not place.is_file():
        return False
    first = _first_line(place)
    if is_pku_line(first):
        return True
    return place.suffix.lower() == ".txt" and (is_path_pairs(first) or is_lfw_pairs(first) or is_cfp(place))


def _kind_of(path: Path, columns: bool) -> str:
    """``csv`` stands for all tables."""
    if path.is_dir():
        return "mfr" if is_masked_to_unmasked(path) else "rfw"
    if columns:
        return "csv"
    if is_cfp(path):
        return "cfp"
    if is_mfr2(path) and path.suffix.lower() not in TABLES:
        return "mfr2"
    first = _first_line(path)
    if is_path_pairs(first):
        return "paths"
    if is_mlfw_line(first):
        return "mlfw"
    if is_pku_line(first):
        return "pku"
    if is_lfw_csv(first):
        return "lfw"
    return "csv" if path.suffix.lower() in TABLES or _names_columns(first) else "lfw"


def _names_columns(line: str) -> bool:
    """Whether the line has more than one field and no number, as lines of LFW's lists have."""
    fields = fields_of(line)
    return len(fields) > 2 and not any(field.isdecimal() for field in fields)


def _first_line(path: Path) -> str:
    return next((line for line in read_text(path).splitlines() if line.strip()), "")
