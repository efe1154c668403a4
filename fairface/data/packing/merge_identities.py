"""Which identities are the same when several data sets become one."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.data.recordio.notes import AttributeNotes
from fairface.data.types import UNKNOWN
from fairface.data.view import IndexedDataset
from fairface.errors import ConfigError, DataError
from fairface.quantity import agree, quantity

OFFSET, NAMES = "offset", "names"
JOINS = (OFFSET, NAMES)
_COLUMNS = ("source", "label", "identity")
IdentityMap = Mapping[tuple[int, str], str]


def read_identity_map(path: str | os.PathLike[str]) -> dict[tuple[int, str], str]:
    """A CSV with the columns ``source`` (1 is the first data set), ``label`` and ``identity``, as (position of the set,
    label) to identity.

    A label is the class's name in that set, or its number from 0 where no class is called so. An empty identity leaves
    the class out.

    Raises:
        DataError: the file cannot be read, a column is missing, or a line is damaged or contradicts another.
    """
    found: dict[tuple[int, str], str] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path}: line 1 must name the columns {','.join(_COLUMNS)}; {missing[0]} is missing")
            for row in reader:
                source, label, identity = ((row[column] or "").strip() for column in _COLUMNS)
                where = f"{path}: line {reader.line_num}"
                if not (source.isascii() and source.isdigit() and int(source) and label):
                    raise DataError(f"{where}: source must be 1, 2 …, and label must not be empty; correct the line")
                if found.setdefault((int(source) - 1, label), identity) != identity:
                    raise DataError(f"{where}: label {label} of source {source} has another identity before")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as CSV in UTF-8 ({error}); save it in that form") from error
    return found


def join_identities(
    sets: Sequence[IndexedDataset], join: str, identity_map: IdentityMap
) -> tuple[list[NDArray[np.int64]], dict[str, set[int]]]:
    """For each set the new label of each of its classes (-1: left out), and the name of each identity, in the order of
    the new labels, with the positions of the sets that it is in.

    Raises:
        ConfigError: an unknown ``join``, or one by names of a set that has none.
        DataError: the map names a class that is not there (three that are there are named), or one twice.
    """
    if join not in JOINS:
        raise ConfigError(f"join is {join!r}; it can be {' or '.join(JOINS)}")
    unused = dict(identity_map)
    identities: dict[str, set[int]] = {}
    labels = []
    for number, data in enumerate(sets):
        if join == NAMES and not data.class_names:
            raise ConfigError(
                f"{data.title}: its identities have no names to join by (no identities.txt); join by a map instead"
            )
        found = []
        for label, name in enumerate(_classes(data)):
            identity = name if join == NAMES else f"{number + 1}/{name}"
            identity = _mapped(unused, number, label, data, identity)
            if identity:
                identities.setdefault(identity, set()).add(number)
            found.append(identity)
        number_of = {identity: i for i, identity in enumerate(identities)}
        labels.append(np.array([number_of.get(identity, -1) for identity in found], np.int64))
    for number, name in list(unused)[:1]:
        which = f"label {name} of source {number + 1}"
        raise DataError(f"the map names {which}, which is not there; {_known(sets, number)}")
    return labels, identities


def _classes(data: IndexedDataset) -> Sequence[str]:
    return data.class_names or tuple(map(str, range(data.num_classes)))


def _mapped(unused: dict[tuple[int, str], str], number: int, label: int, data: IndexedDataset, default: str) -> str:
    """The identity that the map gives to a class, by its name or else by its label; it is taken out of ``unused``."""
    name, as_number = _classes(data)[label], str(label)
    by_name = unused.pop((number, name), None)
    by_label = None if as_number in _classes(data) else unused.pop((number, as_number), None)
    if by_name is not None and by_label is not None and by_name != by_label:
        raise DataError(
            f"the map gives source {number + 1} the identity {by_name!r} for {name} and {by_label!r} for its label "
            f"{label}; leave one of the lines out"
        )
    return default if by_name is None and by_label is None else str(by_label if by_name is None else by_name)


def _known(sets: Sequence[IndexedDataset], number: int) -> str:
    """Which sources or labels a map can name."""
    if number >= len(sets):
        return f"there {agree(len(sets), 'is', 'are')} {quantity(len(sets), 'source')}; correct the map"
    classes = _classes(sets[number])
    more = ", …" if len(classes) > 3 else ""
    return f"that source has {', '.join(classes[:3])}{more} (or labels 0 to {len(classes) - 1}); correct the map"


def join_attributes(sets: Sequence[IndexedDataset]) -> tuple[AttributeNotes, list[NDArray[np.int8]]]:
    """All attributes by name, and for each set its codes (N, K), -1 where the set does not know an attribute.

    Raises:
        DataError: sets code an attribute differently.
    """
    names = tuple(dict.fromkeys(name for data in sets for name in data.attribute_names))
    values: dict[str, tuple[str, ...]] = {}
    for data in sets:
        known = data.attribute_values
        for name in set(known) & set(data.attribute_names):
            if values.setdefault(name, tuple(known[name])) != tuple(known[name]):
                raise DataError(
                    f"{data.title}: the attribute {name} has the values {', '.join(known[name])}, in another set "
                    f"{', '.join(values[name])}; pack one of them again with the other's values (--attributes)"
                )
    codes = []
    for data in sets:
        table = np.full((len(data), len(names)), UNKNOWN, np.int8)
        for column, name in enumerate(names):
            if name in data.attribute_names:
                table[:, column] = data.attributes[:, data.attribute_names.index(name)]
        codes.append(table)
    return AttributeNotes(names, values), codes
