"""An extension of griffe that rewrites the docstring of everything that it finds."""

from __future__ import annotations

from typing import Any

from docs_site.docstring_text import readable
from griffe import Extension


class Docstrings(Extension):  # type: ignore[misc]  # griffe is untyped where it is not installed
    """Gives mkdocstrings what :func:`docs_site.docstring_text.readable` makes of our docstrings."""

    def on_object(self, *, obj: Any, **kwargs: Any) -> None:
        """Called by griffe for each module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = readable(obj.docstring.value)
