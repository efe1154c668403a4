"""What was evaluated, and how: data, command, versions."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fairface import __version__
from fairface.comparisons import Comparisons
from fairface.report.fairness_numbers import MISSING
from fairface.report.page.panel import Page, Panel, Table


@dataclass(frozen=True)
class Provenance:
    """Where numbers come from.

    Attributes:
        command: as it was typed.
        sources: what was read, by what it is.
    """

    command: str
    sources: Mapping[str, str]

    @classmethod
    def of(cls, program: str, arguments: Sequence[str], sources: Mapping[str, str]) -> Provenance:
        """``program`` with its ``arguments``, quoted for a shell."""
        return cls(shlex.join([*program.split(), *arguments]), sources)


def data_panel(comparisons: Comparisons, key: str = "data", title: str = "Data") -> Panel:
    """People, images, comparisons and groups."""
    used = np.unique(np.concatenate([comparisons.a, comparisons.b]))
    people = np.concatenate([comparisons.subject_a, comparisons.subject_b])
    named = len(people) > 0 and bool((people >= 0).all())
    rows = [
        ("subjects", f"{len(np.unique(people)):,}" if named else f"{MISSING} (the comparisons name none)"),
        ("images", f"{len(used):,}"),
        ("mated comparisons", f"{comparisons.genuine:,}"),
        ("non-mated comparisons", f"{comparisons.impostor:,}"),
    ]
    for column, name in enumerate(comparisons.attribute_names):
        codes = comparisons.attributes[used, column]
        values = comparisons.attribute_values[column] if column < len(comparisons.attribute_values) else ()
        for code in np.unique(codes).tolist():
            value = "unknown" if code < 0 else values[code] if code < len(values) else str(code)
            rows.append((f"images with {name} = {value}", f"{int((codes == code).sum()):,}"))
    return Panel(key, title, tables=(Table("What was compared", ("what", "number"), tuple(rows)),))


def provenance_panel(of: Provenance) -> Panel:
    """The command that made the numbers, what it read, and the versions of what computed them."""
    import scipy

    rows = [("command", of.command), *((f"{what}", name) for what, name in of.sources.items())]
    rows += [
        ("fairface", __version__), ("Python", platform.python_version()), ("numpy", np.__version__),
        ("scipy", scipy.__version__), ("system", f"{platform.system()} {platform.machine()}"),
    ]  # fmt: skip
    table = Table("To get the same numbers", ("what", "value"), tuple(rows))
    return Panel("command", "Command and versions", tables=(table,))


def plain_page(
    title: str, verdict: Sequence[str], panels: Sequence[Panel], made_by: Provenance, notes: Sequence[str] = ()
) -> Page:
    """A page without a slider: ``panels``, then the command and versions."""
    return Page(title, tuple(verdict), (*panels, provenance_panel(made_by)), notes=tuple(notes))
