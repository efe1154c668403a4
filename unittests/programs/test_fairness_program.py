"""test/fairness.py as a user calls it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fairface.programs import fairness
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world


@pytest.fixture
def score(capsys):
    """Runs the program in this process, where it loads nothing new; returns (code, out, err)."""
    from fairface.cli import run

    def call(*arguments):
        with pytest.raises(SystemExit) as left:
            run(fairness.main, [str(argument) for argument in arguments])
        done = capsys.readouterr()
        return left.value.code, done.out, done.err

    return call


def write(path, scores, comparisons, subjects=True):
    sex = comparisons.attribute_values[0]
    header = ["image_a", "image_b", "same", "score", "half", "sex_a", "sex_b"]
    rows = [[*header, "subject_a", "subject_b"] if subjects else header]
    for s, a, b, same, p, q in zip(scores, comparisons.a, comparisons.b, comparisons.same, comparisons.subject_a,
                                   comparisons.subject_b, strict=True):  # fmt: skip
        codes = comparisons.attributes[a, 0], comparisons.attributes[b, 0]
        row = [comparisons.names[a], comparisons.names[b], int(same), s, s / 2, *(sex[code] for code in codes)]
        rows.append([*row, p, q] if subjects else row)
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    return path


@pytest.fixture
def files(tmp_path):
    scores, comparisons = small_world(worse=0.1)
    write(tmp_path / "scores.csv", scores, comparisons)
    other_scores, other = small_world(seed=7)
    other = replace(other, names=tuple(f"other/{name}" for name in other.names))
    write(tmp_path / "calibration.csv", other_scores, other)
    return tmp_path, scores, comparisons


COMMON = ("--protected", "sex", "--bootstrap", 30, "--min-subjects", 20)


def test_one_json_object_equals_the_library(score, files):
    folder, scores, comparisons = files
    code, out, err = score("--pairs", folder / "scores.csv", "--threshold", 0.35, *COMMON, "--json")
    assert (code, err) == (0, "")
    printed = json.loads(out)
    expected = assess(scores, comparisons, ["sex"], given_threshold(0.35), FairnessOptions(rounds=30, min_subjects=20))
    for row, found in zip(expected.groupings["sex"].rows, printed["groupings"]["sex"]["groups"], strict=True):
        assert found["group"] == row.group
        assert found["fnmr"]["low"] == pytest.approx(row.fnmr.low, abs=1e-12)
        assert found["fmr"]["value"] == pytest.approx(row.fmr.value, abs=1e-15)
    assert printed["threshold"]["how"] == "given"
    assert printed["source"]["pairs"] == str(folder / "scores.csv")
    assert printed["failed_conditions"] == []


def test_calibration_report_picture_and_a_gate(score, files):
    pytest.importorskip("matplotlib")
    folder, *_ = files
    code, out, err = score(
        "--pairs", folder / "scores.csv", "--calibration", folder / "calibration.csv", "--fmr", 0.05, *COMMON,
        "--report", folder / "report.md", "--plot", folder / "curves.png", "--challenge", "--against", "half",
        "--fail-if", "fnmr_gap>0.9", "--fail-if", "sex:fnmr_gap > 0.01", "--fail-if", "challenge_genuine@value>=2",
    )  # fmt: skip
    assert code == 1
    assert "FMR 0.05 on calibration.csv (" in out
    assert "the target by construction" not in out
    assert "== Compared with the model before, by sex" in out
    drawn, failed = err.splitlines()
    assert drawn == f"drawn: ROC and DET by sex, in {folder / 'curves.png'}"
    assert failed.startswith("failed: sex:fnmr_gap > 0.01: sex: fnmr_gap = ")
    assert (folder / "report.md").read_text().startswith("# Fairness\n")
    assert (folder / "curves.png").stat().st_size > 10_000


def test_against_thresholds_are_set_anew_where_people_are_known_to_have_set_them(score, files):
    folder, *_ = files
    bare = [line.rsplit(",", 2)[0] for line in (folder / "calibration.csv").read_text().splitlines()]
    (folder / "nameless.csv").write_text("\n".join(bare) + "\n")
    ask = ("--pairs", folder / "scores.csv", "--against", "half", *COMMON)
    rounds, widths = {}, {}
    for name, words in {
        "calibration": ("--calibration", folder / "calibration.csv"),
        "nameless": ("--calibration", folder / "nameless.csv"),
        "by name": ("--calibration", folder / "nameless.csv", "--subjects-from", "names"),
        "same pairs": (),
    }.items():
        code, out, err = score(*ask, *words, "--fmr", 0.05, "--json")
        assert (code, err) == (0, "")
        change = json.loads(out)["against"]["sex"]
        rounds[name], widths[name] = (
            change["threshold_rounds"],
            change["fnmr"]["f"]["high"] - change["fnmr"]["f"]["low"],
        )
        told = "intervals include that other people" if rounds[name] else "intervals take both thresholds as given"
        assert told in " ".join(change["notes"])
        assert told in score(*ask, *words, "--fmr", 0.05)[1].replace("\n", " ")
    assert rounds == {"calibration": 30, "nameless": 0, "by name": 30, "same pairs": 30}
    # A model and its halved scores are one model: its thresholds move together, and nothing changes.
    assert widths == dict.fromkeys(rounds, 0)
    _, out, _ = score(*ask, "--threshold", 0.35, "--against-threshold", 0.2, "--json")
    assert json.loads(out)["against"]["sex"]["threshold_rounds"] == 0


def test_a_calibration_set_that_holds_the_same_images_is_told(score, files):
    folder, *_ = files
    _, out, _ = score("--pairs", folder / "scores.csv", "--calibration", folder / "scores.csv", "--fmr", 0.05, *COMMON)
    assert "the threshold was set on images that are also scored" in out


def test_a_copy_of_an_image_in_another_format_is_the_same_image(score, files):
    folder, *_ = files
    (folder / "jpg.csv").write_text((folder / "scores.csv").read_text().replace(".png", ".jpg"))
    found = score("--pairs", folder / "scores.csv", "--calibration", folder / "jpg.csv", "--fmr", 0.05, *COMMON)[1]
    assert "the threshold was set on images that are also scored" in found


def without_image_names(folder, name, called=""):
    """The same list without its first two columns; ``called`` is put before the subjects' names."""
    lines = [line.split(",")[2:] for line in (folder / name).read_text().splitlines()]
    rows = [[*line[:-2], *(called + subject for subject in line[-2:])] for line in lines[1:]]
    path = folder / f"bare_{called}{name}"
    path.write_text("\n".join(map(",".join, [lines[0], *rows])) + "\n")
    return path


