"""test/identification.py as a user calls it: folders with a model, stored embeddings without MXNet."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.cli import run
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.programs.identification import main
from unittests.report.page.reading import check

ROOT = Path(__file__).resolve().parents[2]


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
    """gallery.npz, probe.npz and unknown.npz: 12 enrolled, 3 images each; 60 probes; 40 images of others."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((20, 6))
    parts = {
        "gallery": np.repeat(np.arange(12), 3), "probe": rng.integers(0, 12, 60), "unknown": rng.integers(12, 20, 40),
    }  # fmt: skip
    kept = {}
    for part, subjects in parts.items():
        rows = (centres[subjects] + rng.standard_normal((len(subjects), 6))).astype(np.float32)
        names = tuple(f"{s}__P{s}/{k}.jpg" for k, s in enumerate(subjects))
        save_embeddings(tmp_path / f"{part}.npz", Embeddings(rows, names))
        kept[part] = rows.astype(np.float64), subjects
    return kept


def by_loop(stored, pooled):
    """Rank of each probe's own identity among the entries, and the best score of each unknown."""
    rows, subjects = stored["gallery"]
    if pooled:
        rows = np.array([rows[subjects == s].sum(axis=0) for s in range(12)])
        subjects = np.arange(12)
    rows = rows / np.linalg.norm(rows, axis=1)[:, None]
    ranks, own = [], []
    for probe, subject in zip(*stored["probe"], strict=True):
        scores = rows @ probe / np.linalg.norm(probe)
        own.append(scores[subjects == subject].max())
        ranks.append(1 + int((scores[subjects != subject] >= own[-1]).sum()))
    best = [float((rows @ probe / np.linalg.norm(probe)).max()) for probe in stored["unknown"][0]]
    return np.array(ranks), np.array(own), np.sort(best)[::-1]


@pytest.mark.parametrize("enrol", ["template", "images"])
def test_stored_embeddings_equal_a_loop(tmp_path, capsys, stored, enrol):
    paths = [word for part in stored for word in (f"--{part}", tmp_path / f"{part}.npz")]
    found = result_of(capsys, *paths, "--enrol", enrol, "--fpir", 0.05, 0.2, "--bootstrap", 30)
    ranks, own, best = by_loop(stored, enrol == "template")
    for rank in (1, 5, 10):
        assert found["ranks"][str(rank)] == pytest.approx(np.mean(ranks <= rank))
    for row, allowed in zip(found["open_set"], (2, 8), strict=True):
        assert row["tpir"] == pytest.approx(np.mean((ranks == 1) & (own > best[allowed])))
        assert row["fpir"] == pytest.approx(allowed / 40)
    assert (found["mated"], found["non_mated"]) == (60, 40)
    assert found["gallery_entries"] == (12 if enrol == "template" else 36)
    assert found["intervals"]["rank-1"]["low"] <= found["ranks"]["1"] <= found["intervals"]["rank-1"]["high"]


def test_the_table_and_the_picture(tmp_path, capsys, stored):
    pytest.importorskip("matplotlib")
    paths = [word for part in ("gallery", "probe") for word in (f"--{part}", tmp_path / f"{part}.npz")]
    code, out, err = call(capsys, *paths, "--plot", tmp_path / "cmc.png")
    assert (code, err) == (0, f"drawn: CMC and DET of gallery, in {tmp_path / 'cmc.png'}\n")
    row = next(line.split() for line in out.splitlines() if line.startswith("gallery  ") and "subjects" not in line)
    ranks, _, _ = by_loop(stored, True)
    assert row == ["gallery", "12", "60", "0", *(f"{np.mean(ranks <= k):.4f}" for k in (1, 5, 10)), "n/a", "n/a"]
    assert "gallery: every probe's subject is enrolled, so there is no non-mated search" in out
    assert "recall at false accepts per probe" in out
    assert cv2.imread(str(tmp_path / "cmc.png")) is not None
    code, _, _ = call(capsys, *paths, "--unknown", tmp_path / "unknown.npz", "--plot", tmp_path / "cmc.svg")
    assert code == 0
    assert (tmp_path / "cmc.svg").read_text().rstrip().endswith("</svg>")


