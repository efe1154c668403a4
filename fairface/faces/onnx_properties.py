"""What an ONNX file says of itself, read without ONNX Runtime and without its weights."""

from __future__ import annotations

import mmap
from pathlib import Path

from fairface.data.protobuf import parts
from fairface.errors import CheckpointError

_PROPERTIES, _KEY, _VALUE = 14, 1, 2  # metadata_props of ModelProto, a StringStringEntryProto each (onnx.proto)


def read_properties(path: Path, name: str) -> dict[str, str]:
    """Names and texts of the file's ``metadata_props``; of a name that comes twice, the last.

    Args:
        path: the file.
        name: for messages.

    Raises:
        CheckpointError: it cannot be read, or is no protobuf message.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            entries = [data[start:end] for start, end in parts(data, 0, len(data), _PROPERTIES)]
        return {_text(entry, _KEY): _text(entry, _VALUE) for entry in entries}
    except OSError as error:
        raise CheckpointError(f"{name}: cannot be read ({error.strerror}); name another file") from error
    except (IndexError, ValueError) as error:  # an empty file is one of them
        raise CheckpointError(f"{name}: is no ONNX file, or damaged ({error}); export or copy it again") from error


def _text(entry: bytes, field: int) -> str:
    found = parts(entry, 0, len(entry), field)
    return entry[slice(*found[-1])].decode("utf-8", "replace") if found else ""
