"""The classifier's benchmark: its sides compute the same, and its figures are what they say."""

import pytest

from fairface.errors import FairfaceError


def test_all_sides_compute_the_same_and_hold_what_they_say(result_of):
    result = result_of("classifier")
    sides = result["sizes"]["300"]
    dense = 3 * 4 * 8 * 300
    for name, bytes_of in (("dense", dense), ("sharded", dense), ("sampled-mapped", dense * 0.1)):
        assert sides[name]["state_gb"] == pytest.approx(bytes_of / 1e9, rel=1e-6)
        assert 0 < sides[name]["held_gb"] <= sides[name]["peak_gb"]
    assert sides["sharded"]["first_loss"] == pytest.approx(sides["dense"]["first_loss"], rel=1e-5)
    assert sides["sampled-mapped"]["first_loss"] < sides["dense"]["first_loss"]  # fewer classes to be mistaken for
    assert result["left_out"] == []
    assert result["ratios"]["dense / sampled-mapped, 300, memory"] == pytest.approx(10)
    spread = result["ratio_spread"]["dense / sharded, 300"]
    assert spread["max"] <= sides["dense"]["seconds"]["max"] / sides["sharded"]["seconds"]["min"]


def test_sides_with_different_losses_stop(benchmarks):
    from classifier import Readings, check_losses

    readings = {name: Readings() for name in ("dense", "sharded", "sampled")}
    for name, loss in (("dense", 40.0), ("sharded", 40.001), ("sampled", 30.0)):
        readings[name].about = {"first_loss": loss}
    check_losses(readings, {"classes": 5})
    readings["sharded"].about = {"first_loss": 40.1}
    with pytest.raises(FairfaceError, match="5 identities: the sides' first losses differ"):
        check_losses(readings, {"classes": 5})


def test_what_a_side_needs_and_unknown_sides(benchmarks):
    from argparse import Namespace

    from classifier import kinds_of, need_of

    job = {"classes": 1000, "embedding": 512, "batch": 128}
    assert need_of("dense", job, 0.1) == 4 * (6 * 1000 * 512 + 10 * 128 * 1000)
    assert need_of("sampled", job, 0.1) == pytest.approx(4 * (2.6 * 1000 * 512 + 128 * 1000))
    for sides in ("sampled", "dense,other"):
        with pytest.raises(FairfaceError, match="give dense first"):
            kinds_of(Namespace(sides=sides, rate=0.1, scratch="/tmp"))


def test_the_picture_shows_every_side_where_it_was_measured(benchmarks, tmp_path):
    from classifier_plot import plot, points_of

    def side(seconds, gigabytes):
        return {"seconds": {"median": seconds}, "state_gb": gigabytes}

    sizes = {"1000": {"dense": side(2.0, 5.0), "torch": side(3.0, 5.0)}, "100": {"dense": side(0.2, 0.5)}}
    result = {"sizes": sizes}
    assert points_of(result, "dense", time=True) == [(100, 0.2), (1000, 2.0)]
    assert points_of(result, "torch", time=False) == [(1000, 5.0)]
    plot(result, tmp_path / "classifier.svg")
    text = (tmp_path / "classifier.svg").read_text()
    assert text.startswith("<?xml")
    assert "identities" in text
    assert "torch" in text
