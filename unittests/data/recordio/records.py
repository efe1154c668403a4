"""Records of a ``.rec`` file by key, header included: what tests look at."""

from __future__ import annotations

from pathlib import Path

from fairface.data.recordio.files import default_idx
from fairface.data.recordio.frame import RecordFile
from fairface.data.recordio.header import IRHeader, unpack
from fairface.data.recordio.keys import find_keys


class Records:
    """The records of ``path``, found by ``idx`` (default: the ``.idx`` beside it, else a walk through the file)."""

    def __init__(self, path: Path, idx: Path | None = None) -> None:
        self.file = RecordFile(path)
        self.keys, offsets = find_keys(self.file, idx or default_idx(path))
        self._offsets = dict(zip(self.keys.tolist(), offsets.tolist(), strict=True))

    def read(self, key: int) -> tuple[IRHeader, bytes]:
        """Header and payload."""
        return unpack(self.file.read_at(self._offsets[key]), str(key))
