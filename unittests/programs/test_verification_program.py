"""test/verification.py and test/embed.py as a user calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.embedding.store import Embeddings, load_embeddings, save_embeddings
from fairface.protocols.all_pairs import all_pairs
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.verification import verify, verify_embeddings

ROOT = Path(__file__).resolve().parents[2]
# Importing MXNet fails in these processes, as it does where it is not installed.
WITHOUT_MXNET = "import sys, runpy; sys.modules['mxnet'] = None; sys.argv = sys.argv[1:]; "
RUN = "runpy.run_path(sys.argv[0], run_name='__main__')"


def call(program, *arguments, mxnet=False):
    start = [str(ROOT / program)] if mxnet else ["-c", WITHOUT_MXNET + RUN, str(ROOT / program)]
    command = [sys.executable, *start, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def score(*arguments, mxnet=False):
    return call("test/verification.py", *arguments, mxnet=mxnet)


@pytest.fixture
def stored(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(8), 4).astype(np.int32)
    embeddings = (rng.standard_normal((8, 16))[labels] + rng.standard_normal((32, 16))).astype(np.float32)
    names = tuple(f"s{label}/{k % 4}.jpg" for k, label in enumerate(labels))
    result = Embeddings(embeddings, names, {"model": "none"}, labels)
    save_embeddings(tmp_path / "e.npz", result)
    return result


def test_nothing_that_scores_needs_mxnet():
    modules = "fairface.scoring.verification, fairface.protocols.verification_set, fairface.embedding.store, "
    modules += "fairface.embedding.eigenfaces, fairface.report.verification_table, fairface.report.curves"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules['mxnet'] = None; import {modules}"],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("source", ["names", "labels"])
def test_all_pairs_of_embeddings_as_one_json_object(tmp_path, stored, source):
    done = score("--embeddings", tmp_path / "e.npz", "--all-pairs", "--subjects-from", source,
                 "--json", "--bootstrap", 20)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    printed = json.loads(done.stdout)
    expected = verify_embeddings(stored.embeddings, all_pairs(stored.labels), rounds=20).to_dict()
    path = str(tmp_path / "e.npz")
    assert printed == {
        "embeddings": path, "checkpoint": "none", "results": {"all pairs": expected}, "notes": []
    }  # fmt: skip
    assert printed["results"]["all pairs"]["subjects"] == 8


def test_pairs_of_embeddings_as_a_table_and_a_picture(tmp_path, stored):
    pytest.importorskip("matplotlib")
    pairs = all_pairs(stored.labels)
    lines = [f"{stored.names[a]},{stored.names[b]},{int(same)}"
             for a, b, same in zip(pairs.a, pairs.b, pairs.same, strict=True)]  # fmt: skip
    (tmp_path / "mine.csv").write_text("\n".join(["image_a,image_b,same", *lines]) + "\n")
    done = score("--embeddings", tmp_path / "e.npz", "--pairs", tmp_path / "mine.csv", "--subjects-from", "names",
                 "--fmr", 0.1, "--plot", tmp_path / "roc.png")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, f"drawn: ROC and DET of mine, in {tmp_path / 'roc.png'}\n")
    expected = verify_embeddings(stored.embeddings, pairs, fmr=(0.1,))
    row = done.stdout.splitlines()[2].split()
    assert row[:4] == ["mine", "48", "448", "8"]
    assert row[4:7] == [f"{value:.4f}" for value in (expected.auc, expected.eer, expected.tar["0.1"])]
    assert cv2.imread(str(tmp_path / "roc.png")) is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--embeddings", "e.npz"], "needs --pairs FILE or --all-pairs"),
        (["--embeddings", "e.npz", "--all-pairs"], "--all-pairs needs --subjects-from"),
        (["--embeddings", "e.npz", "--set", "x.bin"], "--set and --root need --model"),
        (["--embeddings", "none.npz", "--all-pairs", "--subjects-from", "names"], "none.npz: No such file"),
        (["--embeddings", "e.npz", "--pairs", "unknown.csv"], "2 of 3 images are not among the 32 given (x, y)"),
        (["--embeddings", "e.npz", "--pairs", "one_kind.csv"], "the only comparison is genuine"),
        (["--embeddings", "zero.npz", "--all-pairs", "--subjects-from", "names"], "of length zero (index 3)"),
        (["--embeddings", "e.npz", "--all-pairs", "--subjects-from", "names", "--fmr", "0"], "FMR 0.0 cannot be used"),
        (["--model", "models/x"], "--model needs --set FILE.bin, or --pairs FILE"),
        (["--model", "models/x", "--set", "x.bin", "--all-pairs"], "--all-pairs works on --embeddings"),
    ],
)
def test_errors_are_one_line_and_exit_code_2(tmp_path, stored, arguments, message):
    (tmp_path / "unknown.csv").write_text("image_a,image_b,same\ns0/0.jpg,x,1\ns0/0.jpg,y,0\n")
    (tmp_path / "one_kind.csv").write_text("image_a,image_b,same\ns0/0.jpg,s0/1.jpg,1\n")
    stored.embeddings[3] = 0
    save_embeddings(tmp_path / "zero.npz", stored)
    files = ("e.npz", "none.npz", "zero.npz", "unknown.csv", "one_kind.csv")
    done = score(*(tmp_path / word if word in files else word for word in arguments))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


@pytest.fixture
def model(tmp_path):
    """A deploy checkpoint of a linear net on 112 x 112 images, and a folder of drawn faces of four subjects."""
    from fairface.mx import mx, nn

    mx.random.seed(0)
    net = nn.HybridSequential()
    net.add(nn.AvgPool2D(8, 8), nn.Flatten(), nn.Dense(16, in_units=3 * 14 * 14))
    net.initialize(mx.init.Xavier())
    net.hybridize()
    net(mx.nd.zeros((1, 3, 112, 112)))
    net.export(str(tmp_path / "net"), 0)
    rng = np.random.default_rng(0)
    for subject in range(4):
        face = rng.integers(0, 256, (14, 14, 3)).astype(np.float64)
        (tmp_path / "faces" / f"p{subject}").mkdir(parents=True)
        for k in range(3):
            noisy = np.clip(face + rng.normal(0, 20, face.shape), 0, 255).astype(np.uint8)
            picture = cv2.resize(noisy, (112, 112), interpolation=cv2.INTER_NEAREST)
            cv2.imwrite(str(tmp_path / "faces" / f"p{subject}" / f"{k}.png"), picture)
    return f"{tmp_path / 'net'},0"


def test_a_model_embeds_and_is_scored_the_same_way_by_every_road(tmp_path, model):
    faces, stored = tmp_path / "faces", tmp_path / "e.npz"
    done = call("test/embed.py", model, "--data", faces, "--output", stored, "--json", "--batch-size", 5, mxnet=True)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert (printed["images"], printed["embedding"], printed["flip"]) == (12, 16, True)
    embeddings = load_embeddings(stored)
    assert embeddings.names[:4] == ("p0/0.png", "p0/1.png", "p0/2.png", "p1/0.png")
    assert embeddings.labels.tolist() == np.repeat(np.arange(4), 3).tolist()

    pairs = all_pairs(embeddings.labels, names=embeddings.names)
    lines = [f"{pairs.names[a]},{pairs.names[b]},{int(same)}"
             for a, b, same in zip(pairs.a, pairs.b, pairs.same, strict=True)]  # fmt: skip
    (tmp_path / "pairs.csv").write_text("\n".join(["image_a,image_b,same", *lines]) + "\n")
    by_file = score("--embeddings", stored, "--all-pairs", "--subjects-from", "labels", "--json")
    by_model = score("--model", model, "--set", faces, "--pairs", tmp_path / "pairs.csv", "--root", faces,
                     "--subjects-from", "names", "--json", mxnet=True)  # fmt: skip
    assert by_model.returncode == 0, by_model.stderr
    from_file = json.loads(by_file.stdout)["results"]["all pairs"]
    results = json.loads(by_model.stdout)["results"]
    assert results["faces"]["auc"] == pytest.approx(from_file["auc"], abs=1e-6)
    assert results["pairs"]["subjects"] == 4
    assert results["pairs"]["eer"] == pytest.approx(from_file["eer"], abs=1e-6)


def test_a_bin_set_is_scored_by_a_model(tmp_path, model):
    from fairface.data.pairsets.bin_set import write_bin

    faces = sorted((tmp_path / "faces").glob("*/*.png"))
    order = [0, 1, 0, 3, 4, 5, 4, 9]
    write_bin(tmp_path / "small.bin", [faces[i].read_bytes() for i in order], [True, False, True, False])
    done = score("--model", model, "--set", tmp_path / "small.bin", "--no-flip", mxnet=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[2].split()[:4] == ["small", "2", "2", "n/a"]
    assert done.stdout.splitlines()[-1] == f"model: {model}"
    assert "small: accuracy n/a: 4 comparisons cannot be split into 10 folds" in done.stdout


def test_photographs_without_a_face_are_told_counted_and_left_out(tmp_path, model):
    faces = tmp_path / "faces"
    names = [f"p{subject}/{k}.jpg" for subject in range(4) for k in range(3)]
    lines = [f"{a} {b} {int(a[:2] == b[:2])}" for i, a in enumerate(names) for b in names[:i]]
    (faces / "pairs.txt").write_text("\n".join(lines) + "\n")
    words = ["--model", model, "--pairs", faces / "pairs.txt", "--subjects-from", "names", "--fmr", 0.1]
    done = score(*words, "--json", mxnet=True)  # .png where the list says .jpg, in the list's own folder
    assert done.returncode == 0, done.stderr
    whole = json.loads(done.stdout)["results"]["pairs"]
    assert (whole["genuine"], whole["impostor"], "failure_to_acquire" in whole) == (12, 54, False)
    (faces / "p2" / "1.png").unlink()
    done = score(*words, mxnet=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "1 of 12 images does not exist (p2/1.jpg); give the right root; if no face was found" in done.stderr
    (tmp_path / "failed.txt").write_text("p2/1.jpg\n")
    done = score(*words, "--failures", tmp_path / "failed.txt", "--unscored", "no_match", "--json", mxnet=True)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    found = printed["results"]["pairs"]
    assert (found["genuine"], found["impostor"]) == (12, 54)
    assert (found["without_failures"]["genuine"], found["without_failures"]["impostor"]) == (10, 45)
    assert found["failure_to_acquire"] == {
        "rate": 1 / 12, "failed": 1, "images": 12, "comparisons": 11, "total": 66, "names": ["p2/1.jpg"],
        "unembedded": [], "in_no_rate": [],
    }  # fmt: skip
    assert printed["notes"] == [
        "pairs: 11 comparisons without a usable score count as no match",
        "pairs: failure to acquire: 1 of 12 images (p2/1.jpg), in 11 of 66 comparisons",
    ]


def test_scores_of_any_list_are_verified(tmp_path, stored):
    pairs = all_pairs(stored.labels)
    cosines = cosine_scores(stored.embeddings, pairs.a, pairs.b)
    rows = [f"{stored.names[a]};{stored.names[b]};{int(same)};{1 - value:.6f}".replace(".", ",").replace(",jpg", ".jpg")
            for a, b, same, value in zip(pairs.a, pairs.b, pairs.same, cosines, strict=True)]  # fmt: skip
    (tmp_path / "d.csv").write_text("\n".join(["left;right;answer;distance", *rows]) + "\n")
    words = ["--pairs", tmp_path / "d.csv", "--columns", "image_a=left,image_b=right", "--columns", "same=answer",
             "--column", "distance", "--subjects-from", "names"]  # fmt: skip
    done = score(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("d: the scores put genuine pairs below impostor ones (AUC 0.")
    done = score(*words, "--distance", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["results"]["d"]
    expected = verify(1 - np.round(1 - cosines, 6), pairs)
    assert found["auc"] == pytest.approx(expected.auc, abs=1e-9)
    assert found["subjects"] == 8
