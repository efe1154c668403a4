import sys

import cv2
import numpy as np
import pytest

from fairface.errors import ConfigError, MissingPackageError
from fairface.report.curves import plot_curves
from fairface.scoring.roc import roc_curve


@pytest.fixture
def curves():
    rng = np.random.default_rng(0)
    same = rng.random(500) < 0.3
    return {"a set": roc_curve(rng.normal(same * 1.0, 1.0), same)}


def test_a_picture_is_drawn(tmp_path, curves):
    pytest.importorskip("matplotlib")
    plot_curves(tmp_path / "roc.png", curves)
    picture = cv2.imread(str(tmp_path / "roc.png"))
    assert picture.std() > 10
    assert [file.name for file in tmp_path.iterdir()] == ["roc.png"]


def test_other_kinds_of_picture_are_refused(tmp_path, curves):
    with pytest.raises(ConfigError, match=r"written as \.png, \.pdf, \.svg"):
        plot_curves(tmp_path / "roc.gif", curves)


def test_without_matplotlib_the_remedy_is_named(tmp_path, curves, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
    with pytest.raises(MissingPackageError, match=r"drawing needs matplotlib; (pip install|source) "):
        plot_curves(tmp_path / "roc.png", curves)
    assert list(tmp_path.iterdir()) == []


def test_a_curve_without_an_error_is_drawn_too(tmp_path):
    pytest.importorskip("matplotlib")
    perfect = roc_curve(np.array([0.9, 0.8, 0.1, 0.2]), np.array([True, True, False, False]))
    plot_curves(tmp_path / "roc.png", {"perfect": perfect})
    assert cv2.imread(str(tmp_path / "roc.png")) is not None
