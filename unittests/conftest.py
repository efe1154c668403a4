"""What every test stands on: few threads, fixed seeds, no network, nothing left behind."""

from __future__ import annotations

import os

# Before numpy, OpenCV or MXNet load: the tests share the machine with each other and with other work.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")
os.environ.pop("COLUMNS", None)  # tables are as wide as they are, whatever terminal the tests are started in

import logging
import random
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
# Caches, environments and version control come and go; source files may be saved by an editor while tests run.
UNWATCHED = {".git", ".venv", "__pycache__", "build", "dist"}
SOURCES = {".py", ".md", ".sh", ".toml", ".yaml", ".yml"}


def files_of(root: Path) -> set[Path]:
    """Every file below ``root`` that a test could have left there."""
    found = set()
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in UNWATCHED and not name.endswith(("_cache", ".egg-info"))]
        found |= {Path(folder, name) for name in names if Path(name).suffix not in SOURCES}
    return found


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind() -> Iterator[None]:
    before = files_of(ROOT)
    yield
    left = sorted(str(path.relative_to(ROOT)) for path in files_of(ROOT) - before if ".hypothesis" not in path.parts)
    assert not left, f"the tests left files in the tree: {left[:5]}"


@pytest.fixture(autouse=True)
def fixed_seeds() -> None:
    random.seed(0)
    np.random.seed(0)
    if "mxnet" in sys.modules:
        from fairface.mx import mx

        mx.random.seed(0)


@pytest.fixture(autouse=True)
def nothing_silenced() -> None:
    """A program that another test started with --quiet has silenced the warnings of this process."""
    logging.getLogger("fairface").setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections may go to this machine only."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        local = self.family == socket.AF_UNIX or str(address[0]) in ("127.0.0.1", "::1", "localhost")
        if not local:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def root() -> Path:
    """The folder of the checkout."""
    return ROOT
