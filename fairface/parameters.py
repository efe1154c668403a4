"""A block's parameters by structural name: stable from process to process, unlike MXNet's counted names."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from fairface.errors import CheckpointError, DataError
from fairface.files import refuse_lfs_pointer, sync
from fairface.mx import NDArray, gluon, mx, nd
from fairface.parameters_file import check_parameters_file

RUNNING = ("running_mean", "running_var")  # ends of the names of BatchNorm's statistics
FINITE_AT_ONCE = 100  # MXNet's kernel has room for 200 arrays and writes beyond its end when it is given more


@runtime_checkable
class OwnArrays(Protocol):
    """A block whose saved arrays are not simply its parameters, such as class centres that are split over devices.

    What is saved does not depend on the number of devices.
    """

    def arrays(self) -> dict[str, NDArray]:
        """Name to array on the CPU."""

    def set_arrays(self, arrays: Mapping[str, NDArray], source: str) -> None:
        """Take back what :meth:`arrays` gave.

        Raises:
            CheckpointError: an array is missing, left over or of another shape; ``source`` names the file.
        """


@runtime_checkable
class SplitArrays(OwnArrays, Protocol):
    """Own arrays of which every worker holds other rows.

    While a run begins, worker 0 alone reads and fills them. After :meth:`spread` every worker calls ``arrays``, and
    worker 0 gets them whole, the others nothing.
    """

    def spread(self) -> None:
        """Give every worker its part of what worker 0 has."""


def arrays_of(block: gluon.Block) -> dict[str, NDArray]:
    """What is saved of a block: its own word (:class:`OwnArrays`), else every parameter's value."""
    return block.arrays() if isinstance(block, OwnArrays) else values(block)


def set_arrays(block: gluon.Block, arrays: Mapping[str, NDArray], source: str) -> None:
    """Fill a block with what :func:`arrays_of` gave.

    Raises:
        CheckpointError: as :func:`set_values`.
    """
    if isinstance(block, OwnArrays):
        block.set_arrays(arrays, source)
    else:
        set_values(block, arrays, source)


def structural(block: gluon.Block) -> dict[str, gluon.Parameter]:
    """Structural name (``stage1.0.conv1.weight``) to parameter, in the order in which the blocks were registered."""
    return dict(block._collect_params_with_prefix())


def values(block: gluon.Block) -> dict[str, NDArray]:
    """Structural name to value on the CPU."""
    return {name: value_of(name, parameter) for name, parameter in structural(block).items()}


def value_of(name: str, parameter: gluon.Parameter) -> NDArray:
    """The value of the parameter of this structural name, on the CPU.

    Copies on several devices are equal, and are taken as they are: a mean in float32 would round. Only BatchNorm's
    running statistics differ; their mean is taken in float64, where the mean of equal values is that value.
    """
    copies = parameter.list_data()
    if len(copies) == 1 or not name.endswith(RUNNING):
        return copies[0].as_in_context(mx.cpu())
    mean = np.mean([copy.asnumpy() for copy in copies], axis=0, dtype=np.float64)
    return nd.array(mean, ctx=mx.cpu(), dtype=copies[0].dtype)


def all_finite(arrays: Sequence[NDArray]) -> bool:
    """Whether every value of ``arrays``, all on one device, is finite."""
    parts = [arrays[i : i + FINITE_AT_ONCE] for i in range(0, len(arrays), FINITE_AT_ONCE)]
    # All are launched before the first is waited for.
    answers = [nd.multi_all_finite(*part, num_arrays=len(part)) for part in parts]
    return all(bool(answer.asscalar()) for answer in answers)


def set_values(block: gluon.Block, arrays: Mapping[str, NDArray], source: str) -> None:
    """Give every parameter of ``block`` the array of its structural name.

    Raises:
        CheckpointError: as :func:`check_values`.
    """
    check_values(block, arrays, source)
    for name, parameter in structural(block).items():
        parameter.set_data(arrays[name].astype(parameter.dtype))


