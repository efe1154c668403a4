"""test/compare_runs.py as a user calls it."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fairface.cli import run
from fairface.programs import compare_runs
from unittests.report.page.reading import check
from unittests.scoring.fairness.helpers import small_world


@pytest.fixture
def compare(capsys):
    """Runs the program in this process; returns (code, out, err)."""

    def call(*arguments):
        with pytest.raises(SystemExit) as left:
            run(compare_runs.main, [str(argument) for argument in arguments])
        done = capsys.readouterr()
        return left.value.code, done.out, done.err

    return call


@pytest.fixture
def world(tmp_path):
    """Two runs as do.sh leaves them, the second with better scores, and the attributes of the images."""
    scores, comparisons = small_world(subjects=30, images=2, worse=0.2)
    names = [f"p{name[1:].replace('/', '_')}" for name in comparisons.names]
    better = np.round(scores + 0.25 * comparisons.same, 3)
    ends = [(names[a], names[b]) for a, b in zip(comparisons.a, comparisons.b, strict=True)]
    for folder, of in (("before", scores), ("after", better)):
        (tmp_path / folder).mkdir()
        rows = [f"{a},{b},{score}" for (a, b), score in zip(ends, of, strict=True)]
        (tmp_path / folder / "predictions.csv").write_text("\n".join(["ID1,ID2,SCORE", *rows]) + "\n")
    between = [f"{a},{b},{score}" for (a, b), score in zip(ends, (scores + better) / 2, strict=True)]
    (tmp_path / "step.csv").write_text("\n".join(["ID1,ID2,SCORE", *between]) + "\n")
    truth = [f"{a},{b},{int(same)}" for (a, b), same in zip(ends, comparisons.same, strict=True)]
    (tmp_path / "before" / "truth.csv").write_text("\n".join(["ID1,ID2,same", *truth]) + "\n")
    people = [f"{name},{place // 2},{'fm'[comparisons.attributes[place, 0]]}" for place, name in enumerate(names)]
    (tmp_path / "people.csv").write_text("\n".join(["image,subject,sex", *people]) + "\n")
    return tmp_path, scores, better, comparisons


def test_differences_are_those_of_the_scores_and_have_intervals(compare, world):
    folder, scores, better, comparisons = world
    code, out, err = compare(
        folder / "before", folder / "after", "--attributes", folder / "people.csv", "--subjects-from", "subject",
        "--protected", "sex", "--min-subjects", 5, "--bootstrap", 60, "--fmr", 0.1, "--report", folder / "r.html",
        "--json",
    )  # fmt: skip
    assert code == 0, err
    found = json.loads(out)
    auc = [roc_auc_score(comparisons.same, of) for of in (scores, better)]
    measure = found["measures"]["auc"]
    assert [measure["first"], measure["second"]] == pytest.approx(auc)
    assert measure["difference"] == pytest.approx(auc[1] - auc[0])
    assert 0 < measure["interval"]["low"] < measure["difference"] < measure["interval"]["high"]
    assert measure["verdict"] == found["measures"]["eer"]["verdict"] == "better"
    assert found["measures"]["eer"]["difference"] < 0
    assert found["drawn"] == "subjects of both sets"
    assert found["groups"]["sex"]["threshold_rounds"] == 60
    assert "groups: each run's threshold is set at FMR 0.01 on these same pairs" in found["notes"]
    group = found["groups"]["sex"]["fnmr"]["f"]
    inside = comparisons.same & (comparisons.attributes[comparisons.a, 0] == 0)
    thresholds = [
        min(score for score in of if (of[~comparisons.same] >= score).mean() <= 0.01) for of in (scores, better)
    ]
    rates = [(of[inside] < at).mean() for of, at in zip((scores, better), thresholds, strict=True)]
    assert [group["before"], group["after"]] == pytest.approx(rates)

    page = check((folder / "r.html").read_text())
    assert page.data() is None  # one threshold would mean nothing for two models
    assert any("the second is better" in text for _, text in page.named("p"))
    assert {"Differences", "Error rates by sex", "ROC and DET"} <= {text for _, text in page.named("h2")}
    gaps = [found["stages"][name]["groupings"]["sex"]["measures"]["fnmr_gap"]["value"] for name in ("before", "after")]
    groups = [[group["fnmr"]["value"] for group in found["stages"][name]["groupings"]["sex"]["groups"]]
              for name in ("before", "after")]  # fmt: skip
    assert gaps == pytest.approx([max(rates) - min(rates) for rates in groups])
    assert "Accuracy against the gap in FNMR" in {text for _, text in page.named("h2")}


def test_runs_between_are_stages_in_their_order(compare, world):
    folder, *_ = world
    code, out, err = compare(
        folder / "before", folder / "after", "--between", folder / "step.csv", "--attributes", folder / "people.csv",
        "--protected", "sex", "--subjects-from", "subject", "--min-subjects", 5, "--bootstrap", 0, "--fmr", 0.1,
        "--tables", folder / "tables", "--json",
    )  # fmt: skip
    assert code == 0, err
    assert list(json.loads(out)["stages"]) == ["before", "step", "after"]
    rows = (folder / "tables" / "pareto-fnmr.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["before", "step", "after"]
    code, _, err = compare(folder / "before", folder / "after", "--between", folder / "step.csv")
    assert code == 2
    assert "--between needs --protected" in err


def test_the_other_way_round_it_is_worse_and_of_itself_nothing_changes(compare, world):
    folder, *_ = world
    common = ("--pairs", folder / "before" / "truth.csv", "--bootstrap", 30, "--fmr", 0.1, "--attributes",
              folder / "people.csv", "--subjects-from", "subject")  # fmt: skip
    code, out, _ = compare(folder / "after", folder / "before", *common)
    assert code == 0
    assert " worse" in next(line for line in out.splitlines() if line.startswith("AUC"))
    code, out, _ = compare(folder / "after", folder / "after", *common, "--json")
    assert code == 0
    measures = json.loads(out)["measures"]
    assert {of["verdict"] for of in measures.values()} == {"not distinguishable", "n/a"}
    assert {key for key, of in measures.items() if of["verdict"] == "n/a"} == {"accuracy"}  # scores above 1
    assert measures["auc"]["difference"] == 0


def test_what_cannot_be_compared_is_one_line(compare, world):
    folder, *_ = world
    text = (folder / "before" / "predictions.csv").read_text()
    (folder / "fewer.csv").write_text("\n".join(text.splitlines()[:-1]) + "\n")
    (folder / "empty").mkdir()
    for words, told in (
        ((folder / "before", folder / "fewer.csv"), "fewer.csv"),
        ((folder / "after", folder / "after"), "the truth is not known"),
        ((folder / "before", folder / "empty"), "holds no predictions.csv"),
        ((folder / "before", folder / "none.csv"), "none.csv: not found"),
    ):
        code, out, err = compare(*words)
        assert (code, out) == (2, "")
        assert told in err
        assert len(err.strip().splitlines()) == 1
    code, out, _ = compare(folder / "before", folder / "fewer.csv", "--unscored", "leave_out", "--bootstrap", 0)
    assert code == 0
    assert "1 of 465 pairs is left out" in out


def test_without_subjects_nothing_is_judged_and_a_truth_that_names_them_is_enough(compare, world):
    folder, _, _, comparisons = world
    words = (folder / "before", folder / "after", "--bootstrap", 60, "--fmr", 0.1)
    code, out, err = compare(*words, "--json", "--report", folder / "r.html")
    assert code == 0, err
    found = json.loads(out)
    assert found["drawn"] == "the same pairs of both sets"
    verdicts = {key: of["verdict"] for key, of in found["measures"].items()}
    assert {verdicts[key] for key in ("auc", "eer", "tar@0.1")} == {"not judged: no subjects named"}
    assert any("no subjects are named, so intervals draw pairs" in note for note in found["notes"])
    told = [text for _, text in check((folder / "r.html").read_text()).named("p")]
    assert any("the second is not judged, no subjects named" in text for text in told)
    code, out, _ = compare(*words)
    assert "no subjects are named, so intervals draw pairs" in out
    assert "not judged: no subjects named" in next(line for line in out.splitlines() if line.startswith("AUC"))
    truth = folder / "before" / "truth.csv"
    header, *rows = truth.read_text().splitlines()
    ends = zip(rows, comparisons.subject_a, comparisons.subject_b, strict=True)
    truth.write_text("\n".join([f"{header},subject_a,subject_b", *(f"{row},{a},{b}" for row, a, b in ends)]) + "\n")
    code, out, err = compare(*words, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["drawn"] == "subjects of both sets"
    assert {found["measures"][key]["verdict"] for key in ("auc", "eer", "tar@0.1")} == {"better"}


@pytest.mark.parametrize(("least", "told"), [(25, "better"), (31, "not judged: 30 subjects; a verdict needs 31")])
def test_there_is_no_verdict_on_few_subjects(compare, world, least, told):
    folder = world[0]
    words = [
        "--attributes",
        folder / "people.csv",
        "--subjects-from",
        "subject",
        "--min-subjects",
        least,
        "--bootstrap",
        60,
    ]
    code, out, err = compare(folder / "before", folder / "after", *words, "--json")
    assert code == 0, err
    measure = json.loads(out)["measures"]["auc"]
    assert measure["interval"]["low"] > 0
    assert measure["verdict"] == told


def test_fewer_than_two_subjects_are_no_bound(compare, world):
    code, out, err = compare(world[0] / "before", world[0] / "after", "--min-subjects", 1)
    assert (code, out) == (2, "")
    assert "min_subjects" in err.replace("-", "_")
