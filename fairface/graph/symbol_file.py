"""Reading a symbol: MXNet's JSON of any version since 0.8, without MXNet's own lines on the terminal.

MXNet brings an older symbol up to date when it loads it and prints two lines about that. Its log has no level that can
be set, so standard error is caught while it loads; every other line goes on to where it would have gone.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fairface.errors import CheckpointError
from fairface.files import refuse_lfs_pointer
from fairface.mx import mx

_STDERR = 2
_UPGRADED = re.compile(rb"^\[\d\d:\d\d:\d\d\] \S*legacy_json_util\.cc:\d+: .*\n?", re.MULTILINE)


def read_symbol(path: str | os.PathLike[str]) -> Any:
    """The symbol in the file ``prefix-symbol.json``.

    Raises:
        CheckpointError: missing, or no symbol that this MXNet can read.
    """
    refuse_lfs_pointer(Path(path))
    try:
        with _without_upgrade_lines():
            return mx.sym.load(os.fspath(path))
    except (mx.base.MXNetError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path}: is not an MXNet symbol; name the prefix of another model") from error


@contextmanager
def _without_upgrade_lines() -> Iterator[None]:
    """Let what is written to standard error through, but for MXNet's lines on the upgrade of a symbol."""
    try:
        before = os.dup(_STDERR)
    except OSError:  # closed: nothing can reach it
        yield
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(before, _STDERR)
            os.close(before)
            caught.seek(0)
            rest = memoryview(_UPGRADED.sub(b"", caught.read()))
            while rest:
                rest = rest[os.write(_STDERR, rest) :]
