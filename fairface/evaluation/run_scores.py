"""Where the scores and the truth of a run are, and what it is called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fairface.errors import ConfigError
from fairface.evaluation.output import PREDICTIONS, TRUTH
from fairface.evaluation.scored_pairs import ScoreSource


def scores_of_run(path: str) -> ScoreSource:
    """Where the scores of a run are: a folder that ``do.sh`` wrote, a file of scores (.csv, .npy) or embeddings (.npz).

    Raises:
        ConfigError: a folder without predictions, or nothing at all.
    """
    place = Path(path)
    if place.is_dir():
        if not (place / PREDICTIONS).is_file():
            raise ConfigError(f"{path}: holds no {PREDICTIONS}; name a folder that do.sh wrote, or a file of scores")
        return ScoreSource(scores=str(place / PREDICTIONS))
    if not place.exists():
        raise ConfigError(f"{path}: not found; name a folder that do.sh wrote, or a file of scores or embeddings")
    return ScoreSource(embeddings=path) if place.suffix == ".npz" else ScoreSource(scores=path)


def pairs_of_runs(pairs: str, runs: Sequence[str]) -> str:
    """The list with the truth: ``pairs`` where it is given, else the one that a run left.

    Raises:
        ConfigError: neither.
    """
    left = (str(Path(run) / TRUTH) for run in runs if (Path(run) / TRUTH).is_file())
    found = pairs or next(left, "")
    if not found:
        raise ConfigError(f"the truth is not known: no {TRUTH} in {' or '.join(runs)}; give --pairs FILE")
    return found


def names_of(runs: Sequence[str]) -> list[str]:
    """The names of files and folders without the way to them; with it where two are alike, and numbered where that is
    alike as well."""
    short = [Path(run).stem if Path(run).is_file() else Path(run).name for run in runs]
    if len(set(short)) == len(short):
        return short
    return [run if run not in runs[:place] else f"{run} ({place + 1})" for place, run in enumerate(runs)]
