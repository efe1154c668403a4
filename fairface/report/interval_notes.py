"""What a reader must know of intervals that resampling could not widen."""

from __future__ import annotations

from collections.abc import Mapping

from fairface.scoring.measure import Interval

_TITLES = {"auc": "AUC", "map": "mAP", "map_market1501": "mAP by Market-1501's convention"}
_BEGINNINGS = {"rank-": "rank ", "tar@": "TAR at FMR ", "tpir@": "TPIR at FPIR "}


def without_width(intervals: Mapping[str, Mapping[str, Interval]]) -> list[str]:
    """A sentence where some of the ``intervals``, by name of the result and measure, have both ends alike; else none.

    A bootstrap gives such an interval where all subjects come out alike, such as without any error, or where there are
    two of them. It is not the certainty that it looks like.
    """
    found = {name: [key for key, one in of.items() if one.without_width] for name, of in intervals.items()}
    told = "; ".join(f"{name}: {', '.join(map(_title, keys))}" for name, keys in found.items() if keys)
    if not told:
        return []
    return [f"no certainty, though both ends of the interval are alike (every resample gave this value): {told}"]


def _title(key: str) -> str:
    for beginning, title in _BEGINNINGS.items():
        if key.startswith(beginning):
            return title + key.removeprefix(beginning)
    return _TITLES.get(key, key)
