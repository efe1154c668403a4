"""data_process/export_onnx.py: the folder that it writes, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from fairface import load_model
from fairface.__main__ import main
from fairface.checkpoints import resolve
from fairface.embedding.thresholds import Thresholds, save_thresholds, weights_sum
from fairface.evaluation.precision_change import cosines
from fairface.scoring.operating_point import OperatingPoint
from unittests.interop.dlib.dlib_writer import TinyNet
from unittests.small_models import draw_people, export_linear, make_run

FILES = {
    "model.onnx", "manifest.json", "MODEL.LICENSE", "MODEL_CARD.md", "self_check.png", "self_check.npy", ".final_eval",
}  # fmt: skip
POINTS = tuple(OperatingPoint(fmr, at, fmr, 0.0, 0.01, 0.95, "subjects", 1, 1000, 0.1, 100) for fmr, at in
               ((1e-4, 0.6), (1e-3, 0.5)))  # fmt: skip


def export(*words: object) -> int:
    with pytest.raises(SystemExit) as left:
        main(["export-onnx", *map(str, words), "--json"])
    return int(left.value.code or 0)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_export_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path / "my run", backbone="linear")
    files = resolve(run)
    save_thresholds(files, Thresholds(files.step, weights_sum(files), True, "set", "2026-01-01", POINTS))
    folder = tmp_path / "out" / "my pack"
    assert export(run, folder) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["difference"] < 1e-5
    assert names(folder) == {*FILES, "model.onnx.thresholds.json"}
    manifest = json.loads((folder / "manifest.json").read_text())
    sum_of_file = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    assert manifest == {
        "manifest_version": 2, "model_id": "my-pack", "license": "MODEL.LICENSE",
        "tasks": {"recognition": {"file": "model.onnx", "sha256": sum_of_file, "preprocessing": "embedded",
                                  "input_size": [112, 112], "embedding_dimension": 64}},
    }  # fmt: skip
    told = {item.key: item.value for item in onnx.load(folder / "model.onnx").metadata_props}
    assert (told["fairface.model"], told["fairface.step"], told["fairface.colour"]) == ("my run", "3", "rgb")
    assert [point["threshold"] for point in json.loads(told["fairface.thresholds"])] == [0.6, 0.5]
    own = json.loads((folder / "model.onnx.thresholds.json").read_text())
    assert (own["weights_sha256"], own["flip"]) == (sum_of_file, True)


def test_the_self_check_is_what_the_file_gives_for_the_picture(tmp_path: Path) -> None:
    assert export(export_linear(tmp_path / "net"), tmp_path / "out") == 0
    rgb = cv2.imread(str(tmp_path / "out" / "self_check.png"))[..., ::-1]
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx", providers=["CPUExecutionProvider"])
    (rows,) = session.run(None, {"data": np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], np.float32)})
    stored = np.load(tmp_path / "out" / "self_check.npy")
    np.testing.assert_allclose(stored, rows[0], rtol=1e-5)
    (swapped,) = session.run(None, {"data": np.ascontiguousarray(rgb[..., ::-1].transpose(2, 0, 1)[None], np.float32)})
    cosine = stored @ swapped[0] / np.linalg.norm(stored) / np.linalg.norm(swapped)
    assert cosine < 0.9  # it notices swapped channels


def test_the_card_says_what_is_known_and_what_is_not(tmp_path: Path) -> None:
    run = Path(make_run(tmp_path / "second"))
    first = Path(make_run(tmp_path / "first"))
    (first / "config.yaml").write_text("name: first\nmethod: classify\nepochs: 4\nhead: {name: arcface}\n")
    (run / "config.yaml").write_text(
        f"name: second\nmethod: group\nstage: head\nsteps: 7\nstart_from: {first}@last\nhead: {{name: cosface}}\n"
        "backbone: {name: linear}\ndata: {path: /secret/place/faces.rec}\nverify: {protected: [sex, skin]}\n"
    )
    lfw = {"genuine": 30, "impostor": 60, "subjects": 9, "accuracy": 0.9, "auc": 0.95, "tar": {"0.001": 0.5}}
    metrics = {"set": "lfw", "sets": {"lfw": lfw}}
    (run / "metrics.json").write_text(json.dumps(metrics))
    (run / "group.json").write_text(json.dumps({"where": "sex=f"}))
    assert export(run, tmp_path / "out") == 0
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text()
    for line in (
        "- data sets: faces.rec", "- identities: not stated", "- attributes that were watched: sex, skin",
        "- group that the last step was trained for: sex=f", "- thresholds: not stated",
        "- second: method group, stage head, head cosface, 7 steps, seed not stated, starts from first@last",
        "- first: method classify, stage not stated, head arcface, 4 epochs, seed not stated, "
        "starts from random weights",
    ):  # fmt: skip
        assert line in card.splitlines(), line
    assert "test set lfw: 30 genuine and 60 impostor comparisons of 9 people; accuracy 0.9000, AUC 0.9500, " in card
    assert str(tmp_path) not in card
    assert re.findall(r"^## (.*)", card, re.MULTILINE)[-2:] == ["Limits", "Intended use"]


def test_an_earlier_export_is_replaced_and_another_folder_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = export_linear(tmp_path / "net")
    licence = tmp_path / "licence.txt"
    licence.write_text("Do good.\n")
    assert export(model, tmp_path / "out") == export(model, tmp_path / "out", "--licence", licence) == 0
    assert (tmp_path / "out" / "MODEL.LICENSE").read_text() == "Do good.\n"
    run = Path(make_run(tmp_path / "run"))
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    capsys.readouterr()
    assert export(model, run) == 2
    assert "is no exported network's and would be overwritten" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_nothing_is_written_where_the_embeddings_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fairface.interop.onnx import elementwise

    monkeypatch.setitem(elementwise._WITH_NUMBER, "_minus_scalar", ("Add", False))  # a converter that is wrong
    assert export(export_linear(tmp_path / "net"), tmp_path / "out" / "pack") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "ONNX Runtime's unit embeddings differ from MXNet's" in line
    assert not (tmp_path / "out" / "pack").exists()


def test_an_onnx_file_is_not_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(export_linear(tmp_path / "net"), tmp_path / "out") == 0
    capsys.readouterr()
    assert export(tmp_path / "out" / "model.onnx", tmp_path / "again") == 2
    assert "can be scored, but not trained, exported" in capsys.readouterr().err


def test_int8_says_what_it_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from fairface.graph.export import write_deploy
    from unittests.interop.onnx.nets import random_net

    write_deploy(random_net("fresnet_tiny", 112)[1], str(tmp_path / "net"))
    people = draw_people(tmp_path / "people", people=24, images=4)
    words = ("--int8", "--calibrate", people, "--calibration-images", 32, "--set", people, "--fmr", 0.1)
    assert export(f"{tmp_path / 'net'},0", tmp_path / "out", *words) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["precision"] == "int8"
    assert 0.9 < shown["int8"]["least_cosine"] <= shown["int8"]["cosine"] < 1
    (everyone,) = shown["int8"]["tar"]
    assert everyone["genuine"] == 24 * 6
    assert everyone["change"] == pytest.approx(everyone["after"] - everyone["before"])
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert "- precision: int8" in card
    assert f"- int8 against fp32 on 64 other images: cosine {shown['int8']['cosine']:.4f}" in card
    kinds = {node.op_type for node in onnx.load(tmp_path / "out" / "model.onnx").graph.node}
    assert "QuantizeLinear" in kinds
    stored = np.load(tmp_path / "out" / "self_check.npy")
    assert stored.shape == (8,)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--int8"], "--int8 and --calibrate DATA go together"),
        (["--set", "x"], "--set and --protected measure what --int8 changes"),
        (["--int8", "--calibrate", "x", "--protected", "sex"], "--protected needs --set"),
        (["--int8", "--calibrate", "x", "--fmr", "2"], "--fmr 2: write a rate"),
        (["--int8", "--calibrate", "PEOPLE"], "has 2 images; 256 to calibrate on and 64 others"),
    ],
)
def test_options_that_do_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    people = draw_people(tmp_path / "people", people=1, images=2)
    words = [people if word == "PEOPLE" else word for word in words]
    assert export(export_linear(tmp_path / "net"), tmp_path / "out", *words) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def make_dlib(path: Path) -> Path:
    """A small net in dlib's format that takes dlib's chips."""
    path.write_bytes(TinyNet(size=150).content())
    return path


def test_dlibs_network_goes_out_with_a_caution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, model = tmp_path / "out", make_dlib(tmp_path / "net.dat")
    assert export(export_linear(tmp_path / "net"), folder) == 0
    assert "manifest.json" in names(folder)
    capsys.readouterr()
    assert export(model, folder) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["layout"], shown["image_size"]) == ("dlib", 150)
    assert names(folder) == FILES - {"manifest.json"}  # insightface aligns otherwise: the earlier one goes, too
    card = (folder / "MODEL_CARD.md").read_text()
    aligned = "aligned as dlib aligns (chip of 150 pixels, padding 0.25), not to ArcFace's five points"
    assert f"- input: RGB, 0 to 255, 150 x 150, {aligned}" in card.splitlines()
    assert "- origin" not in card  # nobody knows whose file this is
    assert "is not stated" in (folder / "MODEL.LICENSE").read_text()
    with pytest.raises(SystemExit):
        main(["export-onnx", str(model), str(folder)])
    cautions = [line for line in capsys.readouterr().out.splitlines() if line.startswith("caution: ")]
    assert cautions == [shown["caution"]]
    assert aligned in cautions[0]


def test_the_published_weights_take_their_licence_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, own = make_dlib(tmp_path / "net.dat"), tmp_path / "own.txt"
    monkeypatch.setattr("fairface.dlib_weights.FILE_SHA256", hashlib.sha256(model.read_bytes()).hexdigest())
    assert export(model, tmp_path / "out") == 0
    licence, card = ((tmp_path / "out" / name).read_text() for name in ("MODEL.LICENSE", "MODEL_CARD.md"))
    assert "CC0 1.0" in licence
    assert "public domain" in licence
    for fact in ("origin: dlib's face recognition network, trained by Davis King", "identities: 7485"):
        assert f"- {fact}" in card
    own.write_text("Mine.\n")
    assert export(model, tmp_path / "out", "--licence", own) == 0
    assert (tmp_path / "out" / "MODEL.LICENSE").read_text() == "Mine.\n"


def test_dlibs_network_in_int8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, people = make_dlib(tmp_path / "net.dat"), draw_people(tmp_path / "people", people=24, images=4)
    words = ("--int8", "--calibrate", people, "--calibration-images", 32, "--set", people, "--fmr", 0.1)
    assert export(model, tmp_path / "out", *words) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["precision"], shown["layout"], shown["int8"]["tar"][0]["genuine"]) == ("int8", "dlib", 24 * 6)
    crop = cv2.imread(f"{people}/p3/1.png")[..., ::-1]
    chips = np.stack([crop, crop[::-1]])
    before, after = (load_model(str(name)).embed(chips) for name in (model, tmp_path / "out" / "model.onnx"))
    assert 0.9 < cosines(before, after).min() < 1 - 1e-9
