"""Limits beside the fields: bounds, open ends, and that every default is within its own limit."""

from dataclasses import dataclass

import pytest

from fairface.config.limits import Range, check_fields, choice, options_of, within
from fairface.config.schema import SamplerConfig, TrainConfig
from fairface.config.staged import GroupChoice
from fairface.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    share: float = within(0.5, 0, 1, open_low=True)
    values: tuple[int, ...] = within((2, 3), 1, 9)


@dataclass(frozen=True)
class Outer:
    count: int = within(3, 2)
    kind: str = choice("", "b")
    free: str = "anything"
    inner: Inner = Inner()


@pytest.mark.parametrize("config", [Outer(), TrainConfig(), GroupChoice()])
def test_defaults_are_allowed(config) -> None:
    check_fields(config)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (Outer(count=1), "x.count is 1; it must be 2 or more"),
        (Outer(count=float("nan")), "x.count is nan; it must be 2 or more"),
        (Outer(kind="c"), "x.kind is 'c'; it must be one of: (empty), b"),
        (Outer(inner=Inner(share=0)), "x.inner.share is 0; it must lie between 0 and 1, 0 excluded"),
        (Outer(inner=Inner(share=1.1)), "x.inner.share is 1.1; it must lie between 0 and 1, 0 excluded"),
        (Outer(inner=Inner(values=(1, 10))), "x.inner.values is [1, 10]; each must lie between 1 and 9"),
    ],
)
def test_what_is_not_allowed_is_named(config, said) -> None:
    with pytest.raises(ConfigError) as caught:
        check_fields(config, "x.")
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("limit", "inside", "outside"),
    [
        (Range(0, 1), (0, 0.5, 1), (-1e-9, 1 + 1e-9, float("nan"))),
        (Range(0, 1, open_low=True), (1e-9, 1), (0,)),
        (Range(0, 1, open_high=True), (0, 1 - 1e-9), (1,)),
        (Range(0, 1, True, True), (0.5,), (0, 1)),
        (Range(2), (2, 1e300), (1.9,)),
    ],
)
def test_bounds(limit, inside, outside) -> None:
    assert all(map(limit.admits, inside))
    assert not any(map(limit.admits, outside))


def test_texts_of_open_ends() -> None:
    assert str(Range(0, open_low=True)) == "be above 0"
    assert str(Range(0, 1, open_high=True)) == "lie between 0 and 1, 1 excluded"
    assert str(Range(0, 1, True, True)) == "lie between 0 and 1, both excluded"


def test_options_can_be_read() -> None:
    assert options_of(SamplerConfig, "kind") == ("random", "pk", "distinct")
