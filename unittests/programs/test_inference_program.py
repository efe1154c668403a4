"""test/inference.py and --save-thresholds of test/verification.py as a user calls them, in this process."""

import json
import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface import decide, embed, load_model, similarity
from fairface.__main__ import main
from fairface.scoring.decision import classify
from unittests.small_models import FixedDetector, draw_people, export_linear, make_run

FMR = ["--fmr", "0.02", "0.2"]


def call(capsys, *words):
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    done = capsys.readouterr()
    return left.value.code, done.out, done.err


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model, a run with two steps, and aligned crops of six people."""
    folder = tmp_path_factory.mktemp("place")
    export_linear(folder / "net")
    make_run(folder / "models" / "demo", (3, 8))
    draw_people(folder / "faces")
    return folder


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    for old in ("net-0000.params.thresholds.json", "models/demo/thresholds.json"):
        Path(old).unlink(missing_ok=True)
    return place


def save(capsys, model="net,0", *words):
    words = ["--model", model, "--set", "faces", *FMR, "--save-thresholds", "--quiet", *words]
    return call(capsys, "verification", *words)


def test_the_step_is_named(here, capsys):
    words = ("inference", "--model", "demo@3", "faces/p0", "--aligned")
    assert call(capsys, *words)[1].splitlines()[-1] == "model: demo@3"
    assert json.loads(call(capsys, *words, "--json")[1])["checkpoint"] == "demo@3"
    newest = call(capsys, "inference", "--model", "demo", "faces/p0", "--aligned")[1]
    assert newest.splitlines()[-1] == "model: demo@8 (best and last)"


def test_the_matrix_is_the_cosines_of_embeddings_and_nothing_is_decided_yet(here, capsys):
    names = [f"faces/p{person}/{image}.png" for person in (0, 1) for image in range(3)]
    code, out, err = call(capsys, "inference", "--model", "net,0", "faces/p0", *names[3:], "--aligned", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    images = [cv2.imread(name)[:, :, ::-1] for name in names]
    assert found["photographs"] == names
    rows = embed(load_model("net,0"), images).astype(np.float64)
    loop = [[a @ b / np.sqrt(a @ a * (b @ b)) for b in rows] for a in rows]
    np.testing.assert_allclose(found["similarity"], loop, rtol=0, atol=1e-6)
    assert (found["model"], found["decisions"], found["thresholds"], found["left_out"]) == ("net,0", None, None, [])
    assert found["note"].startswith("no decision: net,0: no thresholds were saved with this model; save them with: ")
    code, out, _ = call(capsys, "inference", "--model", "net,0", "faces/p0", "--aligned", "--no-flip")
    assert code == 0
    plain = embed(load_model("net,0"), images[:2], flip=False)
    assert f"{similarity(*plain):.4f}" in out.splitlines()[2]
    assert "no decision: " in out


def test_saved_thresholds_decide(here, capsys):
    code, out, err = save(capsys)
    assert (code, err) == (0, "")
    assert out.startswith("net-0000.params.thresholds.json: thresholds at FMR 0.02, 0.2\n")
    stored = json.loads(Path("net-0000.params.thresholds.json").read_text())
    assert (stored["data"], stored["flip"], stored["step"]) == ("faces", True, 0)
    assert [of["impostor"] for of in stored["thresholds"]] == [135, 135]
    strict, loose = (of["threshold"] for of in stored["thresholds"])
    code, out, _ = call(capsys, "inference", "--model", "net,0", "faces", "--aligned", "--json")
    found = json.loads(out)
    cosines = np.array(found["similarity"])
    wanted = np.where(cosines >= strict, "same", np.where(cosines >= loose, "undecided", "not same"))
    assert (code, found["decisions"], found["note"]) == (0, wanted.tolist(), "")
    assert (found["thresholds"], found["fmr"]) == (stored, [0.02, 0.2])
    assert {"same", "undecided", "not same"} <= set(wanted.ravel())
    impostor = ~np.kron(np.eye(6, dtype=bool), np.ones((3, 3), bool))
    assert (cosines[impostor] >= strict - 1e-9).mean() == stored["thresholds"][0]["fmr"] <= 0.02
    assert decide(cosines, load_model("net,0")).tolist() == wanted.tolist()
    code, out, _ = call(capsys, "inference", "--model", "net,0", "faces", "--aligned", "--json", "--fmr", "0.2")
    found = json.loads(out)
    assert (found["decisions"], found["fmr"]) == (classify(cosines, loose, loose).tolist(), [0.2, 0.2])


def test_the_table_has_marks_and_what_they_mean(here, capsys):
    save(capsys)
    code, out, _ = call(capsys, "inference", "--model", "net,0", "faces", "--aligned")
    assert code == 0
    table, _, meaning = out.rpartition("\n\n")
    assert max(map(len, table.splitlines())) <= 80
    _, printed, _ = call(capsys, "inference", "--model", "net,0", "faces", "--aligned", "--json")
    decisions = np.array(json.loads(printed)["decisions"])[~np.eye(18, dtype=bool)].tolist()
    assert (table.count("+"), table.count("?")) == (decisions.count("same"), decisions.count("undecided"))
    lines = meaning.splitlines()
    assert [line[:12] for line in lines[1:]] == ["  not same: ", "? undecided:", "model: net,0"]
    assert re.match(r"\+ same: 0\.\d{4} or more\. In faces, 2 of 135 impostor comparisons reach", lines[0])


def test_save_thresholds_as_json_says_where_they_are(here, capsys):
    code, out, _ = save(capsys, "net,0", "--json", "--no-flip", "--fmr", "0.2", "0.001")
    printed = json.loads(out)
    assert code == 0
    assert printed["thresholds"]["file"] == "net-0000.params.thresholds.json"
    assert printed["thresholds"]["reasons"] == {"0.001": "135 impostor comparisons; FMR 0.001 needs at least 1000"}
    assert [of["target"] for of in printed["thresholds"]["thresholds"]] == [0.2]
    code, out, _ = call(capsys, "inference", "--model", "net,0", "faces", "--aligned", "--json")
    assert code == 0
    assert "is for embeddings without the mirrored image, these are with it" in json.loads(out)["note"]


def test_thresholds_of_another_step_are_refused(here, capsys):
    assert save(capsys, "demo@3")[0] == 0
    assert json.loads(Path("models/demo/thresholds.json").read_text())["step"] == 3
    code, out, _ = call(capsys, "inference", "--model", "demo@3", "faces/p0", "--aligned", "--json")
    assert json.loads(out)["decisions"] is not None
    code, out, _ = call(capsys, "inference", "--model", "demo", "faces/p0", "--aligned", "--json")
    assert (code, json.loads(out)["decisions"]) == (0, None)
    note = json.loads(out)["note"]
    assert note.startswith("no decision: models/demo/thresholds.json: belongs to another checkpoint (step 3, this is")
    code, out, err = call(capsys, "inference", "--model", "demo", "faces/p0", "--aligned", "--fmr", "0.02")
    assert (code, out) == (2, "")
    assert "belongs to another checkpoint" in err
    Path("models/demo/thresholds.json").write_text("{")
    code, out, _ = call(capsys, "inference", "--model", "demo", "faces/p0", "--aligned")
    assert "no decision: models/demo/thresholds.json: is damaged (" in out


def test_photographs_without_a_face_are_left_out_with_the_reason(here, capsys, monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("fairface.programs.inference.make_detector", lambda *_: FixedDetector(faces=2))
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((50, 60, 3), 90, np.uint8))
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    words = ["inference", "--model", "net,0", "faces/p0/0.png", tmp_path, "faces/p1/0.png"]
    code, out, err = call(capsys, *words, "--plot", tmp_path / "m.pdf")
    assert code == 0
    assert f"left out: {tmp_path}/wall.png: no face found in 60x50 pixels\n" in out
    assert f"left out: {tmp_path}/cut.jpg: a JPEG image that is cut off or damaged" in out
    assert "faces/p1/0.png: shows 2 faces; the main one is used" in err
    assert (tmp_path / "m.pdf").read_bytes().startswith(b"%PDF")
    code, out, _ = call(capsys, *words, "--json", "--quiet")
    found = json.loads(out)
    assert (code, found["photographs"]) == (0, ["faces/p0/0.png", "faces/p1/0.png"])
    assert [of["photograph"] for of in found["left_out"]] == [f"{tmp_path}/cut.jpg", f"{tmp_path}/wall.png"]


def test_fewer_than_two_faces_are_an_error(here, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("fairface.programs.inference.make_detector", lambda *_: FixedDetector())
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((50, 60, 3), 90, np.uint8))
    code, out, err = call(capsys, "inference", "--model", "net,0", "faces/p0/0.png", tmp_path / "wall.png")
    assert (code, out) == (2, "")
    assert err == (
        "error: 1 of 2 photographs can be compared, two are needed "
        f"({tmp_path}/wall.png: no face found in 60x50 pixels); "
        "give more photographs, or aligned crops with --aligned\n"
    )
    cv2.imwrite(str(tmp_path / "door.png"), np.full((50, 60, 3), 90, np.uint8))
    _, _, err = call(capsys, "inference", "--model", "net,0", tmp_path, "--aligned")
    assert err.startswith("error: 0 of 2 photographs can be compared, two are needed (")
    assert err.endswith("); give more photographs, or leave out --aligned, so that faces are looked for\n")
    code, _, err = call(capsys, "inference", "--model", "net,0", "faces/p0/0.png", "--quiet")
    assert (code, err) == (
        2, "error: 1 of 1 photograph can be compared, two are needed; give more photographs, or aligned crops with "
        "--aligned\n"
    )  # fmt: skip


def test_photographs_of_one_name_stand_apart_and_one_given_twice_counts_once(here, capsys):
    words = ["inference", "--model", "net,0", "--aligned", "faces/p0/1.png", "faces/p1/1.png", "./faces/p0/1.png"]
    code, out, err = call(capsys, *words)
    assert (code, err) == (0, "./faces/p0/1.png: is faces/p0/1.png once more; it is used once\n")
    assert [line.split()[:2] for line in out.splitlines()[2:4]] == [["1", "p0/1.png"], ["2", "p1/1.png"]]


@pytest.mark.parametrize(("words", "message"), [
    (["none.jpg"], "none.jpg: no such file or folder"), (["empty"], "empty: no photograph in it"),
    (["faces", "--aligned", "--detector", "R50,0"], "--aligned looks for no face"),
    (["faces", "--plot", "m.gif"], "m.gif: pictures are written as .png, .pdf, .svg"),
    (["faces", "--plot", "faces/p0/0.png"], "faces/p0/0.png: is read by this run and would be overwritten"),
    (["faces", "--aligned", "--model", "nobody"], "nobody: is not a run"),
    (["faces", "--aligned", "--model", "ir_50"], "ir_50: is looked for in the folder pretrained, which is not there"),
    (["faces", "--aligned", "--fmr", "0.1"], "no thresholds were saved with this model"),
])  # fmt: skip
def test_errors_are_one_line_and_exit_code_2(here, capsys, words, message):
    Path("empty").mkdir(exist_ok=True)
    before = sorted(os.listdir("faces/p0"))
    code, out, err = call(capsys, "inference", *(["--model", "net,0"] if "--model" not in words else []), *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ")
    assert message in err
    assert sorted(os.listdir("faces/p0")) == before


@pytest.mark.parametrize("words", [["--embeddings", "e.npz", "--pairs", "p.csv"],
                                   ["--model", "net,0", "--set", "faces", "--set", "faces/p0"],
                                   ["--model", "net,0", "--set", "faces", "--pairs", "p.csv"]])  # fmt: skip
def test_thresholds_are_set_by_a_model_on_one_set(here, capsys, words):
    code, out, err = call(capsys, "verification", *words, "--save-thresholds")
    assert (code, out) == (2, "")
    assert err == ("error: --save-thresholds needs --model and one --set or --pairs, on which the thresholds are set\n")


def test_a_run_that_is_replaced_loses_its_thresholds(tmp_path):
    from fairface.training.preflight import claim_folder

    run = Path(make_run(tmp_path / "run"))
    (run / "thresholds.json").write_text("{}")
    (run / "mine.txt").touch()
    claim_folder(run, resume=False, overwrite=True)
    assert sorted(path.name for path in run.iterdir()) == ["mine.txt"]
