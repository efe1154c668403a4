"""test/ijb.py and scripts/eval_ijb.sh on small IJB folders, from images and from features."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fairface.cli import run
from fairface.programs.ijb import main
from unittests.protocols.ijb_folder import lists, write_images, write_lists
from unittests.report.page.reading import check

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ijb(tmp_path):
    """The lists below ``data``, features of 90 images that tell subjects apart somewhat, in ``f.npy`` and ``g.npy``."""
    files = lists(np.random.default_rng(0))
    write_lists(tmp_path / "data", files)
    rng = np.random.default_rng(1)
    subjects = [int(line.split()[1]) % 9 for line in files["ijbc_face_tid_mid.txt"]]
    centres = rng.standard_normal((9, 8))
    for name in ("f", "g"):
        features = centres[subjects] + 1.2 * rng.standard_normal((90, 8))
        np.save(tmp_path / f"{name}.npy", features.astype(np.float32))
    return files


def call(capsys, folder, *words):
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as left:
        run(main, ["--data_root", str(folder / "data"), *map(str, words)])
    return left.value.code, *capsys.readouterr()


def result_of(capsys, folder, *words):
    code, out, err = call(capsys, folder, *words, "--json", "--quiet")
    assert (code, err) == (0, "")
    return json.loads(out)


def by_loops(files, features, weights=None):
    """AUC of 1:1, rank-1 shares of G1, G2 and both, by plain loops."""
    rows = [line.split() for line in files["ijbc_face_tid_mid.txt"]]
    pooled = {}
    for template in sorted({int(t) for _, t, _ in rows}):
        media = {}
        for k, (_, t, m) in enumerate(rows):
            if int(t) == template:
                media.setdefault(m, []).append(features[k].astype(np.float64) * (1 if weights is None else weights[k]))
        total = sum(np.mean(images, axis=0) for images in media.values())
        pooled[template] = total / np.linalg.norm(total)
    pairs = [tuple(map(int, line.split())) for line in files["ijbc_template_pair_label.txt"]]
    auc = roc_auc_score([same for _, _, same in pairs], [pooled[a] @ pooled[b] for a, b, _ in pairs])
    enrolled = {part: dict(tuple(map(int, line.split(",")[1::-1])) for line in files[f"ijbc_1N_gallery_{part}.csv"][1:])
                for part in ("G1", "G2")}  # fmt: skip
    enrolled["G1+G2"] = enrolled["G1"] | enrolled["G2"]
    probes = [tuple(map(int, line.split(",")[:2])) for line in files["ijbc_1N_probe_mixed.csv"][1:]]
    ranks = {}
    for part, gallery in enrolled.items():
        best = [(max(gallery, key=lambda s: pooled[gallery[s]] @ pooled[t]), s) for t, s in probes if s in gallery]
        ranks[part] = (np.mean([found == subject for found, subject in best]), len(best))
    return auc, ranks


@pytest.mark.parametrize("words", [[], ["--flipped", "g.npy"], ["--detector_score"],
                                   ["--flipped", "g.npy", "--fusion_method", "concat"]])  # fmt: skip
def test_features_of_any_framework_equal_a_loop(tmp_path, capsys, ijb, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = result_of(capsys, tmp_path, "--features", "f.npy", *words)
    features, weights = np.load("f.npy").astype(np.float64), None
    if "--flipped" in words:
        other = np.load("g.npy").astype(np.float64)
        unit = [x / np.linalg.norm(x, axis=1)[:, None] for x in (features, other)]
        features = np.concatenate(unit, axis=1) if "concat" in words else features + other
    if "--detector_score" in words:
        features = features / np.linalg.norm(features, axis=1)[:, None]
        weights = [float(line.split()[11]) for line in ijb["ijbc_name_5pts_score.txt"]]
    auc, ranks = by_loops(ijb, features, weights)
    assert found["verification"]["auc"] == pytest.approx(auc, abs=1e-12)
    for part, (rank, mated) in ranks.items():
        assert found["identification"][part]["ranks"]["1"] == pytest.approx(rank, abs=1e-12)
        assert found["identification"][part]["mated"] == mated
    assert found["identification"]["G1"]["non_mated"] > 0
    assert found["verification"]["tar"][0]["tar"] is None
    assert found["verification"]["tar"][5]["tar"] > 0


def test_the_tables_and_the_files_say_the_same(tmp_path, capsys, ijb):
    pytest.importorskip("matplotlib")
    out = tmp_path / "out"
    code, text, err = call(capsys, tmp_path, "--features", tmp_path / "f.npy", "--output_dir", out, "--bootstrap", 50)
    assert (code, err) == (0, "")
    folder = out / "IJBC" / "f"
    assert sorted(path.name for path in folder.iterdir()) == [
        "identification_result.csv", "result.json", "roc.csv", "roc.png", "verification_result.csv",
    ]  # fmt: skip
    found = json.loads((folder / "result.json").read_text())
    assert cv2.imread(str(folder / "roc.png")) is not None
    with (folder / "verification_result.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["far"] for row in rows] == ["1e-06", "1e-05", "0.0001", "0.001", "0.01", "0.1"]
    assert (rows[0]["tar"], rows[0]["far_reached"]) == ("", "")
    assert float(rows[5]["tar"]) == found["verification"]["tar"][5]["tar"]
    impostors = found["verification"]["impostor"]
    assert {int(row["impostors"]) for row in rows} == {impostors}
    with (folder / "roc.csv").open() as file:
        curve = list(csv.DictReader(file))
    assert (curve[0]["far"], curve[-1]["far"], curve[-1]["tar"]) == ("0.0", "1.0", "1.0")
    with (folder / "identification_result.csv").open() as file:
        table = {(row["gallery"], row["measure"], row["at"]): row["value"] for row in csv.DictReader(file)}
    assert float(table["G1+G2", "rank", "1"]) == found["identification"]["G1+G2"]["ranks"]["1"]
    assert (
        float(table["G1", "recall at false accepts per probe", "0.1"])
        == (found["identification"]["G1"]["per_probe"][1]["recall"])
    )
    assert f"1:1, {found['verification']['genuine']} genuine and {impostors} impostor comparisons" in text
    row = next(line.split() for line in text.splitlines() if line.split()[:1] == ["0.1"])
    last = found["verification"]["tar"][5]
    assert row[1:5] == [f"{last['tar']:.4f}", f"{last['far']:.3g}", str(last["false_accepts"]), "of"]
    assert f"TAR at FAR 1e-06 n/a: {impostors} impostor comparisons; FMR 1e-06 needs at least 1000000" in text
    rank = found["identification"]["G2"]["ranks"]["1"]
    ends = found["identification"]["G2"]["intervals"]["rank-1"]
    assert f"{rank:.4f} [{ends['low']:.4f}, {ends['high']:.4f}]" in text
    assert "50 bootstrap resamples" in text


def test_features_with_names_are_found_by_name(tmp_path, capsys, ijb):
    names = [line.split()[0] for line in ijb["ijbc_face_tid_mid.txt"]]
    features, order = np.load(tmp_path / "f.npy"), np.random.default_rng(0).permutation(90)
    expected = result_of(capsys, tmp_path, "--features", tmp_path / "f.npy")["verification"]
    for prefix in ("", "loose_crop/"):
        stored = [prefix + names[k] for k in order]
        np.savez(tmp_path / "n.npz", embeddings=features[order], names=np.array(stored))
        assert result_of(capsys, tmp_path, "--features", tmp_path / "n.npz")["verification"] == expected


BAD = {
    "count": ("f.npy", lambda f: f[:80], "80 features for the 90 images of"),
    "width": ("g.npy", lambda f: f[:, :5], "g.npy: features of shape (90, 5), but (90, 8) in"),
    "nan": ("f.npy", lambda f: np.where(np.arange(90)[:, None] == 7, np.nan, f), "not finite (index 7)"),
    "shape": ("f.npy", lambda f: f[:, 0], "holds float32 of shape (90,)"),
    "text": ("f.npy", lambda f: f.astype(str), "features must be numbers"),
    "pickle": ("f.npy", lambda f: f.astype(object), "without pickled objects"),
}


@pytest.mark.parametrize("kind", BAD)
def test_features_that_do_not_fit_are_one_line(tmp_path, capsys, ijb, kind):
    name, change, message = BAD[kind]
    np.save(tmp_path / name, change(np.load(tmp_path / name)))
    code, out, err = call(capsys, tmp_path, "--features", tmp_path / "f.npy", "--flipped", tmp_path / "g.npy")
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_stored_features_that_lack_images_are_counted(tmp_path, capsys, ijb):
    names, features = [line.split()[0] for line in ijb["ijbc_face_tid_mid.txt"]], np.load(tmp_path / "f.npy")
    for arrays, message in [
        ({"embeddings": features[:86], "names": np.array(names[:86])}, "4 of 90 images of"),
        ({"embeddings": features[:86], "names": np.array(names)}, "86 features but 90 names"),
        ({"embeddings": features, "names": np.array([names[0], *names[:-1]])}, "1 name is there twice"),
        ({"a": features, "b": features}, "has no array 'embeddings' (it holds a, b)"),
    ]:
        np.savez(tmp_path / "n.npz", **arrays)
        code, out, err = call(capsys, tmp_path, "--features", tmp_path / "n.npz")
        assert (code, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1


def test_options_that_contradict_each_other_are_one_line(tmp_path, capsys, ijb):
    for words, message in [
        (["--model", "x", "--flipped", "g"], "--flipped goes with --embeddings"),
        (["--features", "f", "--level", "1"], "between 0 and 1"),
        (["--features", "f", "--use_flip_test", "maybe"], "'maybe' is neither True nor False"),
        (["--features", "f", "--dataset_name", "IJBS"], "'IJBS' is no such data set"),
        (["--features", "f", "--dataset_name", "IJBB"], "no ijbb_face_tid_mid.txt in it"),
        (["--features", tmp_path / "nowhere.npy"], "nowhere.npy"),
    ]:
        code, out, err = call(capsys, tmp_path, *words)
        assert (code, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1


def test_without_the_lists_of_1_to_n_only_1_to_1_is_scored(tmp_path, capsys, ijb):
    shutil.move(tmp_path / "data" / "IJBC" / "meta" / "ijbc_1N_probe_mixed.csv", tmp_path / "away.csv")
    found = result_of(capsys, tmp_path, "--features", tmp_path / "f.npy")
    assert found["identification"] == {}
    assert found["notes"] == ["IJBC: no 1:N, the lists of galleries and probes are not all there"]


@pytest.fixture
def model(tmp_path):
    """A linear net on 112 x 112 images."""
    from fairface.mx import mx, nn

    mx.random.seed(0)
    net = nn.HybridSequential()
    net.add(nn.AvgPool2D(8, 8), nn.Flatten(), nn.Dense(8, in_units=3 * 14 * 14))
    net.initialize(mx.init.Xavier())
    net.hybridize()
    net(mx.nd.zeros((1, 3, 112, 112)))
    net.export(str(tmp_path / "net"), 0)
    return f"{tmp_path / 'net'},0"


@pytest.mark.parametrize(("layout", "words"), [("adaface", []), ("insightface", ["--use_flip_test", "False"]),
                                               ("idiap", ["--fusion_method", "average"])])  # fmt: skip
def test_images_are_aligned_embedded_and_scored(tmp_path, capsys, model, layout, words):
    from fairface import embed, load_model
    from fairface.faces.align import TEMPLATE_112

    rng = np.random.default_rng(2)
    files = lists(rng, images=40, templates=14)
    write_lists(tmp_path / "data", files, layout)
    write_images(tmp_path / "data", files, rng, layout)
    found = result_of(capsys, tmp_path, "--model", model, *words, "--devices", "cpu0")
    crops = []
    for line in files["ijbc_name_5pts_score.txt"]:
        name, *numbers = line.split()
        image = cv2.imread(str(next((tmp_path / "data").rglob(name))))[:, :, ::-1]
        points = np.array(numbers[:10], np.float64).reshape(5, 2)
        matrix, _ = cv2.estimateAffinePartial2D(points, TEMPLATE_112.astype(np.float64), method=cv2.LMEDS)
        crop = cv2.warpAffine(np.ascontiguousarray(image), matrix, (112, 112))
        assert abs(int(crop[51, 38, 0]) - 250) < 12  # the left eye's disc
        crops.append(crop)
    loaded = load_model(model, devices="cpu0")
    views = [embed(loaded, np.stack(images), flip=False) for images in (crops, [crop[:, ::-1] for crop in crops])]
    features = views[0] + views[1]
    if "average" in words:
        features = sum(view / np.linalg.norm(view, axis=1)[:, None] for view in views)
        features = features / np.linalg.norm(features, axis=1)[:, None]
    auc, ranks = by_loops(files, views[0] if "False" in words else features)
    assert found["verification"]["auc"] == pytest.approx(auc, abs=0.02)  # the two alignments differ by grey levels
    assert found["identification"]["G1+G2"]["mated"] == ranks["G1+G2"][1]


def test_images_and_landmarks_that_are_not_there_are_named(tmp_path, capsys, model):
    files = lists(np.random.default_rng(2), images=30, templates=14)
    paths = write_lists(tmp_path / "data", files)
    code, out, err = call(capsys, tmp_path, "--model", model)
    assert (code, out) == (2, "")
    assert "no folder loose_crop" in err
    write_images(tmp_path / "data", files, np.random.default_rng(0))
    for name in ("004.png", "009.png"):
        (tmp_path / "data" / "IJBC" / "loose_crop" / name).unlink()
    code, out, err = call(capsys, tmp_path, "--model", model, "--devices", "cpu0")
    assert (code, out) == (2, "")
    assert "2 of 30 images are not there (004.png, 009.png)" in err
    paths["ijbc_name_5pts_score.txt"].unlink()
    code, out, err = call(capsys, tmp_path, "--model", model)
    assert (code, out) == (2, "")
    assert "no ijbc_name_5pts_score.txt" in err
    assert err.count("\n") == 1


def test_the_shell_script_takes_the_documents_flags_without_mxnet(tmp_path, ijb):
    command = [str(ROOT / "scripts" / "eval_ijb.sh"), "--dataset_name", "IJBC", "--data_root", str(tmp_path / "data"),
               "--features", str(tmp_path / "f.npy"), "--batch_size", "128", "--fusion_method", "pre_norm_vector_add",
               "--use_flip_test", "True", "--gpu", "0", "--arch", "ir_50", "--output_dir", str(tmp_path / "out"),
               "--quiet"]  # fmt: skip
    variables = {**os.environ, "PYTHON": sys.executable, "VIRTUAL_ENV": str(Path(sys.executable).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "IJBC" / "ir_50" / "verification_result.csv").exists()


def test_the_page_has_the_numbers_of_the_json(tmp_path, capsys, ijb):
    found = result_of(capsys, tmp_path, "--features", tmp_path / "f.npy", "--report", tmp_path / "r.html")
    page = check((tmp_path / "r.html").read_text())
    assert any(f"IJBC: AUC {found['verification']['auc']:.4g}" in text for _, text in page.named("p"))
    cells = [text for _, text in page.named("td")]
    row = found["verification"]["tar"][-1]
    assert row["target"] == 0.1
    assert f"{row['tar']:.4f}" in cells
    assert all(f"{result['ranks']['1']:.4f}" in cells for result in found["identification"].values())
