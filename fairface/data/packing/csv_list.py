"""What is to be packed, named by a CSV file with identities and attributes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fairface.data.identities import order_names
from fairface.data.packing.plan import Photo, Plan, numbered, photo_path
from fairface.data.recordio.notes import AttributeNotes
from fairface.data.table import read_csv_table
from fairface.data.types import UNKNOWN
from fairface.errors import DataError

_MOST_VALUES = 128


def plan_csv(
    path: str | os.PathLike[str],
    root: str | os.PathLike[str] | None = None,
    attributes: Sequence[str] | None = None,
    values: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    """The photographs of a CSV file with the columns ``image, identity`` and any attributes.

    Args:
        path: the CSV file.
        root: the folder that the images are below; default: the file's folder.
        attributes: columns to take; default: all others.
        values: for a column, the values that become 0, 1, …; default: those that occur, in order. Give them where
            several files must be coded alike.

    Raises:
        DataError: the file cannot be read, a column or a value is missing or not foreseen.
    """
    file = Path(path)
    base = file.parent if root is None else Path(root)
    rows = list(_csv_rows(file, attributes))
    names = tuple(attributes) if attributes is not None else tuple(rows[0][1])[2:] if rows else ()
    notes = AttributeNotes(names, {name: _values(file, name, rows, values or {}) for name in names})
    photos = []
    for number, row in rows:
        where = f"{file}: line {number}"
        codes = tuple(_code(where, name, row[name], notes.values[name]) for name in names)
        photos.append((row["identity"], Photo(photo_path(where, base, row["image"]), 0, number, codes)))
    return numbered(file, photos, notes)


def _csv_rows(file: Path, attributes: Sequence[str] | None) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        table = read_csv_table(file)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); correct the path") from error
    needed = ["image", "identity", *(attributes or ())]
    missing = [column for column in needed if table.find(column) is None]
    if missing:
        raise DataError(f"{file}: line 1 names the columns {','.join(table.names)}; {', '.join(missing)} missing")
    taken = {table.find(name) for name in needed}
    wanted = needed if attributes is not None else needed + [name for name in table.names if name not in taken]
    columns = [table.column(name) for name in wanted]
    for row, line in enumerate(table.lines):
        values = {name: column[row] for name, column in zip(wanted, columns, strict=True)}
        if not values["image"] or not values["identity"]:
            raise DataError(f"{file}: line {line}: image or identity is empty; fill it in")
        yield line, values


def _values(
    file: Path, name: str, rows: Sequence[tuple[int, dict[str, str]]], given: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    found = tuple(given[name]) if name in given else tuple(order_names(row[name] for _, row in rows if row[name]))
    if len(found) > _MOST_VALUES:
        raise DataError(
            f"{file}: the attribute {name} has {len(found)} different values, at most {_MOST_VALUES} can "
            f"be kept; choose columns with --attributes"
        )
    return found


def _code(where: str, name: str, value: str, values: Sequence[str]) -> int:
    if not value:
        return UNKNOWN
    if value not in values:
        raise DataError(f"{where}: {name} is {value!r}, not one of {', '.join(values)}; correct it")
    return values.index(value)
