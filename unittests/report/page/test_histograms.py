"""What is written beside a histogram stands free of its numbers."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from fairface.report.page.histograms import histogram_panel
from fairface.report.page.svg import figure_of
from fairface.scoring.score_histogram import ScoreHistogram


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_the_title_of_the_axis_does_not_cross_its_numbers(groups):
    edges = np.linspace(0.4, 1.0, 61)
    narrow = np.zeros((groups, 60), np.int64)
    narrow[:, 30:36] = 3  # a density of 16.7: the numbers at the axis have four characters, such as 12.5
    of = ScoreHistogram(edges, tuple("fmx"[:groups]), mated=narrow, non_mated=narrow[:, ::-1])
    figure = figure_of(histogram_panel(of, 0.7, "scores", "Scores").drawing)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    title = figure._supylabel.get_window_extent(renderer)
    numbers = [label for label in figure.axes[0].get_yticklabels() if label.get_text()]
    assert max(len(label.get_text()) for label in numbers) >= 4
    assert title.x0 >= 0
    assert title.x1 < min(label.get_window_extent(renderer).x0 for label in numbers)
