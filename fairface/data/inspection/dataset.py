"""What a data set holds and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.data.formats import OpenOptions
from fairface.data.inspection.records import RecordCheck, check_records
from fairface.data.missing import SKIP
from fairface.data.opening import locate, open_dataset
from fairface.data.types import UNKNOWN
from fairface.data.view import IndexedDataset
from fairface.quantity import agree, quantity

_SHOWN = 5


@dataclass(frozen=True)
class Duplicates:
    """Images that are there more than once, byte for byte: ``groups`` of positions, and those across identities."""

    groups: tuple[tuple[int, ...], ...] = ()
    across_identities: tuple[tuple[int, ...], ...] = ()

    @property
    def surplus(self) -> int:
        """How many images are copies of another one."""
        return sum(len(group) - 1 for group in self.groups)


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        dataset: the data set, opened without the files that are missing.
        kind: its format.
        per_class: (C,) images of each class.
        attributes: attribute name to value to count.
        records: what reading every record showed; ``None`` where only labels were looked at.
        duplicates: images that are there more than once.
        problems: everything that is wrong, a sentence each.
    """

    dataset: IndexedDataset
    kind: str
    per_class: NDArray[np.int64]
    attributes: Mapping[str, Mapping[str, int]]
    records: RecordCheck | None
    duplicates: Duplicates
    problems: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The findings as numbers and texts, for JSON."""
        counts = self.per_class[self.per_class > 0]
        result: dict[str, Any] = {
            "path": self.dataset.title,
            "format": self.kind,
            "images": len(self.dataset),
            "unlabeled": int((self.dataset.labels < 0).sum()),
            "classes": self.dataset.num_classes,
            "classes_with_images": len(counts),
            "classes_with_one_image": int((counts == 1).sum()),
            "images_per_class": {
                "min": int(counts.min()), "median": float(np.median(counts)), "mean": round(float(counts.mean()), 2),
                "max": int(counts.max()),
            } if len(counts) else None,
            "attributes": self.attributes,
            "notes": list(self.dataset.notes),
        }  # fmt: skip
        if self.records is not None:
            sizes = Counter(f"{width}x{height}" for height, width in self.records.sizes.tolist())
            result |= {
                "bytes": int(self.records.bytes.sum()),
                "sizes": dict(sizes.most_common()),
                "kinds": dict(Counter(self.records.kinds).most_common()),
                "duplicates": {
                    "groups": len(self.duplicates.groups),
                    "surplus_images": self.duplicates.surplus,
                    "of_different_identities": len(self.duplicates.across_identities),
                },
            }
        return {**result, "problems": list(self.problems)}


def inspect(
    name: str,
    options: OpenOptions,
    read: bool = True,
    decode: bool = False,
    jobs: int = 1,
    on_start: Callable[[int], Callable[[int], object]] = lambda count: lambda done: None,
) -> Inspection:
    """Look at a data set.

    Args:
        name: path or card.
        options: how to open it; missing files are always left out and reported.
        read: read every record (sizes, duplicates); else look at labels and attributes only.
        decode: decode every image, too.
        jobs: processes.
        on_start: given the number of records before they are read; what it returns is told how many were done.

    Raises:
        DataError: the data set cannot be opened at all. Damaged records and missing files are problems, not errors.
    """
    opening = OpenOptions(options.root, options.checksums, SKIP, options.zero_is_unlabeled)
    kind = locate(name)[1]
    dataset = open_dataset(name, options=opening)
    records = None
    if read or decode:
        records = check_records(name, opening, len(dataset), decode, jobs, on_start(len(dataset)))
    labels = dataset.labels
    per_class = np.bincount(labels[labels >= 0], minlength=dataset.num_classes)
    duplicates = Duplicates() if records is None else find_duplicates(records, labels)
    problems = _problems(dataset, per_class, records, duplicates)
    return Inspection(dataset, kind, per_class, _attribute_counts(dataset), records, duplicates, tuple(problems))


def find_duplicates(records: RecordCheck, labels: NDArray[np.int32]) -> Duplicates:
    """Groups of records with equal content, by their hashes."""
    readable = np.flatnonzero(records.bytes > 0)
    keys = np.ascontiguousarray(records.hashes[readable]).view(f"V{records.hashes.shape[1]}").ravel()
    _, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(counts)
    groups = [
        tuple(readable[order[ends[i] - counts[i] : ends[i]]].tolist()) for i in np.flatnonzero(counts > 1).tolist()
    ]
    groups.sort()
    identities = [group for group in groups if len(set(labels[list(group)].tolist()) - {-1}) > 1]
    return Duplicates(tuple(groups), tuple(identities))


def _attribute_counts(dataset: IndexedDataset) -> dict[str, dict[str, int]]:
    result = {}
    for column, name in enumerate(dataset.attribute_names):
        values, counts = np.unique(dataset.attributes[:, column], return_counts=True)
        texts = dataset.attribute_values.get(name, ())
        result[name] = {
            "unknown" if value == UNKNOWN else texts[value] if value < len(texts) else str(value): count
            for value, count in zip(values.tolist(), counts.tolist(), strict=True)
        }
    return result


def _problems(
    dataset: IndexedDataset, per_class: NDArray[np.int64], records: RecordCheck | None, duplicates: Duplicates
) -> list[str]:
    problems = [*(f"missing: {text}" for text in dataset.missing), *dataset.problems]
    empty = np.flatnonzero(per_class == 0).tolist()
    if empty:
        problems.append(
            f"{len(empty)} of {quantity(len(per_class), 'class')} {agree(len(empty), 'has', 'have')} no image: "
            f"{_some(empty)}"
        )
    if records is None:
        return problems
    problems += [records.problems[index] for index in sorted(records.problems)]
    sizes = Counter(size for size in map(tuple, records.sizes.tolist()) if size != (0, 0))
    if len(sizes) > 1:
        usual = sizes.most_common(1)[0][0]
        odd = np.flatnonzero((records.sizes != usual).any(axis=1) & (records.bytes > 0)).tolist()
        problems.append(
            f"{quantity(len(odd), 'image is', 'images are')} not {usual[1]}x{usual[0]} pixels, as most are: "
            f"{_some(map(dataset.name, odd))}"
        )
    for group in duplicates.across_identities:
        problems.append(f"the same image is of different identities: {_some(map(dataset.name, group))}")
    return problems


def _some(items: Any) -> str:
    texts = [str(item) for _, item in zip(range(_SHOWN + 1), items, strict=False)]
    return ", ".join(texts[:_SHOWN]) + (", …" if len(texts) > _SHOWN else "")
