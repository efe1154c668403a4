"""What devices have left."""

from types import SimpleNamespace

import pytest

from fairface.mx import mx
from fairface.training import memory as module
from fairface.training.memory import available_bytes


def test_the_fullest_gpu_counts_and_main_memory_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available_memory", lambda: 7)
    assert available_bytes([mx.cpu(0), mx.cpu(1)]) == 7
    free = {0: (5000, 9000), 3: (4000, 16000)}
    fake = SimpleNamespace(context=SimpleNamespace(gpu_memory_info=free.__getitem__), MXNetError=mx.MXNetError)
    monkeypatch.setattr(module, "mx", fake)
    assert available_bytes([mx.gpu(0), mx.gpu(3)]) == 4000
    assert available_bytes([mx.gpu(0)]) == 5000


def test_a_gpu_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(number: int) -> None:
        raise mx.MXNetError("no driver")

    fake = SimpleNamespace(context=SimpleNamespace(gpu_memory_info=silent), MXNetError=mx.MXNetError)
    monkeypatch.setattr(module, "mx", fake)
    assert available_bytes([mx.gpu(0)]) is None
