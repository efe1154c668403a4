"""Do the batches have the columns that the method takes?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairface.data.loading.source import Source
from fairface.errors import ConfigError


def check_columns(reads: Mapping[str, str], sources: Sequence[Source], method: str) -> None:
    """Whether every source has each column of ``reads``, in its data or from its transform.

    Raises:
        ConfigError: one has not; the first record is named, with what to do.
    """
    for name, remedy in reads.items():
        for source in sources:
            if name not in source.columns:
                raise ConfigError(
                    f"{source.dataset.name(0)}: nothing tells its {name}, which method {method} needs of every image; "
                    f"{remedy}"
                )
