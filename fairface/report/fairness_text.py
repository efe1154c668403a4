"""A fairness score as plain text or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from fairface.cli import table
from fairface.report.section import Section


def as_text(sections: Sequence[Section]) -> str:
    """For a terminal."""
    parts = []
    for section in sections:
        lines = [f"== {section.title}"]
        if section.rows:
            rows, header = _without_empty_columns(section)
            lines.append(table(rows, header))
        parts.append("\n".join([*lines, *section.lines]))
    return "\n\n".join(parts)


def as_markdown(sections: Sequence[Section]) -> str:
    """For a report."""
    parts = []
    for level, section in enumerate(sections):
        lines = [f"{'#' if level == 0 else '##'} {section.title}", ""]
        if section.rows:
            rows, header = _without_empty_columns(section)
            lines += [_row(header), "|" + "---|" * len(header), *map(_row, rows), ""]
        lines += [f"- {line}" for line in section.lines]
        parts.append("\n".join(lines).rstrip())
    return "\n\n".join(parts) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _without_empty_columns(section: Section) -> tuple[list[list[str]], list[str]]:
    kept = [i for i in range(len(section.header)) if any(row[i] for row in section.rows)]
    return [[row[i] for i in kept] for row in section.rows], [section.header[i] for i in kept]
