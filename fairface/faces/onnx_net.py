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
    except OSError as error:
        raise DeviceError(f"{path}: cannot be read ({error.strerror}); {remedy}") from error
    run = run_by_opencv if find_spec("onnxruntime") is None else run_by_onnxruntime
    try:
        return run(content, outputs, str(path))
    except _NoNet as error:
        raise DeviceError(f"{error}; {remedy}") from error


class _NoNet(DeviceError):
    """No net, or another one."""


def run_by_onnxruntime(content: bytes, outputs: Sequence[str], name: str) -> Net:
    """The net of an ONNX file's ``content``, whose ``name`` is for messages; inputs may have the sizes it declares.

    Raises:
        DeviceError: there is no such net in it.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; damage is told by an exception, too
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (errors.InvalidProtobuf, errors.InvalidGraph, errors.InvalidArgument, errors.Fail) as error:
        raise _NoNet(f"{name}: no readable net") from error
    _check_outputs(outputs, [output.name for output in session.get_outputs()], name)
    source = session.get_inputs()[0].name

    def run(values: Floats) -> list[Floats]:
        return [np.asarray(array, dtype=np.float32) for array in session.run(list(outputs), {source: values})]

    return run


def run_by_opencv(content: bytes, outputs: Sequence[str], name: str) -> Net:
    """The same for inputs of any size.

    Raises:
        DeviceError: there is no such net in it, or OpenCV is version 5 or later.
    """
    check_opencv(cv2.__version__)
    try:
        net = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
    except cv2.error as error:
        raise _NoNet(f"{name}: no readable net") from error
    _check_outputs(outputs, net.getUnconnectedOutLayersNames(), name)

    def run(values: Floats) -> list[Floats]:
        net.setInput(values)
        return [np.array(array, dtype=np.float32) for array in net.forward(list(outputs))]

    return run


def _check_outputs(wanted: Sequence[str], there: Sequence[str], name: str) -> None:
    if missing := sorted(set(wanted) - set(there)):
        raise _NoNet(f"{name}: a net without {', '.join(missing)}")


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