def test_without_image_names_the_same_list_and_the_same_people_are_told(score, files):
    folder, *_ = files
    pairs, others, strangers = (
        without_image_names(folder, name, called)
        for name, called in (("scores.csv", ""), ("calibration.csv", ""), ("calibration.csv", "c"))
    )
    (folder / "link.csv").symlink_to(pairs)
    (folder / "copy.csv").write_text(pairs.read_text())
    ask = ("--fmr", 0.05, *COMMON, "--json")
    for calibration in (pairs, folder / "link.csv", folder / "copy.csv", folder / "x" / ".." / pairs.name):
        (folder / "x").mkdir(exist_ok=True)
        found = json.loads(score("--pairs", pairs, "--calibration", calibration, *ask)[1])
        assert (found["threshold"]["optimistic"], found["threshold"]["same_people"]) == (True, False), calibration
        assert any("set on images that are also scored" in note for note in found["notes"])
    found = json.loads(score("--pairs", pairs, "--calibration", others, *ask)[1])  # the same people by name
    assert (found["threshold"]["optimistic"], found["threshold"]["same_people"]) == (False, True)
    assert any("set on people who are also scored, and no image names" in note for note in found["notes"])
    found = json.loads(score("--pairs", folder / "scores.csv", "--calibration", others, *ask)[1])
    assert found["threshold"]["same_people"]
    found = json.loads(score("--pairs", pairs, "--calibration", strangers, *ask)[1])
    assert (found["threshold"]["optimistic"], found["threshold"]["same_people"]) == (False, False)
    assert not any("the threshold was set" in note for note in found["notes"])