def check_values(block: gluon.Block, arrays: Mapping[str, NDArray], source: str) -> None:
    """Whether :func:`set_values` can be called; nothing is changed, and ``block`` need not be initialised.

    Raises:
        CheckpointError: a parameter is missing in ``arrays``, one is left over, or a shape differs; the first is named.
    """
    own = structural(block)
    for name, parameter in own.items():
        if name not in arrays:
            raise CheckpointError(f"{source}: has no {name}; it belongs to another architecture or configuration")
        check_shape(name, parameter, arrays[name], source)
    extra = next((name for name in arrays if name not in own), None)
    if extra is not None:
        raise CheckpointError(
            f"{source}: holds {extra}, which this network does not have; it belongs to another architecture"
        )


def check_shape(name: str, parameter: gluon.Parameter, array: NDArray, source: str) -> None:
    """Raise :class:`CheckpointError` unless ``array`` fits ``parameter`` (unknown sizes, 0, fit anything)."""
    wanted = tuple(parameter.shape or ())
    if len(wanted) != array.ndim or any(w not in (0, a) for w, a in zip(wanted, array.shape, strict=True)):
        raise CheckpointError(
            f"{source}: {name} is {tuple(array.shape)}, this network needs {wanted}; "
            "check backbone.name, width, embedding size and image size"
        )


def count(block: gluon.Block) -> int:
    """Number of trainable values."""
    total = 0
    for parameter in structural(block).values():
        if parameter.grad_req != "null" and parameter.shape:
            size = 1
            for length in parameter.shape:
                size *= length
            total += size
    return total


def load_arrays(path: str) -> dict[str, NDArray]:
    """Read a file of named arrays that :func:`mx.nd.save` wrote (a plain binary format, no code in it).

    Raises:
        CheckpointError: missing, damaged, without names or with a name twice.
    """
    refuse_lfs_pointer(Path(path))
    try:
        check_parameters_file(Path(path))
        arrays = mx.nd.load(path)
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read as parameters ({error.strerror}); name another file") from error
    except Exception as error:  # MXNet raises its own base error for every cause
        first = str(error).strip().splitlines()
        raise CheckpointError(f"{path}: cannot be read as parameters ({first[-1] if first else 'damaged'})") from error
    if not isinstance(arrays, dict):
        raise CheckpointError(f"{path}: holds arrays without names; it is not a parameter file")
    return arrays


def without_kind(arrays: Mapping[str, NDArray], source: object) -> dict[str, NDArray]:
    """The arrays without ``arg:`` and ``aux:`` before their names.

    Raises:
        CheckpointError: two bear one name then; ``source`` names the file.
    """
    plain = {name.split(":", 1)[-1]: array for name, array in arrays.items()}
    if len(plain) < len(arrays):
        twice = next(name for name in plain if sum(key.split(":", 1)[-1] == name for key in arrays) > 1)
        raise CheckpointError(f"{source}: holds {twice!r} twice, as arg: and as aux:; write it again with one of them")
    return plain


def save_arrays(path: Path, arrays: Mapping[str, NDArray]) -> None:
    """Write a file of named arrays, whole or not at all.

    MXNet opens the file itself and reports no failed write: it is written to a temporary folder, read, synced and
    renamed.

    Raises:
        DataError: it cannot be written.
        CheckpointError: there is nothing to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=path.parent) as temporary:
        part = Path(temporary) / path.name
        try:
            mx.nd.save(str(part), dict(arrays))
            written = mx.nd.load(str(part))
            sync(part)
        except mx.base.MXNetError as error:
            reason = str(error).strip().splitlines()[-1]
            raise DataError(f"{path}: cannot be written ({reason}); free space or choose another folder") from error
        if not written:
            raise CheckpointError(f"{path}: there are no parameters to save")
        part.replace(path)
