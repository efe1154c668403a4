import csv

import numpy as np
import pytest

from fairface.report.identification_table import identification_text, write_identification_csv
from fairface.scoring.identification import Gallery, identify


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(0)
    people, subjects = rng.standard_normal((20, 8)), rng.integers(0, 20, 150)
    probes = people[subjects] + rng.standard_normal((150, 8))
    return {
        "all": identify(probes, subjects, Gallery(people, np.arange(20))),
        "half": identify(probes, subjects, Gallery(people[:10], np.arange(10)), rounds=20),
    }


def test_a_row_for_each_gallery_and_the_reason_of_every_n_a(results):
    lines = identification_text(results).splitlines()
    whole, half = (next(line.split() for line in lines[2:] if line.startswith(name)) for name in ("all ", "half "))
    assert whole[:4] == ["all", "20", "150", "0"]
    assert whole[4:] == [*(f"{results['all'].ranks[k]:.4f}" for k in (1, 5, 10)), "n/a", "n/a"]
    assert half[:4] == ["half", "10", str(results["half"].mated), str(results["half"].non_mated)]
    interval = results["half"].intervals["rank-1"]
    assert half[4:7] == [f"{results['half'].ranks[1]:.4f}", f"[{interval.low:.4f},", f"{interval.high:.4f}]"]
    assert "all: every probe's subject is enrolled, so there is no non-mated search" in lines
    reason = f"{results['half'].non_mated} non-mated searches; FPIR 0.01 needs at least 100"
    assert f"half: TPIR at FPIR 0.01 n/a: {reason}" in lines
    old = ", ".join(f"{row.recall:.4f} at {row.target:g}" for row in results["all"].per_probe)
    assert f"all: recall at false accepts per probe, as AdaFace and insightface print it: {old}" in lines
    told = "95% confidence intervals over the probes' subjects, with this gallery, 20 bootstrap resamples"
    assert lines[-1] == f"[low, high]: {told}"


def test_the_thresholds_are_told_with_the_searches_that_return_somebody(results):
    found = results["half"]
    lines = identification_text(results).splitlines()
    row = found.open_set[1]
    reached = round(row.fpir * found.non_mated)
    assert reached <= 0.1 * found.non_mated < reached + 1
    assert (
        f"half: FPIR 0.1: threshold {row.threshold:.6g}, at which {reached} of {found.non_mated} non-mated searches "
        f"return somebody (FPIR {reached / found.non_mated:.4g})"
    ) in lines
    assert "thresholds were set on these searches; the FPIR of other people at them is another one" in lines
    assert not any(line.startswith(("all: FPIR", "half: FPIR 0.01")) for line in lines)
    assert "thresholds were set" not in identification_text({"all": results["all"]})


def test_the_file_has_every_figure(results, tmp_path):
    write_identification_csv(tmp_path / "i.csv", results)
    with (tmp_path / "i.csv").open() as file:
        rows = {(row["gallery"], row["measure"], row["at"]): row for row in csv.DictReader(file)}
    assert len(rows) == 2 * (3 + 2 + 2)
    for name, result in results.items():
        for rank, value in result.ranks.items():
            assert float(rows[name, "rank", str(rank)]["value"]) == value
        for old in result.per_probe:
            row = rows[name, "recall at false accepts per probe", f"{old.target:g}"]
            assert (float(row["value"]), float(row["threshold"])) == (old.recall, old.threshold)
    row, told = rows["half", "TPIR at FPIR", "0.1"], results["half"].open_set[1]
    assert [float(row[key]) for key in ("value", "reached", "threshold")] == [told.tpir, told.fpir, told.threshold]
    assert rows["half", "TPIR at FPIR", "0.01"]["value"] == ""
