"""The files of the ECCV 2020 ChaLearn fair-face challenge: pairs of image ids and scores as ``ID1,ID2,SCORE``.

The first line is the header; ``TEMPLATE_ID1`` and ``TEMPLATE_ID2`` are read too. In a template the scores are
placeholders. How the organisers write the truth is not published with the data set's description, so any CSV with the
two ids and a column of 1 (same) or 0 is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairface.comparisons import Comparisons
from fairface.data.image_kinds import PHOTOGRAPH_SUFFIXES, LeftOut, unread_remedies
from fairface.data.table import CsvTable
from fairface.errors import DataError
from fairface.protocols.build import PairRows, comparisons_of_rows
from fairface.protocols.columns import SUBJECT_WORDS, TRUTH, image_columns, subject_columns, truths
from fairface.protocols.names import composed
from fairface.quantity import agree, quantity

HEADER = ("ID1", "ID2", "SCORE")
FIRST, SECOND = ("ID1", "TEMPLATE_ID1"), ("ID2", "TEMPLATE_ID2")


@dataclass(frozen=True)
class Template:
    """The pairs to be scored: two ids each, in the order of the file ``source``, whose first line is ``header``."""

    source: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    header: tuple[str, ...] = HEADER

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id once, in the order of first mention."""
        return tuple(dict.fromkeys([*self.first, *self.second]))


def photographs_of(template: Template, files: Sequence[str], others: Sequence[str] = ()) -> dict[str, str]:
    """The photograph of each id: the one of ``files`` (paths) whose name without folder and suffix is the id.

    ``others`` are files that are no photographs, or of kinds that cannot be read here; an error names those of the ids.

    Raises:
        DataError: ids without a photograph (counted, the first few named), or with two.
    """
    found: dict[str, str] = {}
    wanted = {composed(name): name for name in template.ids}
    for file in files:
        path = Path(file)
        name = wanted.get(composed(path.stem)) if path.suffix.lower() in PHOTOGRAPH_SUFFIXES else None
        if name is None:
            continue
        if name in found:
            raise DataError(f"{template.source}: id {name} has two photographs, {found[name]} and {file}")
        found[name] = str(file)
    missing = [name for name in template.ids if name not in found]
    if missing:
        unread = [file for file in LeftOut.of(others).photographs if composed(Path(file).stem) in wanted]
        hint = f"{unread[0]} cannot be read here: {unread_remedies(unread)}; " if unread else ""
        raise DataError(
            f"{template.source}: {len(missing)} of {quantity(len(template.ids), 'id')} "
            f"{agree(len(missing), 'has', 'have')} no photograph "
            f"({', '.join(missing[:3])}{', …' if len(missing) > 3 else ''}); {hint}add them or remove their pairs"
        )
    return found


def challenge_comparisons(truth: CsvTable) -> Comparisons:
    """Comparisons from the two columns of ids and one of 1 or 0: same, label, truth … or SCORE.

    ``subject_a`` and ``subject_b`` say who is shown, as in the truth that ``do.sh`` leaves. Without them nobody is
    named; :func:`fairface.protocols.attributes.subjects_of_images` says who the images show.

    Raises:
        DataError: missing columns or values, pairs that contradict each other, only one kind of comparison.
    """
    first, second = truth.filled(*FIRST), truth.filled(*SECOND)
    same = truths(truth, (*TRUTH, HEADER[2]))
    subjects = subject_columns(truth, SUBJECT_WORDS[:1])  # ID1 and ID2 are images here
    rows = PairRows(
        image_a=first, image_b=second, same=same, fold=[-1] * len(truth),
        subject_a=truth.filled(subjects[0]) if subjects else [],
        subject_b=truth.filled(subjects[1]) if subjects else [], lines=truth.lines,
    )  # fmt: skip
    return comparisons_of_rows(rows, truth.source, None)


def is_challenge(table: CsvTable) -> bool:
    """Whether the table has the challenge's ids, and no other columns that name images: ids are subjects' then."""
    return table.find(*FIRST) is not None and table.find(*SECOND) is not None and image_columns(table) is None
