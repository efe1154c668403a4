"""Embeddings and scores of any framework in the five scoring programs, spelled alike, without a model."""

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from fairface.cli import run
from fairface.data.images import encode_png
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.programs import fairness, identification, ijb, retrieval, verification
from unittests.protocols.ijb_folder import lists, write_lists

PEOPLE, IMAGES = 8, 3


def call(capsys, main, *words):
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as left:
        run(main, list(map(str, words)))
    return left.value.code, *capsys.readouterr()


def result_of(capsys, main, *words):
    code, out, err = call(capsys, main, *words, "--json", "--quiet")
    assert (code, err) == (0, "")
    return json.loads(out)


def refused(capsys, main, *words):
    code, out, err = call(capsys, main, *words, "--quiet")
    assert (code, out, err.count("\n")) == (2, "", 1)
    return err


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder people/ with one gallery image and two probes of each of eight people, and two unknown; mine.npz with
    the embeddings of all of them by name; the lists gallery.txt and probe.txt; rows by name in float64."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((PEOPLE + 2, 6))
    image, rows = encode_png(np.zeros((2, 2, 3), np.uint8)), {}
    for person in range(PEOPLE + 2):
        for k in range(IMAGES if person < PEOPLE else 1):
            part = "unknown" if person >= PEOPLE else "gallery" if k == 0 else "probe"
            name = f"{part}/p{person}/{k}.png"
            path = tmp_path / "people" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(image)
            rows[name] = np.float32(centres[person] + rng.standard_normal(6)).astype(np.float64)
    names = sorted(rows, key=lambda name: rows[name][0])  # any order
    save_embeddings(tmp_path / "mine.npz", Embeddings(np.array([rows[name] for name in names], np.float32),
                                                      tuple(names)))  # fmt: skip
    for part in ("gallery", "probe"):
        (tmp_path / f"{part}.txt").write_text("\n".join(name for name in sorted(rows) if name.startswith(part)))
    return rows


def cosines(rows, one, other):
    """(one, other) cosines of the images whose names begin so, by a loop, and who they show."""
    picked = [sorted(name for name in rows if name.startswith(part)) for part in (one, other)]
    scores = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in (rows[name] for name in picked[1])]
              for a in (rows[name] for name in picked[0])]  # fmt: skip
    return np.array(scores), *(np.array([name.split("/")[1] for name in part]) for part in picked)


@pytest.mark.parametrize("program", [verification, fairness, identification, retrieval, ijb],
                         ids=lambda of: of.__name__)  # fmt: skip
def test_all_five_spell_it_alike(program, capsys):
    code, out, _ = call(capsys, program.main, "--help")
    assert code == 0
    for option in ("--embeddings", "--scores", "--distance"):
        assert option in out


def test_identification_finds_embeddings_by_name(capsys, mine):
    found = result_of(capsys, identification.main, "--data", "people", "--embeddings", "mine.npz", "--fpir", "0.5")
    scores, probes, gallery = cosines(mine, "probe", "gallery")
    first = np.mean(gallery[scores.argmax(axis=1)] == probes)
    assert 0 < first < 1
    assert (found["mated"], found["non_mated"], found["embeddings"]) == (16, 2, "mine.npz")
    assert found["ranks"]["1"] == pytest.approx(first)
    listed = result_of(
        capsys, identification.main, "--gallery", "gallery.txt", "--probe", "probe.txt", "--embeddings", "mine.npz"
    )
    assert listed["ranks"] == found["ranks"]


