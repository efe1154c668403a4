"""A copy of the checkout in which mutants.py changes one file at a time and runs tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from mutations import Change

from fairface.errors import ConfigError

NOTICED, TIMEOUT, SURVIVED = "noticed", "timeout", "survived"
# A seed for hypothesis: every change is tried on the same examples.
PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--no-header", "--tb=no")


def tests_of(root: Path, file: str) -> tuple[str, ...]:
    """The test files that mirror the package of ``file``, the nearest first; empty where there are none.

    Raises:
        ConfigError: the file is no part of the package ``fairface``.
    """
    path = Path(file)
    if path.parts[0] != "fairface":
        raise ConfigError(f"{file}: no tests in unittests/ mirror it; name files of fairface/")
    parts = path.parts[1:]
    if len(parts) == 1:
        found = [test for test in (root / "unittests").glob("test_*.py") if _named_after(test, path)]
    else:
        found = [*(root / "unittests" / parts[0]).rglob("test_*.py")]
    near = Path("unittests", *parts).parent

    def distance(test: Path) -> tuple[bool, bool, str]:
        return not _named_after(test, path), test.parent != near, test.as_posix()

    return tuple(test.as_posix() for test in sorted((test.relative_to(root) for test in found), key=distance))


def _named_after(test: Path, file: Path) -> bool:
    return f"_{file.stem}_" in f"{test.stem}_"


class Copy:
    """The files of the checkout at ``root`` that git knows or would take in, copied to ``place``."""

    def __init__(self, root: Path, place: Path) -> None:
        self.place = place
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        if listed.returncode:
            raise ConfigError(f"{root}: is no git checkout ({listed.stderr.strip()}); clone the project to try changes")
        for name in filter(None, listed.stdout.split("\0")):
            if os.path.lexists(root / name):
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, place / name, follow_symlinks=False)

    def baseline(self, tests: tuple[str, ...]) -> float:
        """Seconds that the tests take unchanged.

        Raises:
            ConfigError: they fail.
        """
        started = time.monotonic()
        if self._run(tests, None, keep_bytecode=True) != 0:
            raise ConfigError(f"{tests[0]} and its neighbours fail without any change; fix the tests first")
        return time.monotonic() - started

    def attempt(self, file: str, change: Change, tests: tuple[str, ...], limit: float) -> str:
        """What the tests say of ``change`` in ``file`` within ``limit`` seconds; the file is as before afterwards.

        Without any tests every change survives.
        """
        if not tests:
            return SURVIVED
        path = self.place / file
        source = path.read_bytes()
        # Bytecode is matched by size and whole seconds, which a change may leave alone.
        for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            stale.unlink()
        path.write_bytes(change.apply(source))
        try:
            return SURVIVED if self._run(tests, limit) == 0 else NOTICED
        except subprocess.TimeoutExpired:
            return TIMEOUT
        finally:
            path.write_bytes(source)

    def _run(self, tests: tuple[str, ...], limit: float | None, keep_bytecode: bool = False) -> int:
        environment = {**os.environ, "PYTHONPATH": str(self.place)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        if not keep_bytecode:
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        process = subprocess.Popen(
            [sys.executable, *PYTEST, *tests], cwd=self.place, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            return process.wait(limit)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # the tests' own processes too
                process.wait()