def test_a_probe_who_is_not_enrolled_is_told_and_counts_as_non_mated(tmp_path, capsys, stored):
    rows, subjects = stored["probe"]
    names = tuple(f"{s + 20 * (s == 3)}__P{s + 20 * (s == 3)}/{k}.jpg" for k, s in enumerate(subjects))
    save_embeddings(tmp_path / "p.npz", Embeddings(rows.astype(np.float32), names))
    found = result_of(capsys, "--gallery", tmp_path / "gallery.npz", "--probe", tmp_path / "p.npz")
    strangers = int((subjects == 3).sum())
    assert found["non_mated"] == strangers > 0
    (note,) = found["notes"]
    assert note.startswith(f"{tmp_path / 'p.npz'}: {strangers} images of 1 identity that is not in the gallery (23)")


def test_what_does_not_fit_is_one_line(tmp_path, capsys, stored):
    gallery, probe = ["--gallery", tmp_path / "gallery.npz"], ["--probe", tmp_path / "probe.npz"]
    narrow = Embeddings(np.ones((2, 5), np.float32), ("1__P1/a.jpg", "2__P2/a.jpg"))
    save_embeddings(tmp_path / "narrow.npz", narrow)
    twice = Embeddings(np.ones((2, 6), np.float32), ("1__P1/a.jpg", "1__P2/a.jpg"))
    save_embeddings(tmp_path / "twice.npz", twice)
    nan = np.ones((2, 6), np.float32)
    nan[1] = np.nan
    np.savez(tmp_path / "nan.npz", embeddings=nan, names=np.array(["1__P1/a.jpg", "2__P2/b.jpg"]))
    (tmp_path / "folder" / "1__P1").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "folder" / "1__P1" / "a.png"), np.zeros((9, 9, 3), np.uint8))
    (tmp_path / "empty").mkdir()
    for words, message in [
        ([*gallery], "give --gallery and --probe, or --data FOLDER"),
        (["--data", "x", *gallery], "--data names the folder of gallery and probe"),
        ([*gallery, "--probe", tmp_path / "narrow.npz"], "embeddings have different lengths"),
        (["--gallery", tmp_path / "twice.npz", *probe], "1__P2 is identity 1, which is called 1__P1"),
        ([*gallery, "--probe", tmp_path / "nan.npz"], "1 of 2 embeddings is not finite (2__P2/b.jpg)"),
        ([*gallery, "--probe", tmp_path / "folder"], "holds images: name the --model, or give stored embeddings"),
        ([*gallery, *probe, "--model", "x"], "holds embeddings already"),
        ([*gallery, "--probe", tmp_path / "empty"], "no photograph in it"),
        ([*gallery, *probe, "--level", "0"], "between 0 and 1"),
        ([*gallery, *probe, "--fpir", "1.5"], "FPIR 1.5 cannot be used"),
        ([*gallery, "--probe", tmp_path / "unknown.npz"], "none of the 40 probes shows a subject of the gallery"),
    ]:
        code, out, err = call(capsys, *words)
        assert (code, out) == (2, ""), words
        assert message in err
        assert err.count("\n") == 1


@pytest.mark.parametrize("enrol", ["template", "images"])
def test_a_probe_who_is_enrolled_by_the_same_image_is_refused(tmp_path, capsys, stored, enrol):
    rows = stored["gallery"][0].astype(np.float32)
    names = [f"{place // 3}__P{place // 3}/{place}.jpg" for place in range(36)]
    assert len(rows) == 36
    gallery = tmp_path / "gallery.npz"
    link = tmp_path / "link.npz"
    link.symlink_to(gallery)
    for part in ("--probe", "--unknown"):
        words = ["--gallery", gallery, *(["--probe", tmp_path / "probe.npz"] if part != "--probe" else [])]
        for same in (gallery, link):
            code, out, err = call(capsys, *words, part, same, "--enrol", enrol)
            assert (code, out) == (2, "")
            assert f"{same} is {part[2:]} and gallery, so every image would find itself; give two sets\n" in err
    # A copy with other scales: the images are the same.
    save_embeddings(tmp_path / "copy.npz", Embeddings(rows[5:] * 2, tuple(names[5:])))
    code, out, err = call(capsys, "--gallery", gallery, "--probe", tmp_path / "copy.npz", "--enrol", enrol)
    assert (code, out) == (2, "")
    assert f"copy.npz: 31 of 31 images are in {gallery} too (1__P1/5.jpg, " in err
    assert err.count("\n") == 1
    # The same names of other photographs, as two folders of one layout have: no objection.
    other = rows[5:] + np.random.default_rng(1).standard_normal(rows[5:].shape).astype(np.float32)
    save_embeddings(tmp_path / "copy.npz", Embeddings(other, tuple(names[5:])))
    assert result_of(capsys, "--gallery", gallery, "--probe", tmp_path / "copy.npz", "--enrol", enrol)["mated"] == 31


