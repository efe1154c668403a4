"""A trained net from an ONNX file, run on one core: by ONNX Runtime where it is installed, else by OpenCV.

Both give the same numbers but for rounding. OpenCV prepares itself anew for every new size of the input, which takes
longer than a small net itself: a search for faces takes twice as long with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.errors import DeviceError

Floats = NDArray[np.float32]
Net = Callable[[Floats], list[Floats]]


def load_net(path: Path, outputs: Sequence[str], remedy: str) -> Net:
    """The net in ``path``: from its only input to its ``outputs``, by name. It belongs to one thread.

    Raises:
        DeviceError: the file holds no such net, with the ``remedy``; or OpenCV would have to run it and is version 5 or
            later.
    """
    try:
        content = path.read_bytes()
        if find_spec("onnxruntime") is not None:
            return _by_onnxruntime(content, list(outputs))
        check_opencv(cv2.__version__)
        return _by_opencv(content, list(outputs))
    except (OSError, ValueError) as error:
        raise DeviceError(f"{path}: no readable net; {remedy}") from error


def check_opencv(version: str) -> None:
    """Refuse OpenCV 5 and later: its new engine gives other numbers for these nets.

    Raises:
        DeviceError: with the command that installs a fitting version.
    """
    if int(version.split(".", 1)[0]) >= 5:
        raise DeviceError(
            f"OpenCV {version} runs the nets that find faces wrongly; use an older one: "
            "pip install 'opencv-python-headless<5'"
        )


def _by_onnxruntime(content: bytes, outputs: list[str]) -> Net:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; damage is told by an exception, too
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (errors.InvalidProtobuf, errors.InvalidGraph, errors.Fail) as error:
        raise ValueError(str(error)) from error
    name = session.get_inputs()[0].name
    if missing := set(outputs) - {output.name for output in session.get_outputs()}:
        raise ValueError(f"no output {', '.join(sorted(missing))}")

    def run(values: Floats) -> list[Floats]:
        return [np.asarray(array, dtype=np.float32) for array in session.run(outputs, {name: values})]

    return run


def _by_opencv(content: bytes, outputs: list[str]) -> Net:
    try:
        net = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
    except cv2.error as error:
        raise ValueError(str(error)) from error
    if missing := set(outputs) - set(net.getUnconnectedOutLayersNames()):
        raise ValueError(f"no output {', '.join(sorted(missing))}")

    def run(values: Floats) -> list[Floats]:
        net.setInput(values)
        return [np.array(array, dtype=np.float32) for array in net.forward(outputs)]

    return run
