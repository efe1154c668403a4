"""Telling of images that are damaged and can be decoded all the same: in the log, once for each."""

from __future__ import annotations

import logging

from fairface.printable import printable_line

# Shown on standard error where nobody configures logging; programs with --quiet raise the level of "fairface".
LOGGER = logging.getLogger("fairface.images")
_REMEMBERED = 10_000


class _Once(logging.Filter):
    """Lets each message pass once: a training reads an image in every epoch."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if text in self._told:
            return False
        if len(self._told) < _REMEMBERED:
            self._told.add(text)
        return True


LOGGER.addFilter(_Once())


def tell_damaged(name: str, remark: str) -> None:
    """Log that the image ``name`` is damaged, with the decoder's ``remark``."""
    LOGGER.warning("%s: the image is damaged (%s), so pixels may be wrong; restore or remove it",
                   printable_line(name), printable_line(remark))  # fmt: skip
