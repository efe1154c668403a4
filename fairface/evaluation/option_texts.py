"""Options of the form NAME=… as several programs take them. No MXNet."""

from __future__ import annotations

from collections.abc import Sequence

from fairface.errors import ConfigError


def values_of_attributes(texts: Sequence[str], wanted: Sequence[str]) -> dict[str, list[str]]:
    """``NAME=A,B`` as the values that NAME, one of the attributes ``wanted``, may have.

    Raises:
        ConfigError: a text of another form, or about an attribute that is not used.
    """
    allowed = {}
    for text in texts:
        name, values = _named(text, "--values", "NAME=A,B")
        if name not in wanted:
            raise ConfigError(
                f"--values {text!r}: {name} is not used; name it with --protected or --legitimate, or leave its values "
                "out"
            )
        allowed[name] = [value.strip() for value in values.split(",")]
    return allowed


def roles_of_columns(texts: Sequence[str]) -> dict[str, str]:
    """``image_a=Left,same=Match``, in one text or several, as the columns that play these roles.

    Raises:
        ConfigError: a text of another form.
    """
    return dict(_named(part, "--columns", "ROLE=COLUMN,…") for text in texts for part in text.split(","))


def _named(text: str, option: str, form: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise ConfigError(f"{option} {text!r}: write {form}")
    return name.strip(), value.strip()
