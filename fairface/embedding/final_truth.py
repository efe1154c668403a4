"""Who is really who: scores of a template's pairs put to the truth and to what is known about the images. No MXNet."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.embedding.final_output import TRUTH
from fairface.embedding.final_source import TruthSource
from fairface.embedding.scored import PairSource, ScoreSource, open_scored
from fairface.files import atomic_write
from fairface.protocols.attributes import subjects_of_images
from fairface.protocols.challenge import HEADER, Template
from fairface.protocols.csv_table import read_csv_table
from fairface.protocols.names import NameIndex
from fairface.protocols.scores import PairScores, match_scores
from fairface.protocols.subjects import subjects_from_names
from fairface.report.final_pairs import FINAL, HARD, THREE_STEP, JudgedPairs
from fairface.scoring.transductive.chain import ChainResult


def judge(
    template: Template,
    chain: ChainResult,
    predictions: Path,
    truth: TruthSource,
    failed: Sequence[str] | None,
    photographs: frozenset[Path],
) -> JudgedPairs:
    """The scores of ``chain``, the last of which stand in the file ``predictions``, against the truth.

    ``failed`` are ids of the template, which the truth may name with a suffix; ``photographs`` are their files.
    Where people say the truth it is written beside the predictions, so that other programs can score them too.

    Raises:
        DataError: truth and scores are about different pairs, people or attributes that contradict themselves or are
            missing, images compared with themselves, only one kind of pair.
    """
    pairs = truth.truth
    if not pairs:
        pairs = str(predictions.parent / TRUTH)
        _write_truth(Path(pairs), template, truth)
    what = PairSource(
        pairs, "auto", truth.attributes, truth.image_column, truth.subjects_from, truth.allowed, truth.wanted
    )
    comparisons, (final,) = open_scored(what, [ScoreSource(scores=str(predictions))])
    scores = {FINAL: final}
    for name, values in ((THREE_STEP, chain.three_step), (HARD, chain.hard)):
        if values is not None:
            given = PairScores(template.source, template.first, template.second, values)
            scores[name] = match_scores(comparisons, given)
    known: NDArray[np.bool_] | None = None
    if failed is not None:
        known = np.zeros(len(comparisons.names), bool)
        known[NameIndex(comparisons.names).positions(failed, "the list of failures to detect")] = True
    return JudgedPairs(pairs, comparisons, scores, photographs, known)


def _write_truth(path: Path, template: Template, truth: TruthSource) -> None:
    ids = template.ids
    if truth.subjects_from == "names":
        people = subjects_from_names(ids)
    else:
        table = read_csv_table(truth.attributes)
        people = subjects_of_images(table, ids, truth.subjects_from, truth.image_column or None)
    who = dict(zip(ids, people.tolist(), strict=True))
    rows = ((a, b, int(who[a] == who[b])) for a, b in zip(template.first, template.second, strict=True))
    with atomic_write(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*HEADER[:2], "same"])
        writer.writerows(rows)
