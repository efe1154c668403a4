"""test/verification.py --masked: unmasked and masked faces side by side."""

import json
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.cli import run
from fairface.data.pairsets.bin_set import write_bin
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.programs.verification import main
from unittests.small_models import draw_people, make_run


def call(capsys, *words):
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as left:
        run(main, list(map(str, words)))
    return left.value.code, *capsys.readouterr()


def result_of(capsys, *words):
    code, out, err = call(capsys, *words, "--json", "--quiet")
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.fixture
def stored(tmp_path):
    """Embeddings of 40 images of ten people, the same with more noise, and a list of all pairs."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(10), 4)
    names = tuple(f"p{w}/{k % 4}.jpg" for k, w in enumerate(who))
    centres = rng.standard_normal((10, 16))[who]
    for name, noise in (("plain", 0.8), ("masked", 1.6)):
        rows = (centres + noise * rng.standard_normal((40, 16))).astype(np.float32)
        save_embeddings(tmp_path / f"{name}.npz", Embeddings(rows, names))
    lines = [f"{names[a]},{names[b]},{int(who[a] == who[b])}" for a, b in combinations(range(40), 2)]
    (tmp_path / "pairs.csv").write_text("\n".join(["image_a,image_b,same", *lines]) + "\n")
    return ["--pairs", tmp_path / "pairs.csv", "--subjects-from", "names", "--fmr", "0.1", "0.01"]


def test_embeddings_of_the_same_pairs(tmp_path, capsys, stored):
    plain, masked = tmp_path / "plain.npz", tmp_path / "masked.npz"
    alone = [result_of(capsys, "--embeddings", path, *stored)["results"]["pairs"] for path in (plain, masked)]
    words = ["--embeddings", plain, "--masked", tmp_path / "pairs.csv", "--masked-embeddings", masked, *stored]
    found = result_of(capsys, *words, "--bootstrap", 50)
    assert set(found["results"]) == {"pairs", "pairs (masked)"}
    both = found["side_by_side"]
    assert (both["same_pairs"], both["drawn"]) == (True, "subjects of both sets")
    assert (both["unmasked"], both["masked"]) == ("pairs", "pairs (masked)")
    assert list(both["measures"]) == ["auc", "eer", "tar@0.1", "tar@0.01", "accuracy"]
    for key, measure in both["measures"].items():
        one, other = (of["tar"][key[4:]] if key.startswith("tar") else of[key] for of in alone)
        assert (measure["unmasked"], measure["masked"]) == pytest.approx((one, other))
        assert measure["difference"] == pytest.approx(other - one)
    interval = both["measures"]["auc"]["interval"]
    assert interval["low"] < both["measures"]["auc"]["difference"] < interval["high"] < 0
    assert both["measures"]["eer"]["interval"]["high"] > 0
    folds = both["measures"]["accuracy"]["interval"]
    assert folds["rounds"] == 0
    assert (folds["low"] + folds["high"]) / 2 == pytest.approx(both["measures"]["accuracy"]["difference"])
    code, out, _ = call(capsys, *words, "--bootstrap", 50)
    assert code == 0
    lines = out.splitlines()
    row = next(line for line in lines if line.startswith("AUC "))
    assert row.split()[1:4] == [f"{alone[0]['auc']:.4f}", f"{alone[1]['auc']:.4f}",
                                f"{alone[1]['auc'] - alone[0]['auc']:+.4f}"]  # fmt: skip
    assert lines[-2].endswith("50 bootstrap resamples of subjects of both sets")
    assert lines[-1].endswith("of the difference, of the accuracy by Student's t over folds")
    assert "unmasked: pairs; masked: pairs (masked); TAR at the threshold of each set" in lines
    bare = result_of(capsys, *words)["side_by_side"]
    assert "drawn" not in bare
    assert bare["measures"]["auc"]["interval"] is None


def test_a_model_scores_a_bin_set_and_its_masked_copy(tmp_path, capsys):
    make_run(tmp_path / "run")
    draw_people(tmp_path / "faces", people=4, images=3)
    faces = sorted((tmp_path / "faces").glob("*/*.png"))
    order, same = [0, 1, 0, 3, 4, 5, 4, 9, 6, 7, 6, 1], [True, False] * 3
    write_bin(tmp_path / "plain.bin", [faces[i].read_bytes() for i in order], same)
    hidden = []
    for face in faces:
        image = cv2.imread(str(face))
        image[60:] = 255
        hidden.append(cv2.imencode(".png", image)[1].tobytes())
        copy = Path(str(face).replace("faces", "covered"))
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(hidden[-1])
    write_bin(tmp_path / "masked.bin", [hidden[i] for i in order], same)
    words = ["--model", tmp_path / "run", "--no-flip", "--fmr", "0.4", "--folds", "2"]
    found = result_of(capsys, *words, "--set", tmp_path / "plain.bin", "--masked", tmp_path / "masked.bin",
                      "--bootstrap", 20)  # fmt: skip
    assert list(found["results"]) == ["plain", "masked"]
    assert found["side_by_side"]["drawn"] == "the same pairs of both sets"
    names = [str(face.relative_to(tmp_path / "faces")) for face in faces]
    lines = [f"{names[a]} {names[b]} {int(s)}" for a, b, s in zip(order[::2], order[1::2], same, strict=True)]
    (tmp_path / "faces" / "list.txt").write_text("\n".join(lines) + "\n")
    path = tmp_path / "faces" / "list.txt"
    by_list = result_of(capsys, *words, "--pairs", path, "--masked", path, "--masked-root", tmp_path / "covered")
    for key, of in by_list["side_by_side"]["measures"].items():
        one = found["side_by_side"]["measures"][key]
        assert (of["unmasked"], of["masked"]) == pytest.approx((one["unmasked"], one["masked"]), abs=1e-6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--embeddings", "e.npz", "--pairs", "p.csv", "--masked-embeddings", "m.npz"], "need --masked PATH"),
        (["--scores", "s.npy", "--pairs", "p.csv", "--masked", "m.csv"], "--masked needs one --set or --pairs"),
        (["--model", "m", "--set", "a.bin", "--set", "b.bin", "--masked", "m.bin"], "--masked needs one --set"),
        (
            ["--embeddings", "e.npz", "--all-pairs", "--subjects-from", "names", "--masked", "m.csv"],
            "--masked needs one --set or --pairs",
        ),
        (
            ["--embeddings", "e.npz", "--pairs", "p.csv", "--masked", "m.csv", "--masked-root", "x"],
            "--masked-root needs --model",
        ),
        (
            ["--model", "m", "--set", "a.bin", "--masked", "m.bin", "--masked-embeddings", "x"],
            "--masked-embeddings needs --embeddings",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(capsys, words, message):
    code, out, err = call(capsys, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
