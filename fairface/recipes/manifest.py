"""A list of files with their sha256, written when all of them are there: how a preparation knows that it is done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fairface.files import atomic_write, inside, sha256
from fairface.parsing import parse_json


def write_manifest(path: Path, files: Iterable[Path], about: Mapping[str, Any]) -> None:
    """Write ``path``: ``about`` and the sha256 of ``files``, which lie below the manifest's folder.

    Raises:
        DataError: the manifest cannot be written.
    """
    sums = {os.path.relpath(file, path.parent): sha256(file) for file in sorted(files)}
    with atomic_write(path, "w", encoding="utf-8") as out:
        json.dump({"about": dict(about), "files": sums}, out, indent=1)
        out.write("\n")


def is_complete(path: Path, about: Mapping[str, Any]) -> bool:
    """Whether the manifest is there, says the same ``about`` and every file of it is as it was."""
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
        if content["about"] != json.loads(json.dumps(dict(about))) or not content["files"]:
            return False
        return all(sha256(inside(path.parent, name)) == expected for name, expected in content["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
