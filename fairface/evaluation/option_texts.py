"""Options of the form NAME=… as several programs take them. No MXNet."""

from __future__ import annotations

from collections.abc import Sequence

from fairface.errors import ConfigError
from fairface.protocols.bands import Bands


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


def bands_of_attributes(texts: Sequence[str], wanted: Sequence[str]) -> dict[str, Bands]:
    """``NAME=18,40,65`` as the bands of numbers that are the values of NAME, one of the attributes ``wanted``.

    Raises:
        ConfigError: a text of another form, bounds that do not rise, or an attribute that is not used.
    """
    found = {}
    for text in texts:
        name, bounds = _named(text, "--bands", "NAME=18,40,65")
        if name not in wanted:
            raise ConfigError(f"--bands {text!r}: {name} is not used; name it with --protected or --legitimate")
        try:
            found[name] = Bands.between([float(bound) for bound in bounds.split(",")])
        except ValueError as error:
            raise ConfigError(f"--bands {text!r}: write NAME=18,40,65") from error
    return found


def groups_of_attributes(
    values: Sequence[str], bands: Sequence[str], wanted: Sequence[str]
) -> dict[str, Sequence[str]]:
    """What ``--values`` and ``--bands`` say of the attributes ``wanted``.

    Raises:
        ConfigError: see :func:`values_of_attributes`, :func:`bands_of_attributes`; or both about one attribute.
    """
    allowed, banded = values_of_attributes(values, wanted), bands_of_attributes(bands, wanted)
    for name in allowed.keys() & banded.keys():
        raise ConfigError(f"{name}: --values and --bands cannot both be given")
    return {**allowed, **banded}


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
