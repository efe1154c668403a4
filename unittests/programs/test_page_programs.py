"""The page as programs write it: its numbers are those of their JSON; what cannot be written is refused at once."""

import json

import numpy as np
import pytest

from fairface.cli import run
from fairface.data.images import encode_png
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.programs import fairness, verification
from unittests.programs.test_fairness_program import write
from unittests.report.page.reading import check
from unittests.scoring.fairness.helpers import small_world


@pytest.fixture
def start(capsys):
    """Runs a program in this process; returns (code, out, err)."""

    def call(main, *arguments):
        with pytest.raises(SystemExit) as left:
            run(main, [str(argument) for argument in arguments])
        done = capsys.readouterr()
        return left.value.code, done.out, done.err

    return call


@pytest.fixture
def scores(tmp_path):
    values, comparisons = small_world(subjects=24, images=2, worse=0.1)
    return write(tmp_path / "scores.csv", values, comparisons)


def test_the_fairness_page_has_the_numbers_of_the_json(start, scores, tmp_path):
    (tmp_path / "p0").mkdir()
    (tmp_path / "p0" / "0.png").write_bytes(encode_png(np.zeros((20, 20, 3), np.uint8)))
    code, out, _ = start(
        fairness.main, "--pairs", scores, "--protected", "sex", "--threshold", 0.35, "--bootstrap", 20,
        "--min-subjects", 5, "--report", tmp_path / "r.html", "--report-faces", tmp_path, "--tables",
        tmp_path / "tables", "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)
    page = check((tmp_path / "r.html").read_text())
    data = page.data()
    for place, group in enumerate(found["groupings"]["sex"]["groups"], 1):
        for error in ("fmr", "fnmr"):
            sweep, at = data["rows"][place][error], data["operating"]
            assert (sweep["errors"][at], sweep["n"]) == (group[error]["errors"], group[error]["comparisons"])
            assert sweep["high"][at] == pytest.approx(group[error]["high"], rel=1e-5)
    cells = [text for _, text in page.named("td")]
    assert any(f"--pairs {scores} --protected sex --threshold 0.35" in text for text in cells)
    assert any("image not found" in text for _, text in page.named("p"))
    assert (tmp_path / "tables" / "rates-1-sex.csv").read_text().count("\n") == 3


def test_another_kind_of_report_stays_markdown(start, scores, tmp_path):
    code, _, _ = start(
        fairness.main, "--pairs", scores, "--protected", "sex", "--threshold", 0.35, "--bootstrap", 0, "--report",
        tmp_path / "r.md",
    )  # fmt: skip
    assert code == 0
    assert (tmp_path / "r.md").read_text().startswith("#")


def test_masked_and_unmasked_faces_are_rows_of_one_page(start, tmp_path):
    values, comparisons = small_world(subjects=24, images=2)
    write(tmp_path / "plain.csv", np.clip(values, -1, 1), comparisons)
    write(tmp_path / "masked.csv", np.clip(values - 0.1, -1, 1), comparisons)
    code, out, _ = start(
        verification.main, "--pairs", tmp_path / "plain.csv", "--masked", tmp_path / "masked.csv", "--column", "score",
        "--bootstrap", 20, "--report", tmp_path / "r.html", "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)
    page = check((tmp_path / "r.html").read_text())
    data = page.data()
    assert [row["group"] for row in data["rows"]] == ["plain", "masked"]
    at, threshold = data["operating"], found["results"]["plain"]["threshold"]
    assert data["thresholds"][at] == threshold
    masked = np.clip(values - 0.1, -1, 1)
    assert data["rows"][1]["fnmr"]["errors"][at] == int((masked[comparisons.same] < threshold).sum())
    difference = found["side_by_side"]["measures"]["auc"]["difference"]
    assert any(text.startswith(f"{difference:+.4f} [") for _, text in page.named("td"))
    assert any("With masks AUC goes from" in text for _, text in page.named("p"))


def test_too_many_pairs_for_a_list_give_a_page_without_curves(start, tmp_path, monkeypatch):
    monkeypatch.setattr(verification, "LISTED", 10)
    rng = np.random.default_rng(0)
    names = tuple(f"p{place // 2}/{place}.png" for place in range(16))
    save_embeddings(tmp_path / "e.npz", Embeddings(rng.normal(size=(16, 4)).astype(np.float32), names, {}))
    code, _, _ = start(
        verification.main, "--embeddings", tmp_path / "e.npz", "--all-pairs", "--subjects-from", "names", "--report",
        tmp_path / "r.html",
    )  # fmt: skip
    assert code == 0
    page = check((tmp_path / "r.html").read_text())
    assert page.data() is None
    assert any("too many comparisons for a list" in text for _, text in page.named("li"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--report", "report.pdf"), "ends with .html"),
        (("--report-faces", "."), "--report-faces needs --report FILE.html"),
        (("--report", "r.html", "--report-faces", "none"), "none: is no folder"),
        (("--report", "scores.html"), "would be overwritten"),
        (("--tables", "scores.html"), "is no folder"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_scored(
    start, scores, tmp_path, monkeypatch, options, told
):
    monkeypatch.chdir(tmp_path)
    scores = scores.rename(tmp_path / "scores.html")
    before = scores.read_bytes()
    code, out, err = start(verification.main, "--pairs", "scores.html", "--column", "score", *options)
    assert (code, out) == (2, "")
    assert told in err
    assert scores.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["scores.html"]


def test_tables_may_not_replace_what_is_read(start, scores, tmp_path):
    before = scores.read_bytes()
    code, out, err = start(fairness.main, "--pairs", scores, "--protected", "sex", "--tables", tmp_path)
    assert (code, out) == (2, "")
    assert f"holds {scores}, which a table could replace" in err
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]