def test_identification_takes_scores(capsys, mine, tmp_path):
    scores, probes, gallery = cosines(mine, "probe", "gallery")
    np.save("scores.npy", scores)
    np.save("distances.npy", 1 - scores)
    words = ["--gallery", "gallery.txt", "--probe", "probe.txt"]
    found = result_of(capsys, identification.main, *words, "--scores", "scores.npy", "--bootstrap", 20)
    own = np.array([scores[i, gallery == who][0] for i, who in enumerate(probes)])
    ranks = 1 + (scores[gallery[None] != probes[:, None]].reshape(16, 7) >= own[:, None]).sum(axis=1)
    assert found["ranks"] == {str(k): pytest.approx(np.mean(ranks <= k)) for k in (1, 5, 10)}
    assert (found["gallery_entries"], found["mated"]) == (8, 16)
    again = result_of(capsys, identification.main, *words, "--scores", "distances.npy", "--distance", "--bootstrap", 20)
    assert again["ranks"] == found["ranks"]
    # Two columns of each person are two entries, of which the better one counts.
    (tmp_path / "gallery.txt").write_text("\n".join(f"p{who}_{k}.png" for who in range(8) for k in (0, 1)))
    np.save("twice.npy", np.repeat(scores, 2, axis=1) - np.tile([0.0, 0.01], 8))
    assert "8 of 16 images show an identity that has a column already" in refused(
        capsys, identification.main, *words, "--scores", "twice.npy"
    )
    several = result_of(capsys, identification.main, *words, "--scores", "twice.npy", "--enrol", "images")
    assert several["gallery_entries"] == 16
    assert several["ranks"]["1"] == found["ranks"]["1"]


def test_retrieval_takes_embeddings_and_scores(capsys, mine):
    scores, queries, gallery = cosines(mine, "probe", "gallery")
    np.save("scores.npy", scores.astype(np.float32))
    words = ["--query", "probe.txt", "--gallery", "gallery.txt", "--both-directions"]
    for source in ("--embeddings", "mine.npz"), ("--scores", "scores.npy"):
        found = result_of(capsys, retrieval.main, *words, *source)["results"]
        there, back = found["query to gallery"], found["gallery to query"]
        expected = np.mean([average_precision_score(gallery == who, row)
                            for who, row in zip(queries, scores, strict=True)])  # fmt: skip
        assert there["map"] == pytest.approx(expected)
        expected = np.mean([average_precision_score(queries == who, row)
                            for who, row in zip(gallery, scores.T, strict=True)])  # fmt: skip
        assert back["map"] == pytest.approx(expected)
        assert there["queries"] == 16
    of_folders = result_of(
        capsys, retrieval.main, "--query", "people/probe", "--gallery", "people/gallery", "--embeddings", "mine.npz"
    )
    assert of_folders["results"]["query to gallery"]["map"] == there["map"]


def test_cameras_are_heeded_with_scores(capsys, mine, tmp_path):
    scores, *_ = cosines(mine, "probe", "gallery")
    np.save("scores.npy", scores)
    rows = [f"{name},{0 if 'p1/' in name else i}" for i, name in enumerate(sorted(mine))]
    (tmp_path / "cameras.csv").write_text("image,camera\n" + "\n".join(rows))
    words = ["--query", "probe.txt", "--gallery", "gallery.txt", "--cameras", "cameras.csv"]
    found = [result_of(capsys, retrieval.main, *words, *source)["results"]["query to gallery"]
             for source in (("--scores", "scores.npy"), ("--embeddings", "mine.npz"))]  # fmt: skip
    assert found[0]["queries"] == found[1]["queries"] == 14  # p1's only gallery image is of the same camera
    assert found[0]["map"] == pytest.approx(found[1]["map"])


