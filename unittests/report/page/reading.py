"""A page read back: its elements, what ids and references it has, its data."""

import base64
import hashlib
import json
from html.parser import HTMLParser

VOID = {"meta", "input", "img"}


class Reader(HTMLParser):
    """Collects elements with their attributes and text, and checks that they nest.

    Attributes:
        elements: (name, attributes, text directly and indirectly inside) in the order of their ends.
    """

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self._open = [], []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, name, attributes):
        if name in VOID:
            self.elements.append((name, dict(attributes), ""))
        else:
            self._open.append([name, dict(attributes), ""])

    def handle_startendtag(self, name, attributes):
        self.elements.append((name, dict(attributes), ""))

    def handle_endtag(self, name):
        opened = self._open.pop()
        assert opened[0] == name
        self.elements.append(tuple(opened))

    def handle_data(self, data):
        for opened in self._open:
            opened[2] += data

    def named(self, name):
        """All (attributes, text) of the elements of this name."""
        return [(attributes, text) for found, attributes, text in self.elements if found == name]

    def data(self):
        """The data block, or None."""
        blocks = [text for attributes, text in self.named("script") if attributes.get("type") == "application/json"]
        return json.loads(blocks[0]) if blocks else None

    def live(self):
        """The text of the cells that the script moves, by (row, what)."""
        return {
            (int(attributes["data-row"]), attributes["data-shows"]): text
            for attributes, text in self.named("td") if "data-row" in attributes
        }  # fmt: skip


def check(text):
    """What every page must keep to; returns the :class:`Reader`."""
    page = Reader(text)
    policy = next(a["content"] for a, _ in page.named("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';")
    for kind, blocks in (("style", page.named("style")), ("script", page.named("script"))):
        for attributes, inside in blocks:
            if attributes.get("type") != "application/json":
                digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
                assert f"{kind}-src 'sha256-{digest}'" in policy
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for name, attributes, _ in page.elements:
        assert "style" not in attributes
        assert not any(key.startswith("on") for key in attributes)
        for key in ("href", "src", "xlink:href"):
            target = attributes.get(key, "#")
            assert target.startswith(("#", "data:image/jpeg;base64,")), (name, target)
            assert target in ("#", "") or target.startswith("data:") or target[1:] in ids, target
        for value in attributes.values():
            if value and value.startswith("url("):
                assert value[5:-1] in ids
    for attributes, _ in page.named("svg"):
        assert attributes["role"] == "img"
        assert attributes["aria-label"]
    for attributes, _ in page.named("img"):
        assert attributes["alt"]
    return page
