"""What test/fairness.py scores, and the threshold of each model: given, or set on other comparisons or on these."""

from __future__ import annotations

import argparse
import filecmp
import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.evaluation.option_texts import groups_of_attributes, roles_of_columns
from fairface.evaluation.scored_pairs import PairSource, ScoreSource, open_scored
from fairface.protocols.names import composed, without_suffix
from fairface.quantity import agree, quantity
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.threshold import SharedThreshold, calibrated_threshold, given_threshold

Scores = NDArray[np.float64]


def sources(args: argparse.Namespace) -> list[ScoreSource]:
    """Of the model, and of the model before where there is one."""
    kind = "embeddings" if args.embeddings else "scores" if args.scores else "column"
    named = [getattr(args, kind) or "score", *([args.against] if args.against else [])]
    return [ScoreSource(**{kind: name}, distance=args.distance) for name in named]


def pair_source(args: argparse.Namespace, pairs: str) -> PairSource:
    wanted = [*args.protected, *args.legitimate]
    allowed = groups_of_attributes(args.values, args.bands, wanted)
    return PairSource(
        pairs, args.kind, args.attributes, args.image_column, args.subjects_from, allowed, wanted,
        roles_of_columns(args.columns), args.failures, args.unscored,
    )  # fmt: skip


def shared_thresholds(
    args: argparse.Namespace, comparisons: Comparisons, scores: Sequence[Scores]
) -> list[SharedThreshold]:
    """One for each model."""
    fixed = fixed_thresholds(args, comparisons.names, named_people(comparisons))
    if fixed:
        return fixed
    usable = [usable_scores(of, comparisons, args.unscored) for of in scores]
    return [calibrated_threshold(values[kept], comparisons.same[kept], args.fmr) for values, kept in usable]


def fixed_thresholds(
    args: argparse.Namespace, names: Sequence[str], people: Collection[str] = ()
) -> list[SharedThreshold]:
    """One for each model, given or set on other comparisons; none where the evaluated ones are to set them. ``names``
    are the images that will be judged, ``people`` what the list calls those they show."""
    if args.threshold is not None:
        given = [value for value in (args.threshold, args.against_threshold) if value is not None]
        return [given_threshold(-value if args.distance else value) for value in given]
    if not args.calibration:
        return []
    found_in = sources(args)
    for field in ("scores", "embeddings"):
        other = getattr(args, f"calibration_{field}")
        found_in = [replace(s, **{field: name}) for s, name in zip(found_in, other, strict=True)] if other else found_in
    # Who is shown and what they are like plays no part in fixing a threshold.
    what = replace(
        pair_source(args, args.calibration), attributes="", subjects_from="", wanted=(), failures="", allowed={}
    )
    calibration = open_scored(what, found_in)
    fixed_on = calibration.comparisons
    same_images = is_same_list(args.pairs, args.calibration) or share_images(names, fixed_on.names)
    unnamed = not names or not fixed_on.names
    same_people = unnamed and not same_images and bool(set(people) & named_people(fixed_on))
    found = []
    for of in calibration.scores:
        finite = np.isfinite(of)
        if not finite.all() and args.unscored == "error":
            raise DataError(
                f"{args.calibration}: {int((~finite).sum())} of {quantity(len(finite), 'calibration score')} "
                f"{agree(int((~finite).sum()), 'is', 'are')} missing or invalid; correct them, or use --unscored "
                "leave_out"
            )
        values, kept = usable_scores(of, fixed_on, args.unscored)
        threshold = calibrated_threshold(values[kept], fixed_on.same[kept], args.fmr, Path(args.calibration).name)
        found.append(replace(threshold, optimistic=same_images, same_people=same_people))
    return found


def is_same_list(one: str, other: str) -> bool:
    """Whether both name one list of pairs, or a list and its copy."""
    if not one or Path(one).resolve() == Path(other).resolve():
        return bool(one)
    return all(map(os.path.isfile, (one, other))) and filecmp.cmp(one, other, shallow=False)


def share_images(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether an image is in both, whatever the form of its accents and slashes, and its format."""
    first, second = ({without_suffix(composed(name)) for name in names} for names in (one, other))
    return not first.isdisjoint(second)


def named_people(comparisons: Comparisons) -> set[str]:
    """What the list calls the people that it compares."""
    shown = np.union1d(comparisons.subject_a, comparisons.subject_b)
    return {comparisons.subject_names[who] for who in shown.tolist() if 0 <= who < len(comparisons.subject_names)}
