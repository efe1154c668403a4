"""Reading a symbol: MXNet's JSON of any version since 0.8, checked first, without MXNet's own lines on the terminal.

A symbol may come from anybody, and MXNet trusts it: it calls what lies at an address that an operator names, and takes
an output that an operator does not have from the memory behind its last one. So MXNet is given only what was checked.

MXNet brings an older symbol up to date when it loads it and prints two lines about that. Its log has no level that can
be set, so standard error is caught while it loads; every other line goes on to where it would have gone.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fairface.errors import CheckpointError
from fairface.files import refuse_lfs_pointer
from fairface.graph.operators import ALLOWED, most_outputs
from fairface.mx import mx
from fairface.parsing import parse_json

_STDERR = 2
_UPGRADED = re.compile(rb"^\[\d\d:\d\d:\d\d\] \S*legacy_json_util\.cc:\d+: .*\n?", re.MULTILINE)


def read_symbol(path: str | os.PathLike[str]) -> Any:
    """The symbol in the file ``prefix-symbol.json``.

    Raises:
        CheckpointError: missing, no symbol that this MXNet can read, or an operator that is not run from files.
    """
    refuse_lfs_pointer(Path(path))
    not_one = f"{path}: is not an MXNet symbol; name the prefix of another model"
    try:
        graph = parse_json(Path(path).read_bytes())
        _check(graph, str(path))
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); name the prefix of another model") from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise CheckpointError(not_one) from error
    try:
        with _without_upgrade_lines():  # of what was checked: the file's text may say a key twice
            return mx.sym.load_json(json.dumps(graph, ensure_ascii=False))
    except (mx.base.MXNetError, UnicodeError) as error:
        raise CheckpointError(not_one) from error


def _check(graph: Any, path: str) -> None:
    """Refuse operators that are not run from files, and entries that are not there.

    Raises:
        CheckpointError: an operator that is not allowed.
        ValueError, TypeError, LookupError, AttributeError: no symbol.
    """
    nodes = graph["nodes"]
    for place, node in enumerate(nodes):
        operator, name = node["op"], node["name"]
        if (operator != "null" and operator not in ALLOWED) or "subgraphs" in node:
            raise CheckpointError(
                f"{path}: {name!r} uses the operator {operator!r}, which is not run from files, since some operators "
                "can read files or run code; name a model that is made of the usual layers"
            )
        _check_entries(node["inputs"], nodes[:place], name)
    _check_entries(graph["heads"], nodes, "heads")


def _check_entries(entries: Sequence[Sequence[int]], nodes: Sequence[Any], taker: str) -> None:
    """Raise ValueError unless ``entries`` (node, output[, version]) are outputs of ``nodes``."""
    for index, output, *_ in entries:
        node = nodes[index]
        if index < 0 or not 0 <= output < most_outputs(node["op"], _attributes(node)):
            raise ValueError(f"{taker} takes output {output} of {node['name']}")


def _attributes(node: Mapping[str, Any]) -> dict[str, str]:
    """The node's attributes, as whichever version called them; ValueError where two of them differ."""
    found: dict[str, str] = {}
    for key in ("attrs", "attr", "param"):
        for name, value in node.get(key, {}).items():
            if found.setdefault(name, value) != value:
                raise ValueError(f"{node['name']}: {name} is said twice")
    return found


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