def test_ijb_takes_embeddings_and_scores(capsys, tmp_path):
    rng = np.random.default_rng(0)
    files = lists(rng)
    write_lists(tmp_path / "data", files)
    pairs = np.array([line.split() for line in files["ijbc_template_pair_label.txt"]], int)
    scores = rng.normal(pairs[:, 2], 0.7)
    np.save(tmp_path / "scores.npy", scores)
    np.save(tmp_path / "distances.npy", 3 - scores)
    np.save(tmp_path / "features.npy", rng.standard_normal((90, 4)).astype(np.float32))
    root = ["--data_root", tmp_path / "data"]
    found = result_of(capsys, ijb.main, *root, "--scores", tmp_path / "scores.npy")
    assert found["verification"]["auc"] == pytest.approx(roc_auc_score(pairs[:, 2], scores))
    assert found["identification"] == {}
    assert "no 1:N" in found["notes"][0]
    turned = result_of(capsys, ijb.main, *root, "--scores", tmp_path / "distances.npy", "--distance")
    assert turned["verification"]["auc"] == pytest.approx(found["verification"]["auc"])
    alike = [result_of(capsys, ijb.main, *root, name, tmp_path / "features.npy")
             for name in ("--embeddings", "--features")]  # fmt: skip
    assert alike[0] == alike[1]
    np.save(tmp_path / "scores.npy", np.append(scores[1:], np.nan))
    assert "scores.npy: " in refused(capsys, ijb.main, *root, "--scores", tmp_path / "scores.npy")
    np.save(tmp_path / "scores.npy", scores[1:])
    assert "one for each comparison" in refused(capsys, ijb.main, *root, "--scores", tmp_path / "scores.npy")


@pytest.mark.parametrize(("words", "message"), [
    (["--gallery", "gallery.txt", "--probe", "probe.txt"], "gallery.txt lists names: give their --embeddings FILE"),
    (["--data", "people"], "gallery holds images: name the --model, or give stored embed"),
    (["--data", "people", "--embeddings", "mine.npz", "--scores", "scores.npy"], "--embeddings and --scores both say"),
    (["--data", "people", "--embeddings", "mine.npz", "--distance"], "--distance needs --scores"),
    (["--data", "people", "--scores", "scores.npy"], "must hold numbers of shape (18, 8): a row for each probe"),
    (["--data", "people", "--scores", "none.npy"], "none.npy: cannot be read"),
    (["--data", "people", "--embeddings", "few.npz"], "few.npz: 15 of 16 images of people/probe have no embedding"),
    (["--data", "people", "--embeddings", "plain.npz"], "the embedding of p0/0.png stands for images of gallery and"),
    (["--gallery", "mine.npz", "--probe", "probe.txt", "--embeddings", "mine.npz"], "mine.npz holds embeddings al"),
    (["--gallery", "gallery.txt", "--probe", "empty.txt", "--embeddings", "mine.npz"], "empty.txt: holds no lines"),
    (["--gallery", "gallery.txt", "--probe", "again.txt", "--embeddings", "mine.npz"], "again.txt: 1 image is named"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(capsys, mine, tmp_path, words, message):
    np.save("scores.npy", np.zeros((3, 3)))
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "again.txt").write_text("probe/p0/1.png\nprobe/p1/1.png\nprobe/p0/1.png\n")
    few = [name for name in sorted(mine) if name.startswith("gallery")] + ["probe/p0/1.png"]
    save_embeddings("few.npz", Embeddings(np.ones((len(few), 2), np.float32), tuple(few)))
    plain = [name.partition("/")[2] for name in sorted(mine)]
    save_embeddings("plain.npz", Embeddings(np.ones((len(plain), 2), np.float32), tuple(plain)))
    if "plain.npz" in words:  # an image of the same name in two parts
        (tmp_path / "people/probe/p0/0.png").write_bytes(encode_png(np.zeros((2, 2, 3), np.uint8)))
    assert message in refused(capsys, identification.main, *words)


@pytest.mark.parametrize(("words", "message"), [
    (["--data", "people", "--masked", "names", "--scores", "s.npy"], "--masked splits one set"),
    (["--query", "probe.txt", "--gallery", "gallery.txt", "--scores", "s.npy", "--distractors", "people/unknown"],
     "--scores go without --distractors"),
    (["--query", "probe.txt", "--gallery", "gallery.txt", "--scores", "s.npy", "--metric", "euclidean"],
     "--metric euclidean compares embeddings"),
])  # fmt: skip
def test_retrieval_refuses_what_scores_cannot_do(capsys, mine, words, message):
    assert message in refused(capsys, retrieval.main, *words)
