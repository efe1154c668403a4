"""Lengths of time as people say them."""

import pytest

from fairface.training.duration import in_words

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"), (8.76, "8.8 s"), (9.97, "10 s"), (42.4, "42 s"), (59.6, "1 min"), (80, "1 min 20 s"),
        (599.4, "9 min 59 s"), (599.6, "10 min"), (12 * 60 + 20, "12 min"), (80 * 60, "80 min"),
        (1.5 * HOUR, "1.5 h"), (3.4 * HOUR, "3.4 h"), (47.9 * HOUR, "47.9 h"), (2 * DAY, "2.0 days"),
        (2.6 * DAY, "2.6 days"),
    ],
)  # fmt: skip
def test_the_unit_fits_the_length(seconds, words):
    assert in_words(seconds) == words
