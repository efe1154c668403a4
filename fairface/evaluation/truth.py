"""Who is really who: a template's pairs put to the truth and to what is known about the images. No MXNet.

All of it is known before there are scores (:func:`open_truth`), so what does not fit is found before any face is
embedded.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.data.table import read_csv_table
from fairface.errors import DataError
from fairface.evaluation.judged import ALL_STEPS, HARD, THREE_STEP, JudgedPairs, Scores
from fairface.evaluation.pairs import SourcePairs
from fairface.evaluation.request import TruthSource
from fairface.files import atomic_write
from fairface.protocols.attributes import attributes_of_images, named_subjects_of_images
from fairface.protocols.build import PairRows, comparisons_of_rows
from fairface.protocols.challenge import HEADER, Template
from fairface.protocols.names import NameIndex
from fairface.protocols.opening import open_comparisons
from fairface.protocols.scores import PairScores, match_scores
from fairface.protocols.subjects import Subjects, named_subjects, subject_names_of_images, with_subjects
from fairface.quantity import quantity
from fairface.scoring.transductive.chain import ChainResult


@dataclass(frozen=True)
class KnownPairs:
    """``pairs`` with their truth and attributes; ``source`` says in messages where the truth comes from."""

    source: str
    pairs: SourcePairs
    comparisons: Comparisons


def open_truth(pairs: SourcePairs, truth: TruthSource) -> KnownPairs:
    """The truth of ``pairs``; nothing is written.

    Raises:
        DataError: truth and template are about different pairs, subjects or attributes that contradict themselves or
            are missing, images compared with themselves, only one kind of pair.
    """
    template = pairs.template
    itself = next((a for a, b in zip(template.first, template.second, strict=True) if a == b), None)
    if itself is not None:
        raise DataError(
            f"{template.source}: {quantity(pairs.counts.self_pairs, 'pair compares', 'pairs compare')} an image with "
            f"itself (first: {itself}), which no truth can label; remove them, or give no truth"
        )
    source = truth.truth or template.source
    if truth.truth:
        comparisons = open_comparisons(truth.truth, "auto", truth.allowed, wanted=truth.wanted).comparisons
        if not comparisons.names:
            raise DataError(f"{source}: does not name the images, so scores cannot be assigned to its pairs")
    else:
        comparisons = _said_by_subjects(template, truth)
    comparisons = _with_attributes(comparisons, truth)
    if truth.subjects_from:
        comparisons = with_subjects(comparisons, _subjects(comparisons.names, truth), source)
    result = KnownPairs(source, pairs, comparisons)
    try:
        matched(result, np.zeros(len(template.first)))
    except DataError as error:
        raise DataError(f"{error} (the truth is {source})") from error
    return result


def _said_by_subjects(template: Template, truth: TruthSource) -> Comparisons:
    who = dict(zip(template.ids, _subjects(template.ids, truth).numbers.tolist(), strict=True))
    same = [who[a] == who[b] for a, b in zip(template.first, template.second, strict=True)]
    rows = PairRows(list(template.first), list(template.second), same, [-1] * len(same))
    return comparisons_of_rows(rows, template.source, None)


def _subjects(images: Sequence[str], truth: TruthSource) -> Subjects:
    if truth.subjects_from == "names":
        return named_subjects(images)
    table = read_csv_table(truth.attributes)
    return named_subjects_of_images(table, images, truth.subjects_from, truth.image_column or None)


def _with_attributes(comparisons: Comparisons, truth: TruthSource) -> Comparisons:
    if not truth.attributes:
        return comparisons
    table = read_csv_table(truth.attributes)
    # What the list of pairs tells itself need not stand there too.
    columns = [name for name in truth.wanted if table.find(name) or name not in comparisons.attribute_names]
    return attributes_of_images(
        table, comparisons.names, columns, truth.image_column or None, truth.allowed,
        subject_names_of_images(comparisons),
    ).put_into(comparisons)  # fmt: skip


def matched(known: KnownPairs, values: Scores) -> Scores:
    """``values``, in the order of the template, in that of the comparisons.

    Raises:
        DataError: truth and template are about different pairs, or a pair is repeated with another score.
    """
    template = known.pairs.template
    return match_scores(known.comparisons, PairScores(template.source, template.first, template.second, values))


def placeholders(known: KnownPairs) -> JudgedPairs:
    """``known`` with scores that are all different and mean nothing, to see what no score could fix."""
    values = np.arange(len(known.comparisons), dtype=np.float64)
    return JudgedPairs(known.source, known.comparisons, {ALL_STEPS: values}, known.pairs.photographs)


def judge(known: KnownPairs, chain: ChainResult, failed: Sequence[str] | None, decimals: int | None) -> JudgedPairs:
    """The scores of ``chain`` against the truth, those after all steps with the ``decimals`` that are written.

    ``failed`` are ids of the template, which the truth may name with a suffix.

    Raises:
        DataError: a pair that is repeated with another score.
    """
    written = chain.scores
    if decimals is not None:
        written = np.array([float(f"{value:.{decimals}f}") for value in written.tolist()])
    kinds = {ALL_STEPS: written, THREE_STEP: chain.three_step, HARD: chain.hard}
    scores = {name: matched(known, values) for name, values in kinds.items() if values is not None}
    mask: NDArray[np.bool_] | None = None
    if failed is not None:
        names = known.comparisons.names
        mask = np.zeros(len(names), bool)
        mask[NameIndex(names).positions(failed, "the list of face-detection failures")] = True
    return JudgedPairs(known.source, known.comparisons, scores, known.pairs.photographs, mask)


def write_truth(path: Path, known: KnownPairs) -> None:
    """What the subjects say of the pairs, in the order of the template, so that other programs can score them too; with
    who is shown where that is known: without it nobody can tell how far two runs differ by chance."""
    template, comparisons = known.pairs.template, known.comparisons
    columns = {HEADER[0]: template.first, HEADER[1]: template.second, "same": comparisons.same.astype(int).tolist()}
    if comparisons.subject_names:
        names = np.array(comparisons.subject_names)
        columns |= {"subject_a": names[comparisons.subject_a], "subject_b": names[comparisons.subject_b]}
    with atomic_write(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
