"""What an inspection of a data set found: text for people, and a folder of pictures and problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fairface.cli import table
from fairface.data.image_reader import ImageReader
from fairface.data.inspection.dataset import Inspection
from fairface.errors import DataError
from fairface.files import atomic_write
from fairface.printable import printable_line
from fairface.quantity import agree, quantity
from fairface.report.histogram import plot_images_per_class
from fairface.report.sheet import contact_sheet, save_png

SHOWN_PROBLEMS = 20
SHEET_IMAGES = 64


def write_inspection(folder: Path, found: Inspection, problems: Sequence[str]) -> None:
    """Write ``histogram.png``, ``samples.png`` and ``problems.txt``, which lists all ``problems``.

    Raises:
        DataError: a file cannot be written.
        MissingPackageError: matplotlib is not installed.
    """
    if len(found.per_class):
        plot_images_per_class(folder / "histogram.png", found.per_class, f"{found.dataset.title}: images per identity")
    size = 112
    reader = ImageReader(found.dataset, size, may_resize=True)
    images, captions = [], []
    order = np.argsort(found.dataset.labels, kind="stable")
    for index in order[np.unique(np.linspace(0, len(order) - 1, SHEET_IMAGES).astype(int))].tolist():
        try:
            images.append(reader.read(index))
        except DataError:  # it is among the problems when the images are checked
            continue
        captions.append(f"{index}: {found.dataset.labels[index]}")
    if images:
        save_png(folder / "samples.png", contact_sheet(np.stack(images), captions=captions))
    with atomic_write(folder / "problems.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{printable_line(problem)}\n" for problem in problems)


def inspection_text(result: Mapping[str, Any]) -> str:
    """The findings, as :meth:`~fairface.data.inspection.dataset.Inspection.to_dict` gives them, for people."""
    per_class = result["images_per_class"]
    rows: list[tuple[str, object]] = [
        ("data", result["path"]),
        ("format", result["format"]),
        ("images", result["images"]),
        ("unlabeled", result["unlabeled"]),
        (
            "identities",
            f"{result['classes_with_images']} of {result['classes']} "
            f"{agree(result['classes_with_images'], 'has', 'have')} images",
        ),
        ("with one image only", result["classes_with_one_image"]),
    ]
    if per_class:
        rows.append(("images per identity", " ".join(f"{name} {value:g}" for name, value in per_class.items())))
    rows += [(f"attribute {name}", _counts(values)) for name, values in result["attributes"].items()]
    if "sizes" in result:
        duplicates = result["duplicates"]
        rows += [
            ("megabytes", f"{result['bytes'] / 1e6:.1f}"),
            ("pixels", _counts(result["sizes"])),
            ("files", _counts(result["kinds"])),
            (
                "duplicates",
                f"{quantity(duplicates['surplus_images'], 'duplicate image')}, in "
                f"{quantity(duplicates['groups'], 'group')}",
            ),
        ]
    problems = result["problems"]
    lines = [table(rows, ["what", "found"]), quantity(len(problems), "problem")]
    lines += [f"- {printable_line(problem)}" for problem in problems[:SHOWN_PROBLEMS]]
    if len(problems) > SHOWN_PROBLEMS:
        lines.append(f"… and {len(problems) - SHOWN_PROBLEMS} more: --output FOLDER writes all to problems.txt")
    return "\n".join(lines)


def _counts(values: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in list(values.items())[:SHOWN_PROBLEMS])
