"""Which small changes of the code do its tests not notice? Draws some at random, tries each, lists those that survive.

Example: make mutants PATHS="fairface/scoring fairface/files.py" COUNT=100 SEED=0

Each change is made in a copy of the checkout, never in the checkout, and tried against the tests that mirror its
package: unittests/scoring for fairface/scoring/roc.py, unittests/test_files.py (test_files_….py) for fairface/files.py.
Changes that are known to change nothing stand in unittests/equivalent_changes.yaml with their reasons and do not count.
"""

from __future__ import annotations

import queue
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from mutant_copy import NOTICED, SURVIVED, Copy, tests_of
from mutations import Change, changes

from fairface.cli import parser, print_json, progress, run, table, tell
from fairface.errors import ConfigError

EQUIVALENT = "equivalent"
KNOWN = "unittests/equivalent_changes.yaml"
WIDEST = 60  # characters of a change in the table


@dataclass(frozen=True)
class Result:
    """What became of one change: ``noticed``, ``timeout`` (noticed too), ``survived`` or ``equivalent``."""

    file: str
    line: int
    before: str
    after: str
    outcome: str


@dataclass(frozen=True)
class Mutant:
    """A change of ``file`` (relative to the checkout), and the line of the file that it begins in."""

    file: str
    change: Change
    text: str

    @property
    def entry(self) -> dict[str, str]:
        """What the list of changes that change nothing calls it; ``line`` is text, for numbers move."""
        return {"file": self.file, "line": self.text, "before": self.change.before, "after": self.change.after}

    def result(self, outcome: str) -> Result:
        """What became of it."""
        return Result(self.file, self.change.line, self.change.before, self.change.after, outcome)


def main(argv: Sequence[str]) -> None:
    options = parser("Which small changes of the code do its tests not notice?")
    options.add_argument("paths", nargs="+", help="files or folders below fairface/ of this checkout")
    options.add_argument("--count", type=int, default=100, help="changes to draw")
    options.add_argument("--seed", type=int, default=0, help="of the draw")
    options.add_argument("--jobs", type=int, default=1, help="changes tried at a time, each in a copy of its own")
    options.add_argument("--limit", type=float, default=0.0, help="seconds for the tests of a change; 0: three times "
                         "what they take unchanged, and 20 more")  # fmt: skip
    options.add_argument("--list", action="store_true", help="only list what would be tried")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    args = options.parse_args(argv)
    root = Path(__file__).resolve().parents[1]
    drawn = draw(root, files_of(root, args.paths), args.count, args.seed)
    known = equivalent(root)
    tell(f"{KNOWN}: {file} has no line {line!r} any more; take it out" for file, line in stale(root, known))
    if args.list:
        print(table([_row(mutant.file, mutant.change) for mutant in drawn], ["where", "before", "after"]))
        return
    results = [mutant.result(EQUIVALENT) for mutant in drawn if mutant.entry in known]
    results += try_all(root, [mutant for mutant in drawn if mutant.entry not in known], args.jobs, args.limit)
    report(results, args.seed, args.json)


def files_of(root: Path, paths: Sequence[str]) -> list[Path]:
    """The Python files of ``paths``, sorted, relative to ``root``.

    Raises:
        ConfigError: a path is not in the checkout or holds no Python file.
    """
    found = set()
    for name in paths:
        path = Path(name).resolve()
        files = [path] if path.suffix == ".py" and path.is_file() else list(path.rglob("*.py"))
        if not files or root not in path.parents:
            raise ConfigError(f"{name}: holds no Python file of {root}; name files or folders such as fairface/scoring")
        found |= {file.relative_to(root) for file in files}
    return sorted(found)


def draw(root: Path, files: Sequence[Path], count: int, seed: int) -> list[Mutant]:
    """``count`` changes (or all, where there are fewer), every change of every file as likely as any other."""
    every = []
    for file in files:
        source = (root / file).read_bytes()
        lines = source.decode().splitlines()
        every += [Mutant(file.as_posix(), change, lines[change.line - 1].strip()) for change in changes(source)]
    return random.Random(seed).sample(every, min(count, len(every)))


def equivalent(root: Path) -> list[dict[str, str]]:
    """The changes that change nothing, as :attr:`Mutant.entry` has them."""
    path = root / KNOWN
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    return [{key: entry[key] for key in ("file", "line", "before", "after")} for entry in entries or []]


def stale(root: Path, known: Sequence[dict[str, str]]) -> list[tuple[str, str]]:
    """File and line of the entries whose line is not in the file any more."""
    found = []
    for entry in known:
        path = root / entry["file"]
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        if entry["line"] not in map(str.strip, lines):
            found.append((entry["file"], entry["line"]))
    return found


def try_all(root: Path, mutants: Sequence[Mutant], jobs: int, limit: float) -> list[Result]:
    """Try each change; the tests that are needed must pass without a change.

    Raises:
        ConfigError: a file outside fairface/, or tests that fail unchanged.
    """
    needed = {mutant.file: tests_of(root, mutant.file) for mutant in mutants}
    with _copies(root, jobs) as copies:
        limits = {tests: limit or copies.queue[0].baseline(tests) * 3 + 20 for tests in {*needed.values()} - {()}}

        def attempt(mutant: Mutant) -> Result:
            copy, tests = copies.get(), needed[mutant.file]
            try:
                outcome = copy.attempt(mutant.file, mutant.change, tests, limits.get(tests, 0.0))
            finally:
                copies.put(copy)
            return mutant.result(outcome)

        with ThreadPoolExecutor(jobs) as pool:
            return list(progress(pool.map(attempt, mutants), total=len(mutants), label="changes", unit="change"))


@contextmanager
def _copies(root: Path, jobs: int) -> Iterator[queue.Queue[Copy]]:
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: queue.Queue[Copy] = queue.Queue()
        for number in range(jobs):
            copies.put(Copy(root, Path(folder, str(number))))
        yield copies


def report(results: Sequence[Result], seed: int, as_json: bool) -> None:
    """Print what survived, and how many of those that change something were noticed."""
    outcomes = Counter(result.outcome for result in results)
    survived, counted = outcomes[SURVIVED], len(results) - outcomes[EQUIVALENT]
    summary = {"seed": seed, "changes": counted, NOTICED: counted - survived, EQUIVALENT: outcomes[EQUIVALENT]}
    if as_json:
        print_json({**summary, "results": [asdict(result) for result in results]})
        return
    left = sorted((r for r in results if r.outcome == SURVIVED), key=lambda r: (r.file, r.line))
    rows = [(f"{r.file}:{r.line}", _short(r.before), _short(r.after)) for r in left]
    if rows:
        print(table(rows, ["not noticed", "before", "after"]))
    share = f" ({summary[NOTICED] / counted:.0%})" if counted else ""
    nothing = f"{outcomes[EQUIVALENT]} more change nothing"
    print(f"seed {seed}: {summary[NOTICED]} of {counted} changes noticed{share}; {nothing}")


def _row(file: str, change: Change) -> tuple[str, str, str]:
    return f"{file}:{change.line}", _short(change.before), _short(change.after)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…"


if __name__ == "__main__":
    run(main)