def test_two_models_with_scores_in_files(score, files):
    folder, scores, comparisons = files
    np.save(folder / "new.npy", scores)
    np.save(folder / "old.npy", np.where(comparisons.same, scores - 0.1, scores))
    code, out, err = score(
        "--pairs", folder / "scores.csv", "--scores", folder / "new.npy", "--against", folder / "old.npy",
        "--threshold", 0.35, "--against-threshold", 0.35, *COMMON, "--json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert json.loads(out)["against"]["sex"]["fnmr"]["f"]["verdict"] == "better"


def test_failures_with_and_without_these_images(score, files):
    folder, _, comparisons = files
    (folder / "failed.txt").write_text("p0/0.png\np1/2.png\nnobody.png\n")
    arguments = ("--pairs", folder / "scores.csv", "--threshold", 0.35, *COMMON, "--json", "--failures",
                 folder / "failed.txt")  # fmt: skip
    code, out, err = score(*arguments)
    assert (code, err) == (0, f"{folder / 'failed.txt'}: 1 image is in no comparison\n")
    with_them = json.loads(out)
    errors = [row["failure_to_detect"]["errors"] for row in with_them["groupings"]["sex"]["groups"]]
    assert errors == [1, 1]
    without = json.loads(score(*arguments, "--leave-out-failures")[1])
    gone = np.isin(comparisons.a, [0, 5]) | np.isin(comparisons.b, [0, 5])
    left = without["overall"]["fnmr"]["comparisons"] + without["overall"]["fmr"]["comparisons"]
    assert left == int((~gone).sum())


def test_the_challenges_files(score, tmp_path):
    scores, comparisons = small_world()
    ids = [name.replace("/", "").removesuffix(".png") for name in comparisons.names]
    pairs = [(ids[a], ids[b]) for a, b in zip(comparisons.a, comparisons.b, strict=True)]
    truth = [f"{a},{b},{int(same)}" for (a, b), same in zip(pairs, comparisons.same, strict=True)]
    (tmp_path / "truth.csv").write_text("\n".join(["ID1,ID2,SCORE", *truth]) + "\n")
    predictions = [f"{b},{a},{s:.3f}" for (a, b), s in zip(reversed(pairs), reversed(scores), strict=True)]
    (tmp_path / "predictions.csv").write_text("\n".join(["ID1,ID2,SCORE", *predictions]) + "\n")
    subjects = [f"{name},{i // 3},{'fm'[i // 3 % 2]},{'yn'[i % 2]}" for i, name in enumerate(ids)]
    (tmp_path / "people.csv").write_text("\n".join(["TEMPLATE_ID,SUBJECT,gender,glasses", *subjects]) + "\n")
    code, out, err = score(
        "--pairs", tmp_path / "truth.csv", "--scores", tmp_path / "predictions.csv", "--attributes",
        tmp_path / "people.csv", "--subjects-from", "SUBJECT", "--protected", "gender", "--legitimate", "glasses",
        "--values", "gender=f,m", "--threshold", 0.35, "--bootstrap", 10, "--json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    printed = json.loads(out)
    assert printed["subjects"] == 60
    expected = assess(scores, comparisons, ["sex"], given_threshold(0.35), FairnessOptions(rounds=0))
    found = [row["fmr"]["value"] for row in printed["groupings"]["gender"]["groups"]]
    assert found == pytest.approx([row.fmr.value for row in expected.groupings["sex"].rows], abs=1e-12)
    assert {cell["legitimate"] for cell in printed["challenge"]["challenge_genuine"]["cells"]} == {"n/n", "n/y", "y/y"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --pairs FILE or --all-pairs"),
        (["--pairs", "scores.csv", "--column", "score", "--scores", "x.npy"], "give one of --column, --scores and"),
        (["--pairs", "scores.csv", "--threshold", 1, "--calibration", "calibration.csv"], "not both"),
        (["--pairs", "scores.csv", "--threshold", 1, "--against", "half"], "needs --against-threshold"),
        (["--pairs", "scores.csv", "--scores", "x.npy", "--calibration", "calibration.csv"],
         "needs --calibration-scores"),
        (["--pairs", "scores.csv", "--leave-out-failures"], "needs --failures"),
        (["--pairs", "scores.csv", "--fail-if", "gap"], "--fail-if 'gap' is not understood"),
        (["--pairs", "scores.csv", "--fail-if", "gap>1"], "there is no measure 'gap'"),
        (["--pairs", "scores.csv", "--column", "points"], "has no column points"),
        (["--pairs", "scores.csv", "--threshold", 99], "threshold 99 (given) is above every score"),
        (["--pairs", "scores.csv", "--fmr", "0.00001"], "cannot set a threshold at FMR 1e-05"),
        (["--pairs", "scores.csv", "--values", "sex=f"], "sex is 'm', which is not among f"),
        (["--pairs", "scores.csv", "--values", "sex"], "write NAME=A,B"),
        (["--pairs", "missing.csv"], "No such file"),
        (["--pairs", "scores.csv", "--level", 2], "level is 2.0; it must be from 0.5"),
        (["--pairs", "holes.csv"], "1 of 1950 comparisons has no score"),
    ],
)  # fmt: skip
def test_errors_are_one_line_and_exit_code_2(score, files, arguments, message):
    folder, scores, comparisons = files
    scores = scores.copy()
    scores[4] = np.nan
    write(folder / "holes.csv", scores, comparisons)
    words = [folder / word if str(word).endswith((".csv", ".npy")) else word for word in arguments]
    if "holes.csv" in arguments:
        words += ["--threshold", 0.35]
    code, out, err = score(*words, "--protected", "sex", "--bootstrap", 0)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err


def test_without_subjects_there_are_no_intervals(score, tmp_path):
    write(tmp_path / "scores.csv", *small_world(), subjects=False)
    code, out, _ = score("--pairs", tmp_path / "scores.csv", "--threshold", 0.35, *COMMON)
    assert code == 0
    assert "the comparisons name no subjects: no intervals, no measures, no power analysis" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report", "scores.csv"], "would be overwritten"),
        (["--plot", "scores.csv"], "would be overwritten"),
        (["--plot", "nowhere/at/all.png"], "there is no folder nowhere/at"),
        (["--threshold", "0.5", "--fmr", "0.01"], "--fmr would set another threshold"),
        (["--values", "colour=red"], "colour is not used; name it with --protected"),
        (["--calibration-scores", "calibration.csv"], "need --calibration"),
        (["--calibration", "holes.csv", "--fmr", 0.1], "1 of 1950 calibration scores is missing"),
    ],
)
def test_nothing_is_written_over_passed_over_or_guessed(score, files, arguments, message):
    folder, scores, comparisons = files
    write(folder / "holes.csv", np.where(np.arange(len(scores)) == 4, np.nan, scores), comparisons)
    before = (folder / "scores.csv").read_bytes()
    words = [folder / word if str(word).endswith(".csv") else word for word in arguments]
    code, _, err = score("--pairs", folder / "scores.csv", "--protected", "sex", "--bootstrap", 0, *words)
    assert code == 2
    assert message in err
    assert (folder / "scores.csv").read_bytes() == before


