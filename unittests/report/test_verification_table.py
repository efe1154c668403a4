import numpy as np
import pytest

from fairface.protocols.all_pairs import all_pairs
from fairface.report.verification_table import verification_table
from fairface.scoring.verification import verify


@pytest.fixture(scope="module")
def result():
    comparisons = all_pairs(np.repeat(np.arange(8), 4))
    rng = np.random.default_rng(0)
    return verify(np.clip(rng.normal(comparisons.same * 0.4, 0.2), -1, 1), comparisons, fmr=(1e-2, 1e-3), rounds=10)


def test_one_row_a_set_with_intervals_and_reasons(result):
    lines = verification_table({"first": result, "second": result}).splitlines()
    assert lines[0].split() == [
        "set", "genuine", "impostor", "people", "accuracy", "AUC", "EER", "TAR@0.01", "TAR@0.001",
    ]  # fmt: skip
    assert len(lines) == 4 + 2 + 1
    assert lines[2].startswith("first")
    assert f"{result.auc:.4f} [{result.intervals['auc'].low:.4f}" in lines[2]
    assert lines[2].rstrip().endswith("n/a")
    assert lines[4] == "first: TAR at FMR 0.001 n/a: 448 impostor comparisons; FMR 0.001 needs at least 1000"
    assert lines[-1] == "[low, high]: 95% interval, 10 resamplings of people"


def test_no_results_give_a_header():
    assert verification_table({}).split()[:2] == ["set", "genuine"]
