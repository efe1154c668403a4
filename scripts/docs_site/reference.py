"""The pages of the reference: what stands on each, and its text for mkdocstrings."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Mapping
from types import ModuleType

# Page to title, first sentence, and the modules whose public names stand on it.
PAGES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "reference/fairface.md": (
        "Photographs to decisions",
        "What `import fairface` offers; [how to use it](../docs/inference.md).",
        ("fairface",),
    ),
    "reference/scoring.md": (
        "Scoring",
        "Arrays in, results out, without MXNet; [how to bring your own](../docs/bring_your_own.md).",
        ("fairface.scoring.verification", "fairface.scoring.fairness", "fairface.scoring.identification",
         "fairface.scoring.retrieval", "fairface.comparisons", "fairface.embedding.store"),
    ),
    "reference/contracts.md": (
        "Contracts",
        "What a part of your own must keep to; [where it goes](../docs/architecture.md#where-something-new-goes).",
        ("fairface.data.types", "fairface.heads.base", "fairface.methods.base", "fairface.errors"),
    ),
}  # fmt: skip


def reference_page(page: str) -> str:
    """The text of one of :data:`PAGES`, with a line for each public name where mkdocstrings puts its docstring."""
    title, first, modules = PAGES[page]
    parts = [f"# {title}", first]
    for name in modules:
        for public, path in public_paths(importlib.import_module(name)).items():
            parts.append(f"::: {path}\n    options:\n      heading: {public}")
    return "\n\n".join(parts) + "\n"


def public_paths(module: ModuleType) -> dict[str, str]:
    """Each public class and function, in the order of ``__all__`` or of the source, and where it is defined."""
    names: Iterable[str] = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]  # fmt: skip
    found = {f"{module.__name__}.{name}": getattr(module, name) for name in names}
    return {public: f"{of.__module__}.{of.__qualname__}" for public, of in found.items()
            if inspect.isclass(of) or inspect.isfunction(of)}  # fmt: skip
