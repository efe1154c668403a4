import cv2
import numpy as np
import pytest

from fairface.errors import ConfigError
from fairface.report.identification_curves import plot_identification
from fairface.scoring.identification import Gallery, identify

pytest.importorskip("matplotlib")


def results(noise, enrolled=10):
    rng = np.random.default_rng(0)
    people, subjects = rng.standard_normal((20, 8)), rng.integers(0, 20, 150)
    probes = people[subjects] + noise * rng.standard_normal((150, 8))
    return identify(probes, subjects, Gallery(people[:enrolled], np.arange(enrolled)))


SETS = [{"usual": results(0.8)}, {"no error": results(0.0)}, {"closed": results(0.8, 20)},
        {"usual": results(0.8), "no error": results(0.0)}]  # fmt: skip


@pytest.mark.parametrize("found", SETS, ids=["usual", "no error", "closed", "two"])
def test_curves_are_drawn_even_where_no_rate_is_above_zero(found, tmp_path):
    plot_identification(tmp_path / "p.png", found)
    picture = cv2.imread(str(tmp_path / "p.png"))
    assert picture.shape[1] > 1000
    plot_identification(tmp_path / "p.svg", found)
    assert (tmp_path / "p.svg").read_text().rstrip().endswith("</svg>")


def test_another_kind_of_picture_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"pictures are written as \.png, \.pdf, \.svg"):
        plot_identification(tmp_path / "p.jpg", {"usual": results(0.8)})
