"""Bytes and doubles as float32 values, and lengths."""

import numpy as np
import pytest

from fairface.workers.numbers import as_words, from_words, rounded_length, split_doubles


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64, np.float64])
def test_words_bring_every_bit_back_after_a_sum_with_zeros(dtype):
    values = np.random.default_rng(0).integers(0, 256, 64 * np.dtype(dtype).itemsize, np.uint8).view(dtype)
    words = as_words(values)
    assert words.max() < 2**16
    assert from_words(words + np.zeros_like(words), dtype).tobytes() == values.tobytes()


def test_doubles_keep_48_bits():
    values = np.random.default_rng(1).normal(size=1000) * 10.0 ** np.arange(-10, 10, 0.02)
    high, low = split_doubles(values).astype(np.float64)
    assert (np.abs(high + low - values) <= np.abs(values) * 2.0**-47).all()


def test_lengths_are_few_and_close():
    lengths = {n: rounded_length(n) for n in range(1, 5000)}
    assert all(n <= rounded <= n * 1.125 for n, rounded in lengths.items())
    assert len(set(lengths.values())) < 100
    assert rounded_length(0) == 1