def test_an_option_is_not_guessed_from_its_beginning(score, files):
    code, _, err = score("--pairs", files[0] / "scores.csv", "--protected", "sex", "--thresh", 0.35)
    assert code == 2
    assert "unrecognized arguments: --thresh" in err


def test_distances_are_suspected(score, files):
    folder, scores, comparisons = files
    write(folder / "turned.csv", -scores, comparisons)
    code, out, _ = score("--pairs", folder / "turned.csv", "--protected", "sex", "--fmr", 0.2, "--bootstrap", 0)
    assert code == 0
    assert "are these distances?" in out


def without(path, name):
    """The rows of a CSV that do not name an image."""
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if name not in line.split(",")[:2]) + "\n")


@pytest.fixture
def failing(files):
    """Scores in a file of their own, which has none for an image on which detection failed."""
    folder, _, comparisons = files
    name = comparisons.names[comparisons.a[int(np.argmax(comparisons.same))]]
    (folder / "own.csv").write_bytes((folder / "scores.csv").read_bytes())
    without(folder / "own.csv", name)
    (folder / "failed.txt").write_text(name + "\n")
    touched = np.array([name in (comparisons.names[a], comparisons.names[b])
                        for a, b in zip(comparisons.a, comparisons.b, strict=True)])  # fmt: skip
    return folder, comparisons, touched


