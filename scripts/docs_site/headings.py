"""A hook of mkdocs: headings get the anchors that they have on GitHub, so that links hold in both places."""

from __future__ import annotations

import re
from typing import Any


def slug(heading: str, separator: str = "-") -> str:
    """The anchor of a heading: lower case, without signs, blanks as hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", separator)


def on_config(config: Any) -> Any:
    """Called by mkdocs once its configuration is read."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = slug
    return config
