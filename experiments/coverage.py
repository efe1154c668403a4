"""How often intervals of FNMR, FMR and their gaps contain the truth, when the truth is known.

Example: python experiments/coverage.py --repetitions 500 --output docs/experiments/coverage.md
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from fairface.cli import parser, print_json, progress, run
from fairface.comparisons import Comparisons
from fairface.files import atomic_write
from fairface.scoring.fairness.assess import errors_at
from fairface.scoring.fairness.grouped import Grouped
from fairface.scoring.fairness.grouping import group_images
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rounds import rate_rounds
from fairface.scoring.fairness.threshold import given_threshold

SIZES = {"A": 150, "B": 100, "C": 40, "D": 10}
LEVEL = 0.95
OURS, PEOPLE, PAIRS = "this project", "people drawn, percentiles", "comparisons drawn, percentiles"


@dataclass(frozen=True)
class World:
    """Rates by group, the spread of people, and how often they are compared.

    The logit of the chance of an error is a constant plus an effect of the person (genuine) or of both people
    (impostor), each normal with standard deviation ``effect``; the constant makes the mean chance the group's rate.
    """

    name: str
    fnmr: tuple[float, ...] = (0.05,) * 4
    fmr: tuple[float, ...] = (0.01,) * 4
    effect: float = 1.0
    genuine: int = 6  # comparisons of each person
    impostor: int = 2  # comparisons of each two people of a group


WORLDS = (
    World("All groups alike"),
    World("Group C is worse", fnmr=(0.05, 0.05, 0.12, 0.05), fmr=(0.01, 0.01, 0.03, 0.01)),
    World("All alike, two people meet once", genuine=3, impostor=1),
    World("All alike, ten images a person", genuine=10, impostor=9),
    World("All alike, weak effects, one comparison each", effect=0.5, genuine=1, impostor=1),
)


def main(argv: Sequence[str]) -> None:
    options = parser("How often the intervals of the fairness score contain the truth.")
    options.add_argument("--repetitions", type=int, default=500)
    options.add_argument("--rounds", type=int, default=1000, help="of the two kinds of resampling")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--output", metavar="FILE.md", help="write the table there")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    args = options.parse_args(argv)
    found = {
        world.name: coverage(world, args.repetitions, args.rounds, args.seed)
        for world in progress(WORLDS, label="worlds")
    }
    if args.output:
        with atomic_write(args.output, "w", encoding="utf-8") as file:
            file.write(document(found, args.repetitions, args.rounds, args.seed))
    if args.json:
        print_json(found)
    else:
        print(document(found, args.repetitions, args.rounds, args.seed))


def coverage(world: World, repetitions: int, rounds: int, seed: int) -> dict[str, dict[str, float]]:
    """Share of intervals that contain the truth: {method: {"fnmr A": …, "fmr gap": …}}; NaN where there is none."""
    rng = np.random.default_rng(seed)
    covered: Counter[tuple[str, str]] = Counter()
    tries: Counter[tuple[str, str]] = Counter()
    for _ in progress(range(repetitions), label=world.name):
        for (method, what), (low, high, truth) in intervals(world, rng, rounds).items():
            tries[method, what] += 1
            covered[method, what] += low <= truth <= high
    methods = dict.fromkeys(method for method, _ in tries)
    return {m: {w: covered[m, w] / tries[m, w] for k, w in tries if k == m} for m in methods}


def intervals(world: World, rng: np.random.Generator, rounds: int) -> dict[tuple[str, str], tuple[float, float, float]]:
    """(method, what) -> (low, high, truth) of one draw of people and comparisons."""
    grouped = draw(world, rng)
    result = {}
    labels = grouped.groups.labels
    for side, truths in ((grouped.fnmr, world.fnmr), (grouped.fmr, world.fmr)):
        within = side.counts.within()
        people = rate_rounds([within], rounds, int(rng.integers(1 << 31)))[0]
        n = side.spread.comparisons[side.within]
        rate = side.spread.rate[side.within]
        pairs = rng.binomial(n.astype(np.int64), rate, (rounds, len(n))) / n
        for group, label in enumerate(labels):
            own = side.rate(group, group)
            result[OURS, f"{side.name} {label}"] = (own.low, own.high, truths[group])
            for method, drawn in ((PEOPLE, people), (PAIRS, pairs)):
                result[method, f"{side.name} {label}"] = (*percentiles(drawn[:, group]), truths[group])
        chosen = side.eligible()
        truth = np.ptp(np.array(truths)[chosen])
        result[OURS, f"{side.name} gap"] = (*side.of_groups(chosen, people).gap, float(truth))
        for method, drawn in ((PEOPLE, people), (PAIRS, pairs)):
            result[method, f"{side.name} gap"] = (*percentiles(np.ptp(drawn[:, chosen], axis=1)), float(truth))
    return result


def percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def draw(world: World, rng: np.random.Generator) -> Grouped:
    """People, their effects and whether each of their comparisons goes wrong."""
    group = np.repeat(np.arange(len(SIZES)), list(SIZES.values()))
    effects = rng.normal(0, world.effect, (2, len(group)))
    a, b = np.triu_indices(len(group), 1)
    met = group[a] == group[b]
    a, b = np.repeat(a[met], world.impostor), np.repeat(b[met], world.impostor)
    self_a = np.repeat(np.arange(len(group)), world.genuine)
    of_fnmr = np.array([offset(rate, world.effect) for rate in world.fnmr])[group]
    of_fmr = np.array([offset(rate, world.effect * np.sqrt(2)) for rate in world.fmr])[group]
    logit = np.concatenate([(of_fnmr + effects[0])[self_a], of_fmr[a] + effects[1][a] + effects[1][b]])
    wrong = rng.random(len(logit)) < 1 / (1 + np.exp(-logit))
    same = np.arange(len(logit)) < len(self_a)
    first, second = np.concatenate([self_a, a]), np.concatenate([self_a, b])
    comparisons = Comparisons(
        a=first, b=second, same=same, fold=np.full(len(same), -1, np.int32), subject_a=first, subject_b=second,
        attributes=group[:, None].astype(np.int8), attribute_names=("group",), attribute_values=(tuple(SIZES),),
    )  # fmt: skip
    scores = np.where(same != wrong, 1.0, 0.0)
    groups = group_images(comparisons, ["group"])
    errors = errors_at(given_threshold(0.5), scores, comparisons)
    everything = np.ones(len(same), bool)
    return Grouped(comparisons, groups, scores, errors, everything, FairnessOptions(level=LEVEL, rounds=0))


def offset(rate: float, deviation: float) -> float:
    """The constant c for which 1 / (1 + exp(-(c + normal effect))) is ``rate`` on average."""
    points, weights = np.polynomial.hermite_e.hermegauss(99)
    weights = weights / weights.sum()
    return float(optimize.brentq(lambda c: weights @ (1 / (1 + np.exp(-(c + deviation * points)))) - rate, -30, 30))


def document(found: dict[str, dict[str, Any]], repetitions: int, rounds: int, seed: int) -> str:
    """The page."""
    sizes = ", ".join(f"{label} {size}" for label, size in SIZES.items())
    lines = [
        "# Do the intervals contain the truth?", "",
        f"Made by `python experiments/coverage.py --repetitions {repetitions} --rounds {rounds} --seed {seed} "
        "--output docs/experiments/coverage.md`.", "",
        f"{sum(SIZES.values())} people in groups ({sizes}) are drawn {repetitions} times. Whether a comparison goes",
        "wrong depends on chance and on an effect of each person (normal, on the logit scale). The tables give how",
        f"many of the {LEVEL:.0%} intervals contain the true number, in percent, by three methods:", "",
        f"- **{OURS}**: the variance over subjects in closed form, in Wilson (FNMR) and logit (FMR) intervals; gaps",
        "  hold for all pairs of groups with 30 people or more. Group D is too small, which the score flags.",
        f"- **{PEOPLE}**: people are drawn with replacement {rounds} times; the interval lies between percentiles.",
        f"- **{PAIRS}**: the same with comparisons, as if they were independent.", "",
        summary(found), "",
    ]  # fmt: skip
    columns = [f"{side} {what}" for side in ("fnmr", "fmr") for what in (*SIZES, "gap")]
    for world in WORLDS:
        lines += [
            f"## {world.name}", "",
            f"FNMR {_rates(world.fnmr)}, FMR {_rates(world.fmr)}; standard deviation of effects {world.effect:g};",
            f"{world.genuine} genuine comparisons of each person, {world.impostor} of each two people of a group.", "",
            "| method | " + " | ".join(c.upper().replace("GAP", "gap") for c in columns) + " |",
            "|---|" + "---:|" * len(columns),
        ]  # fmt: skip
        for method, values in found[world.name].items():
            cells = [f"{100 * values[c]:.1f}" if c in values else "" for c in columns]
            lines += [f"| {method} | " + " | ".join(cells) + " |"]
        lines += [""]
    return "\n".join(lines + CONCLUSIONS)


def summary(found: dict[str, dict[str, Any]]) -> str:
    """The range over all worlds of what groups of 40 people and more get."""
    parts = []
    for method in (OURS, PEOPLE, PAIRS):
        of_groups = [
            values[f"{side} {label}"]
            for values in (world[method] for world in found.values())
            for side in ("fnmr", "fmr") for label, size in SIZES.items() if size >= 40
        ]  # fmt: skip
        parts.append(f"{method} {100 * min(of_groups):.1f} to {100 * max(of_groups):.1f} %")
    return "Rates of groups of 40 people and more, over all worlds: " + "; ".join(parts) + "."


def _rates(rates: tuple[float, ...]) -> str:
    return f"{rates[0]:.0%}" if len(set(rates)) == 1 else " / ".join(f"{rate:.0%}" for rate in rates)


CONCLUSIONS = [
    "## What follows", "",
    "- Comparisons of the same people are not independent. Drawing comparisons gives intervals that are far too short,",
    "  the more so the more often the same people are compared; they must not be used.",
    "- Drawing people and taking percentiles comes close where people are many and meet often. It is too short for",
    "  rates that rest on few errors, and too wide where every two people meet once.",
    "- A gap is a maximum less a minimum: where the truth is 0, percentiles never contain it. The interval of this",
    "  project does; where one group really is worse it is on the safe side, as it holds for all pairs of groups.",
    "",
]  # fmt: skip


if __name__ == "__main__":
    run(main)
