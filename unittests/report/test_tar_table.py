import csv

import numpy as np
import pytest

from fairface.report.tar_table import HEADER, tar_rows, tar_text, write_roc_csv, write_tar_csv
from fairface.scoring.tar_table import tar_table


@pytest.fixture
def result():
    scores = np.array([0.9, 0.8, 0.4, *np.linspace(0, 0.5, 20)])
    return tar_table(scores, np.arange(23) < 3, (0.01, 0.1))


def test_a_row_has_what_was_reached_or_n_a_with_the_nearest_point(result):
    undefined, defined = tar_rows(result)
    assert len(defined) == len(undefined) == len(HEADER)
    assert undefined == ["0.01", "n/a", "n/a", "n/a", "0.6667", "0"]
    # 0.4 has four impostors (0.42 to 0.5) above it, so only two may be accepted; 0 and 0.2 are equally near to 0.1.
    assert defined == ["0.1", "0.6667", "0.1", "2 of 20", "1.0000", "0.2"]
    text = tar_text(result).splitlines()
    assert text[0] == "1:1, 3 genuine and 20 impostor comparisons; AUC 0.933333"
    assert text[-1] == "TAR at FAR 0.01 n/a: 20 impostor comparisons; FMR 0.01 needs at least 100"


def test_files_have_all_digits_and_empty_fields(result, tmp_path):
    write_tar_csv(tmp_path / "t.csv", result)
    with (tmp_path / "t.csv").open() as file:
        undefined, defined = csv.DictReader(file)
    assert [undefined[name] for name in ("tar", "far_reached", "threshold", "false_accepts")] == [""] * 4
    assert (float(defined["tar"]), float(defined["far_reached"])) == (2 / 3, 0.1)
    impostors = np.linspace(0, 0.5, 20)
    assert (impostors >= float(defined["threshold"])).sum() == 2 == int(defined["false_accepts"])
    write_roc_csv(tmp_path / "r.csv", result)
    with (tmp_path / "r.csv").open() as file:
        rows = [[float(value) for value in row.values()] for row in csv.DictReader(file)]
    assert rows[0] == [np.inf, 0, 0]
    for threshold, far, tar in rows[1:]:
        assert far == (impostors >= threshold).mean()
        assert tar == (np.array([0.9, 0.8, 0.4]) >= threshold).mean()