@pytest.mark.parametrize("how", [["--leave-out-failures"], ["--unscored", "no_match"], ["--unscored", "leave_out"]])
def test_images_that_failed_need_no_row_of_scores(score, failing, how):
    folder, comparisons, touched = failing
    words = ["--pairs", folder / "scores.csv", "--scores", folder / "own.csv", "--threshold", 0.4, *COMMON, "--json"]
    code, out, err = score(*words, "--failures", folder / "failed.txt", *how)
    assert code == 0, err
    counts = json.loads(out)["groupings"]["sex"]["accounting"]
    kept = np.ones(len(touched), bool) if "no_match" in how else ~touched
    scored = sum(value for key, value in counts.items() if key.startswith(("genuine", "impostor")))
    assert scored == kept.sum()
    genuine = sum(value for key, value in counts.items() if key.startswith("genuine"))
    assert genuine == comparisons.same[kept].sum()
    code, out, _ = score(*(word for word in words if word != "--json"), "--failures", folder / "failed.txt", *how)
    assert f"failure to acquire: 1 of {len(np.union1d(comparisons.a, comparisons.b))} images" in out
    assert f"in {touched.sum()} of {len(touched)} comparisons" in out


def test_failures_that_count_as_no_match_count_in_curves_challenge_and_threshold_too(score, failing):
    folder, comparisons, touched = failing
    words = ["--pairs", folder / "scores.csv", "--scores", folder / "own.csv", *COMMON, "--fmr", 0.05, "--json",
             "--failures", folder / "failed.txt", "--curves", "--challenge"]  # fmt: skip
    printed = json.loads(score(*words, "--unscored", "no_match")[1])
    scores = np.loadtxt(folder / "scores.csv", delimiter=",", skiprows=1, usecols=3)
    scores[touched] = -9.0  # below every other
    same, sex = comparisons.same, comparisons.attributes[:, 0]
    genuine, impostor = scores[same], scores[~same]
    for code, curve in enumerate(printed["curves"]):
        inside = (sex[comparisons.a] == code) & (sex[comparisons.b] == code)
        assert curve["auc"] == pytest.approx(roc_auc_score(same[inside], scores[inside]), abs=1e-9)
        cells = [of["cells"][code] for of in printed["challenge"].values()]
        assert [cell["comparisons"] for cell in cells] == [(inside & same).sum(), (inside & ~same).sum()]
        right = [(s > impostor).mean() + (s == impostor).mean() / 2 for s in scores[inside & same]]
        wrong = [(s < genuine).mean() + (s == genuine).mean() / 2 for s in scores[inside & ~same]]
        assert [cell["area"] for cell in cells] == pytest.approx([np.mean(right), np.mean(wrong)], abs=1e-9)
    expected = min(value for value in np.unique(scores) if (impostor >= value).mean() <= 0.05)
    assert printed["threshold"]["value"] == pytest.approx(expected, abs=1e-6)
    assert f"of {len(impostor)} impostor comparisons" in printed["threshold"]["how"]
    left = json.loads(score(*words, "--unscored", "leave_out")[1])
    assert f"of {(~touched & ~same).sum()} impostor comparisons" in left["threshold"]["how"]


def test_how_many_comparisons_two_models_share_is_told(score, files):
    folder, scores, comparisons = files
    gone = {"now": [3, 4, 5, 900], "old": [5, 6]}
    for name, rows in gone.items():
        write(folder / f"{name}.csv", scores, comparisons)
        lines = (folder / f"{name}.csv").read_text().splitlines()
        kept = [line for place, line in enumerate(lines) if place - 1 not in rows]
        (folder / f"{name}.csv").write_text("\n".join(kept) + "\n")
    words = ["--pairs", folder / "scores.csv", "--scores", folder / "now.csv", "--against", folder / "old.csv", *COMMON]
    words += ["--threshold", 0.35, "--against-threshold", 0.35, "--unscored", "leave_out"]
    code, out, err = score(*words, "--report", folder / "report.md")
    assert code == 0, err
    told = "1945 of 1950 comparisons are compared: 2 have no score before, 4 none after"
    assert told in out
    assert told in (folder / "report.md").read_text()
    score(*words, "--report", folder / "report.html")
    assert told in (folder / "report.html").read_text()
    code, out, _ = score(*words, "--json")
    assert json.loads(out)["against"]["sex"]["comparisons"] == {
        "total": 1950, "unscored_before": 2, "unscored_after": 4, "compared": 1945,
    }  # fmt: skip
    code, out, _ = score("--pairs", folder / "scores.csv", "--against", "half", *COMMON, "--threshold", 0.35,
                         "--against-threshold", 0.2)  # fmt: skip
    assert code == 0
    assert "comparisons are compared" not in out


