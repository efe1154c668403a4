"""Whether a network's weights are all in its ONNX file.

The format lets a tensor name another file in place of its values, and ONNX Runtime then reads that file, wherever it
lies: with a file of a stranger's, any file of the user's would flow into the embeddings, and with a relative name the
embeddings depend on the folder that a program is started in.
"""

from __future__ import annotations

from fairface.data.protobuf import parts
from fairface.errors import CheckpointError

# Numbers of the fields of onnx.proto that lead to tensors: message to {field: message that it holds}.
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_EXTERNAL, _NAME = 13, 8  # of TensorProto


def refuse_external_data(content: bytes, name: str) -> None:
    """Refuse the network in an ONNX file's ``content`` where a tensor lies in another file; ``name`` is for messages.

    Raises:
        CheckpointError: such a tensor, or no ONNX file.
    """
    waiting = [("model", 0, len(content))]
    try:
        while waiting:
            message, start, end = waiting.pop()
            if message == "tensor":
                if parts(content, start, end, _EXTERNAL):
                    raise CheckpointError(
                        f"{name}: its tensor {_text(content, start, end)!r} lies in another file, and weights beside "
                        "an ONNX file are not read; save it in one file (onnx.save_model(onnx.load(FILE), NEW))"
                    )
                continue
            for field, inner in _INSIDE[message].items():
                waiting += [(inner, *place) for place in parts(content, start, end, field)]
    except (ValueError, IndexError) as error:
        raise CheckpointError(
            f"{name}: ONNX Runtime cannot read this network ({error}); copy or export it again"
        ) from error


def _text(content: bytes, start: int, end: int) -> str:
    return "".join(content[i:j].decode("utf-8", "replace") for i, j in parts(content, start, end, _NAME)[:1])
