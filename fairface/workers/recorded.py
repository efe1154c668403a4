"""Whether autograd has recorded where an array comes from."""

from __future__ import annotations

from fairface.mx import NDArray, mx


def is_recorded(array: NDArray) -> bool:
    """Whether a backward pass can begin at ``array``, a result of operators.

    Nothing is recorded where no input leads to a parameter, as behind a frozen net. MXNet tells so only by refusing to
    set the flag of a fresh gradient; for results of operators the flag means nothing and is False as it is.
    """
    try:
        array._fresh_grad = False
    except mx.base.MXNetError:
        return False
    return True
