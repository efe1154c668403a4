"""Dynamic loss scaling, step by step."""

from fairface.training.loss_scale import PATIENCE, LossScale


def test_shrinks_on_overflow_and_grows_after_good_steps() -> None:
    scale = LossScale(initial=8.0, growth_steps=3, largest=16.0)
    assert scale.update(False) is False
    assert (scale.value, scale.skipped) == (4.0, 1)
    assert [scale.update(True) for _ in range(3)] == [True] * 3
    assert scale.value == 8.0
    for _ in range(6):
        scale.update(True)
    assert scale.value == 16.0


def test_never_below_one_and_state_round_trip() -> None:
    scale = LossScale(initial=1.0)
    scale.update(False)
    scale.update(True)
    other = LossScale()
    other.load_state(scale.state())
    assert (other.value, other.good_steps, other.skipped) == (1.0, 1, 1)


def test_gives_up_when_the_smallest_factor_does_not_help() -> None:
    scale = LossScale(initial=2.0)
    scale.update(False)  # the factor was 2
    for _ in range(PATIENCE - 1):
        scale.update(False)
    assert not scale.exhausted
    scale.update(True)
    for _ in range(PATIENCE):
        assert not scale.exhausted
        scale.update(False)
    assert scale.exhausted
