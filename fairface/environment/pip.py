"""Call pip, show that it works, and say in one line why it failed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from fairface.environment import SetupError

OFFLINE = (
    "NewConnectionError", "Failed to establish a new connection", "name resolution", "ProxyError", "ConnectTimeout",
    "ReadTimeout", "Connection refused", "No matching distribution", "Max retries exceeded",
)  # fmt: skip


def say(text: str) -> None:
    """One line about a step, on standard error: standard output holds the result only."""
    print(f"environment: {text}", file=sys.stderr, flush=True)


def run_pip(python: str, arguments: Sequence[str], label: str, log: Path) -> None:
    """``python -m pip ARGUMENTS`` with its output in ``log``; on a terminal the seconds count up.

    Raises:
        SetupError: pip failed; the message has pip's own reason and what to do.
    """
    command = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    shown = sys.stderr.isatty()
    if not shown:
        say(label)
    start = time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                if shown:
                    print(f"\renvironment: {label} {time.monotonic() - start:4.0f} s", end="", file=sys.stderr)
                    sys.stderr.flush()
                try:
                    process.wait(1.0)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            if shown:
                print(file=sys.stderr)
    if process.returncode != 0:
        raise SetupError(f"pip failed while {label}: {reason(log.read_text(encoding='utf-8', errors='replace'))}")


def reason(output: str) -> str:
    """Pip's output as one line: what went wrong and what to do."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if any("No space left on device" in line for line in lines):
        return "no space left on the device; free about 2 GB and start again"
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    last = errors[-1] if errors else (lines[-1] if lines else "no output")
    if any(sign in line for sign in OFFLINE for line in lines):
        return (
            f"{last}; the package index could not be reached or does not have it: connect to the network, "
            "or name a mirror or a folder of wheels in pip's own settings, and start again"
        )
    return f"{last}; fix that and start again"