def draw(path, seed, noise):
    face = np.random.default_rng(seed).integers(0, 256, (14, 14, 3)).astype(np.float64)
    noisy = np.clip(face + noise.normal(0, 20, face.shape), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.resize(noisy, (112, 112), interpolation=cv2.INTER_NEAREST))


def test_folders_are_embedded_by_a_model(tmp_path, capsys):
    from fairface.mx import mx, nn

    mx.random.seed(0)
    net = nn.HybridSequential()
    net.add(nn.AvgPool2D(8, 8), nn.Flatten(), nn.Dense(16, in_units=3 * 14 * 14))
    net.initialize(mx.init.Xavier())
    net.hybridize()
    net(mx.nd.zeros((1, 3, 112, 112)))
    net.export(str(tmp_path / "net"), 0)
    noise, data = np.random.default_rng(5), tmp_path / "people"
    for subject in range(4):
        for k in range(2):
            draw(data / "gallery" / f"{subject}__P" / f"{k}.png", subject, noise)
        draw(data / "probe" / f"{subject}__P" / "9.png", subject, noise)
    for k in range(10):
        draw(data / "unknown" / f"face{k}.png", 50 + k, noise)
    draw(data / "distractors" / "d.png", 99, noise)
    (data / "probe" / "notes.txt").write_text("no photograph")
    found = result_of(capsys, "--model", f"{tmp_path / 'net'},0", "--devices", "cpu0", "--data", data)
    assert found["ranks"]["1"] == 1.0
    assert found["open_set"][1]["tpir"] == 1.0
    assert (found["mated"], found["non_mated"], found["gallery_entries"]) == (4, 10, 5)
    assert found["notes"] == [f"{data / 'probe'}: 1 other file was left out: notes.txt"]


def test_nothing_of_it_needs_mxnet_for_stored_embeddings(tmp_path, stored):
    code = "import sys, runpy; sys.modules['mxnet'] = None; sys.argv = sys.argv[1:]; "
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    words = [str(ROOT / "test" / "identification.py"), "--gallery", str(tmp_path / "gallery.npz"),
             "--probe", str(tmp_path / "probe.npz"), "--json"]  # fmt: skip
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["mated"] == 60


def test_the_page_has_the_numbers_of_the_json(tmp_path, capsys, stored):
    paths = [word for part in stored for word in (f"--{part}", tmp_path / f"{part}.npz")]
    found = result_of(capsys, *paths, "--fpir", 0.2, "--report", tmp_path / "r.html", "--tables", tmp_path / "tables")
    page = check((tmp_path / "r.html").read_text())
    assert any(f"gallery: {found['ranks']['1']:.4g} of 60 mated searches" in text for _, text in page.named("p"))
    assert any(f"At FPIR 0.2, {found['open_set'][0]['tpir']:.4g} of" in text for _, text in page.named("p"))
    assert f"{found['ranks']['1']:.4f}" in [text for _, text in page.named("td")]
    assert (tmp_path / "tables" / "cmc.csv").read_text().startswith("gallery,rank 1,rank 2")
    code, out, err = call(capsys, *paths, "--report", tmp_path / "r.md")
    assert (code, out) == (2, "")
    assert "ends with .html" in err
