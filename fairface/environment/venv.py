"""The project's own environment, ``.venv``: made once, known to be whole, made again when it is not."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from fairface.environment import SetupError
from fairface.environment.pip import run_pip, say
from fairface.environment.requirements import locked_requirements, parse, project_requirements
from fairface.files import atomic_write
from fairface.quantity import quantity

STAMP = "fairface-environment.json"  # written last: without it the environment is not whole
MARK = "fairface-building"  # there while packages go in or out


@dataclass(frozen=True)
class Stamp:
    """What a whole environment was made from."""

    fingerprint: str
    device: str  # cpu | cu112
    gpu_failure: str = ""  # why a GPU that is there is not used


@dataclass(frozen=True)
class Venv:
    """The folder ``.venv`` of a checkout."""

    root: Path

    @property
    def path(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> str:
        return str(self.path / "bin" / "python")

    @property
    def log(self) -> Path:
        return self.path / "pip.log"

    def fingerprint(self) -> str:
        """Changes with the lock file, the project file and the folder (an environment cannot be moved)."""
        digest = hashlib.sha256(str(self.root).encode())
        for name in ("requirements.lock", "pyproject.toml"):
            digest.update((self.root / name).read_bytes())
        return digest.hexdigest()

    def stamp(self) -> Stamp | None:
        """The stamp of a whole and current environment, else ``None``."""
        try:
            stamp = Stamp(**json.loads((self.path / STAMP).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        whole = not (self.path / MARK).exists() and os.access(self.python, os.X_OK)
        return stamp if whole and stamp.fingerprint == self.fingerprint() else None

    def write_stamp(self, device: str, gpu_failure: str) -> None:
        with atomic_write(self.path / STAMP, "w", encoding="utf-8") as file:
            json.dump(asdict(Stamp(self.fingerprint(), device, gpu_failure)), file)
        (self.path / MARK).unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one start at a time may change the environment; a second one waits."""
        folder = os.open(self.root, os.O_RDONLY)
        try:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("waiting for another process that is creating the environment")
                fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def open(self) -> list[str]:
        """Make the folder ready for pip and mark it as being built. Returns extra options for pip."""
        mark = self.path / MARK
        interrupted = mark.read_text(encoding="utf-8") if mark.exists() else ""
        if interrupted == "made" or ((self.path / STAMP).exists() and not self._works()):
            say(f"{self.path} is incomplete or broken: creating it again")
            shutil.rmtree(self.path)
        if self.path.exists():
            if not self._works():
                raise SetupError(f"{self.path} has no working Python 3.10 to 3.12 with pip; move it away, start again")
            mark.write_text(interrupted or "adopted", encoding="utf-8")
            return ["--force-reinstall"] if interrupted else []
        self._create(mark)
        return []

    def _works(self) -> bool:
        code = "import sys, pip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))"
        command = [self.python, "-c", code]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    def _create(self, mark: Path) -> None:
        base = getattr(sys, "_base_executable", None) or sys.executable
        say(f"Python {sys.version_info[0]}.{sys.version_info[1]} ({base}), creating {self.path}")
        has_pip = importlib.util.find_spec("pip") is not None
        bundled = importlib.util.find_spec("ensurepip") is not None and importlib.util.find_spec("venv") is not None
        if not bundled and not has_pip:
            raise SetupError(f"{base} has neither ensurepip nor pip; install with: sudo apt-get install python3-venv")
        self.path.mkdir(parents=True)
        mark.write_text("made", encoding="utf-8")
        command = [base, "-m", "venv", *([] if bundled else ["--without-pip"]), str(self.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            if not has_pip:
                raise SetupError(f"{base} cannot create an environment: {(done.stdout + done.stderr).strip()[-200:]}")
            subprocess.run([*command[:3], "--without-pip", str(self.path)], capture_output=True, check=True)
            bundled = False
        if not bundled:
            target = next((self.path / "lib").glob("python3*/site-packages"))
            run_pip(base, ["install", "--target", str(target), "pip"], "fetching pip", self.log)

    def install(self, device: str, options: list[str]) -> None:
        """Install the lock file and, for a GPU, mxnet-cu112 with its libraries in place of mxnet."""
        lines = locked_requirements(self.root / "requirements.lock")
        locked = {parse(line).name for line in lines}
        extra = [
            item for item in project_requirements(self.root / "pyproject.toml", ["cu112"]) if item.name not in locked
        ]
        if device == "cu112":
            lines = [line for line in lines if parse(line).name != "mxnet"]
        self._remove(["mxnet"] if device == "cu112" else [item.name for item in extra])
        wanted = self.path / "requirements.txt"
        wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._pip(["--no-deps", *options, "-r", str(wanted)], f"installing {quantity(len(lines), 'package')}")
        if device == "cu112":
            lock = str(self.root / "requirements.lock")
            self._pip(["--constraint", lock, *map(str, extra)], "installing mxnet-cu112 and CUDA 11 (about 3 GB)")
        editable = ["--no-deps", "--no-build-isolation", "--editable", str(self.root)]
        self._pip(editable, "installing fairface from this folder")

    def _remove(self, names: list[str]) -> None:
        """Uninstall those of the distributions that are there: mxnet and mxnet-cu112 write to the same folder."""
        there = [
            name
            for name in names
            if any((self.path / "lib").glob(f"python3*/site-packages/{name.replace('-', '_')}-*.dist-info"))
        ]
        if there:
            run_pip(self.python, ["uninstall", "--yes", *there], "removing replaced packages", self.log)

    def _pip(self, arguments: list[str], label: str) -> None:
        run_pip(self.python, ["install", *arguments], label, self.log)