def test_scores_that_are_missing_are_an_error_unless_something_is_said(score, failing):
    folder, _, touched = failing
    words = ["--pairs", folder / "scores.csv", "--scores", folder / "own.csv", "--threshold", 0.4, *COMMON]
    code, _, err = score(*words)
    assert code == 2
    assert f"{touched.sum()} of {len(touched)} comparisons have no score" in err
    code, _, err = score(*words, "--failures", folder / "failed.txt")
    assert code == 2
    assert "use --unscored leave_out or no_match, or --leave-out-failures" in err


def test_distances_are_said_first_and_pass_no_gate(score, files):
    folder, scores, comparisons = files
    write(folder / "distances.csv", 1 - scores, comparisons)
    words = ["--pairs", folder / "distances.csv", *COMMON, "--fmr", 0.05, "--fail-if", "fnmr_gap@value>0.9"]
    code, out, err = score(*words)
    assert code == 1
    assert out.startswith("== These results are invalid\nthe scores put genuine pairs below impostor ones (AUC 0.")
    assert "if these are distances, use --distance, so nothing can be shown to pass" in err
    code, out, err = score(*words, "--distance", "--json")
    assert (code, err) == (0, "")
    printed = json.loads(out)
    assert printed["unusable"] == []
    plain = json.loads(score("--pairs", folder / "scores.csv", *COMMON, "--fmr", 0.05, "--json")[1])
    told = [of["groupings"]["sex"]["groups"] for of in (printed, plain)]
    for distances, scores in zip(*told, strict=True):
        for kind in ("mated_score_differential", "non_mated_score_differential"):
            one, other = distances.pop(kind), scores.pop(kind)  # the mean is another, the shift is the same
            assert one["value"] == pytest.approx(other["value"], abs=1e-6)
    assert told[0] == told[1]
    given = ["--pairs", folder / "distances.csv", *COMMON, "--distance", "--threshold", 0.6, "--json"]
    code, out, _ = score(*given)
    assert json.loads(out)["threshold"]["value"] == -0.6


def test_a_gate_does_not_pass_where_every_comparison_is_an_error(score, files):
    folder, scores, comparisons = files
    flat = np.where(comparisons.same, 0.2, scores)
    write(folder / "flat.csv", flat, comparisons)
    words = ["--pairs", folder / "flat.csv", *COMMON, "--threshold", 0.3, "--fail-if", "fnmr_gap@value>0.9"]
    code, out, err = score(*words)
    assert code == 1
    assert "the FNMR is 1: no genuine comparison matches at the threshold 0.3" in err
    assert not any("FNMR n/a: there is no error" in line for line in out.splitlines())


def test_lists_as_excel_writes_them(score, files):
    folder = files[0]
    plain = (folder / "scores.csv").read_text().splitlines()
    header = "Image1;Image2;Label;Score;half;SEX_A;SEX_B;ID1;ID2;"
    rows = [";".join(line.split(",")).replace(".", ",") + ";" for line in plain[1:]]
    (folder / "excel.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-16")
    words = [*COMMON, "--threshold", 0.4, "--json"]
    code, out, err = score("--pairs", folder / "scores.csv", *words)
    assert code == 0, err
    code, other, err = score("--pairs", folder / "excel.csv", *words[:1], "SEX", *words[2:])
    assert code == 0, err
    one, two = json.loads(out)["groupings"]["sex"], json.loads(other)["groupings"]["SEX"]
    assert one["groups"] == two["groups"]
