"""test/retrieval.py as a user calls it: folders with a model, stored embeddings without MXNet."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from fairface.cli import run
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.programs.retrieval import main
from unittests.report.page.reading import check
from unittests.small_models import draw_people, make_run

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


def store(path, names, rows):
    save_embeddings(path, Embeddings(np.asarray(rows, np.float32), tuple(names)))
    return path


@pytest.fixture
def people(tmp_path):
    """all.npz: ten people with two masked and three common images each, and what it holds."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(10), 5)
    masked = np.tile([True, True, False, False, False], 10)
    rows = rng.standard_normal((10, 8))[who] + 0.7 * rng.standard_normal((50, 8))
    names = [f"{w}__P{w}/{k}{'_mask' if m else ''}.jpg" for k, (w, m) in enumerate(zip(who, masked, strict=True))]
    store(tmp_path / "all.npz", names, rows)
    return names, rows.astype(np.float32).astype(np.float64), who, masked


def by_loop(rows, who, queries, gallery):
    """mAP and rank-1 by scikit-learn and a loop."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    precisions, first = [], []
    for query in np.flatnonzero(queries):
        scores, own = unit[gallery] @ unit[query], who[gallery] == who[query]
        precisions.append(average_precision_score(own, scores))
        first.append(own[np.argmax(scores)])
    return np.mean(precisions), np.mean(first)


def test_masked_and_common_images_of_one_file_either_way(tmp_path, capsys, people):
    names, rows, who, masked = people
    listed = tmp_path / "masks.csv"
    listed.write_text("image,masked\n" + "".join(f"{n},{int(m)}\n" for n, m in zip(names, masked, strict=True)))
    words = ["--data", tmp_path / "all.npz", "--both-directions", "--bootstrap", 20]
    found = result_of(capsys, *words, "--masked", "names")
    assert result_of(capsys, *words, "--masked", listed)["results"] == found["results"]
    for title, queries in (("masked to common", masked), ("common to masked", ~masked)):
        result = found["results"][title]
        precision, first = by_loop(rows, who, queries, ~queries)
        assert result["map"] == pytest.approx(precision)
        assert result["ranks"]["1"] == pytest.approx(first)
        assert (result["queries"], result["gallery"], result["absent"]) == (queries.sum(), (~queries).sum(), [])
        assert result["intervals"]["map"]["low"] <= precision <= result["intervals"]["map"]["high"]
    assert found["notes"] == []


def test_pkus_folders_name_the_identity_and_the_mask(tmp_path, capsys, people):
    _, rows, who, masked = people
    renamed = [f"images/{w}_{int(m)}/{k}.png" for k, (w, m) in enumerate(zip(who, masked, strict=True))]
    store(tmp_path / "pku.npz", renamed, rows)
    found = result_of(capsys, "--data", tmp_path / "pku.npz", "--masked", "pku")["results"]["masked to common"]
    assert found["map"] == pytest.approx(by_loop(rows, who, masked, ~masked)[0])


def test_absent_identities_distractors_and_the_table(tmp_path, capsys, people):
    names, rows, who, _ = people
    one, other = np.flatnonzero(np.arange(50) % 2), np.flatnonzero((np.arange(50) % 2 == 0) & (who != 3) & (who != 4))
    strangers = np.random.default_rng(1).standard_normal((12, 8)).astype(np.float32)
    paths = [store(tmp_path / "q.npz", [names[k] for k in one], rows[one]),
             store(tmp_path / "g.npz", [names[k] for k in other], rows[other]),
             store(tmp_path / "d.npz", [f"x{k}.jpg" for k in range(12)], strangers)]  # fmt: skip
    words = [word for part, path in zip(("query", "gallery", "distractors"), paths, strict=True)
             for word in (f"--{part}", path)]  # fmt: skip
    found = result_of(capsys, *words, "--metric", "euclidean", "--fmr", 0.05)
    result = found["results"]["query to gallery"]
    lost = int(np.isin(who[one], [3, 4]).sum())
    assert (result["absent_queries"], result["absent"], result["distractors"]) == (lost, ["3", "4"], 12)
    assert found["notes"] == [f"query to gallery ({paths[0]}): {lost} queries of 2 identities that are not in the "
                              "gallery (3, 4); they are left out"]  # fmt: skip
    gallery, shown = np.concatenate([rows[other], strangers]), np.concatenate([who[other], np.full(12, -1)])
    expected = [average_precision_score(shown == who[k], -np.linalg.norm(gallery - rows[k], axis=1))
                for k in one if who[k] not in (3, 4)]  # fmt: skip
    assert result["map"] == pytest.approx(np.mean(expected))
    unit, far = (of / np.linalg.norm(of, axis=1, keepdims=True) for of in (rows, strangers.astype(np.float64)))
    pairs = [(a, b) for a in one for b in other if who[a] == who[b]]
    hits = np.array([[unit[a] @ unit[b] > (far @ unit[end]).max() for end in (a, b)] for a, b in pairs])
    told = found["distractor_hits"]
    assert (told["zj2jk"], told["jk2zj"], told["pairs"]) == pytest.approx((*hits.mean(axis=0), len(pairs)))
    code, out, err = call(capsys, *words, "--metric", "euclidean", "--fmr", "0.05", "--bootstrap", "10")
    assert (code, err) == (0, "")
    head, _, row = out.splitlines()[1:4]
    assert head.split()[-4:] == ["TAR", "at", "FMR", "0.05"]
    assert row.startswith(f"query to gallery{len(expected):9d}")
    assert f"{np.mean(expected):.4f} [" in row
    assert f"{len(pairs)} pairs against 12 distractors: zj2jk={hits[:, 0].mean():.4f} [" in out
    assert "mAP by Market-1501's convention (re-identification): " in out
    told = "95% confidence intervals over the queries' identities, with this gallery, 10 bootstrap resamples"
    assert told in out.splitlines()[-2]


def test_cameras_of_a_list(tmp_path, capsys, people):
    names, rows, who, masked = people
    camera = np.arange(50) % 3
    listed = tmp_path / "cameras.csv"
    listed.write_text("image,camera\n" + "".join(f"{n},c{c}\n" for n, c in zip(names, camera, strict=True)))
    words = ["--data", tmp_path / "all.npz", "--masked", "names", "--cameras", listed]
    found = result_of(capsys, *words)["results"]["masked to common"]
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    expected = []
    for query in np.flatnonzero(masked):
        kept = ~masked & ~((who == who[query]) & (camera == camera[query]))
        expected.append(average_precision_score(who[kept] == who[query], unit[kept] @ unit[query]))
    assert found["map"] == pytest.approx(np.mean(expected))
    # A query that is in the gallery, too, is left out for itself by its own camera.
    query, gallery = store(tmp_path / "q.npz", names[::7], rows[::7]), ["--gallery", tmp_path / "all.npz"]
    found = result_of(capsys, "--query", query, *gallery, "--cameras", listed)["results"]["query to gallery"]
    expected = []
    for place in range(0, 50, 7):
        kept = ~((who == who[place]) & (camera == camera[place]))
        expected.append(average_precision_score(who[kept] == who[place], unit[kept] @ unit[place]))
    assert found["map"] == pytest.approx(np.mean(expected))
    listed.write_text(f"image,camera\n{names[0]},c1\n")
    code, _, err = call(capsys, *words)
    assert code == 2
    assert "19 of 20 images have no camera" in err


def test_what_does_not_fit_is_one_line(tmp_path, capsys, people):
    names, rows, _, _ = people
    whole = tmp_path / "all.npz"
    query = ["--query", store(tmp_path / "q.npz", names[:9], rows[:9])]
    rest = store(tmp_path / "rest.npz", names[9:], rows[9:])
    store(tmp_path / "narrow.npz", names[:2], rows[:2, :5])
    np.savez(tmp_path / "nan.npz", embeddings=np.full((1, 8), np.nan, np.float32), names=np.array(["1__P1/a.jpg"]))
    np.savez(tmp_path / "none.npz", embeddings=np.zeros((0, 8), np.float32), names=np.array([], np.str_))
    store(tmp_path / "others.npz", ["77/a.jpg"], rows[:1])
    (tmp_path / "empty").mkdir()
    draw_people(tmp_path / "folder", people=1, images=1)
    for words, message in [
        (query, "give --query and --gallery, or --data FOLDER"),
        ([*query, "--data", whole], "--data names queries and gallery"),
        ([*query, "--gallery", whole, "--masked", "names"], "--masked splits the images of --data"),
        (["--query", whole, "--gallery", whole], "so every image would find itself"),
        ([*query, "--gallery", tmp_path / "narrow.npz"], "embeddings have different lengths"),
        ([*query, "--gallery", tmp_path / "nan.npz"], "1 of 1 embedding is not finite (1__P1/a.jpg)"),
        ([*query, "--gallery", tmp_path / "none.npz"], "embeddings have shape (0, 8)"),
        ([*query, "--gallery", tmp_path / "empty"], "no photograph in it"),
        ([*query, "--gallery", tmp_path / "folder"], "holds images: name the --model, or give stored embeddings"),
        ([*query, "--gallery", tmp_path / "others.npz"], "none of the 9 queries shows a subject of the gallery"),
        ([*query, "--gallery", whole], f"q.npz: 9 of 9 images are in {whole} too (0__P0/0_mask.jpg, "),
        ([*query, "--gallery", rest, "--ranks", "0"], "the best image has rank 1"),
        ([*query, "--gallery", rest, "--level", "1"], "between 0 and 1"),
        ([*query, "--gallery", rest, "--distractors", whole], "who is in the gallery or the probes"),
        (["--data", tmp_path / "others.npz", "--masked", "names"], "none of the 1 image is masked"),
    ]:
        code, out, err = call(capsys, *words)
        assert (code, out) == (2, ""), words
        assert message in err, err
        assert err.count("\n") == 1


def test_a_model_ranks_folders(tmp_path, capsys):
    make_run(tmp_path / "run")
    draw_people(tmp_path / "drawn", people=4, images=4)
    for place, image in enumerate(sorted((tmp_path / "drawn").glob("*/*.png"))):
        moved = tmp_path / "people" / ("query", "gallery")[place % 2] / image.parent.name / f"{place // 2}.png"
        moved.parent.mkdir(parents=True, exist_ok=True)
        image.rename(moved)
    found = result_of(capsys, "--model", tmp_path / "run", "--data", tmp_path / "people", "--both-directions")
    assert {title: (of["queries"], of["gallery"], of["ranks"]["1"]) for title, of in found["results"].items()} == {
        "query to gallery": (8, 8, 1.0), "gallery to query": (8, 8, 1.0),
    }  # fmt: skip


def test_a_query_that_is_in_the_gallery_is_refused_whatever_its_file(tmp_path, capsys):
    make_run(tmp_path / "run")
    draw_people(tmp_path / "query", people=3, images=2)
    draw_people(tmp_path / "gallery", people=3, images=1)  # the first of each is not the same: other noise
    words = ["--model", tmp_path / "run", "--query", tmp_path / "query", "--gallery", tmp_path / "gallery"]
    shutil.copy(tmp_path / "query" / "p1" / "1.png", tmp_path / "gallery" / "p1" / "1.png")
    shutil.copy(tmp_path / "query" / "p1" / "0.png", tmp_path / "gallery" / "p1" / "0.png")
    (tmp_path / "gallery" / "p0" / "0.png").unlink()
    (tmp_path / "gallery" / "p0" / "other.png").symlink_to(tmp_path / "query" / "p0" / "1.png")
    code, out, err = call(capsys, *words, "--quiet")
    assert (code, out) == (2, "")
    assert "query: 1 of 6 images is in" in err  # the link: one file
    assert "(p0/1.png), so each would find itself; leave them out" in err
    (tmp_path / "gallery" / "p0" / "other.png").unlink()
    code, out, err = call(capsys, *words, "--quiet")
    assert (code, out) == (2, "")
    assert "query: 2 of 6 images are in" in err  # the copies: one name, one embedding
    assert "(p1/0.png, p1/1.png), so each would find itself" in err


@pytest.mark.parametrize("listed", [False, True])
def test_a_name_of_given_scores_is_a_query_or_in_the_gallery(tmp_path, capsys, listed):
    (tmp_path / "q.txt").write_text("a/1.jpg\nb/1.jpg\n")
    (tmp_path / "g.txt").write_text(f"a/2.jpg\n{'b/1' if listed else 'b/2'}.jpg\n")
    np.save(tmp_path / "s.npy", np.array([[0.9, 0.1], [0.2, 1.0]]))
    words = ["--query", tmp_path / "q.txt", "--gallery", tmp_path / "g.txt", "--scores", tmp_path / "s.npy"]
    code, _, err = call(capsys, *words, "--quiet")
    assert code == (2 if listed else 0)
    assert ("q.txt: 1 of 2 images is in" in err) == listed


def test_stored_embeddings_need_no_mxnet(tmp_path, people):
    code = "import sys, runpy; sys.modules['mxnet'] = None; sys.argv = sys.argv[1:]; "
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", code, ROOT / "test" / "retrieval.py", "--data", tmp_path / "all.npz"]
    done = subprocess.run([*map(str, command), "--masked", "names"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "masked to common" in done.stdout


def test_the_page_has_the_numbers_of_the_json(tmp_path, capsys, people):
    found = result_of(
        capsys, "--data", tmp_path / "all.npz", "--masked", "names", "--bootstrap", 20, "--report", tmp_path / "r.html",
        "--figures", tmp_path / "figures",
    )  # fmt: skip
    page = check((tmp_path / "r.html").read_text())
    ((name, result),) = found["results"].items()
    assert any(f"{name}: mAP {result['map']:.4g}; {result['ranks']['1']:.4g} of" in text for _, text in page.named("p"))
    interval = result["intervals"]["map"]
    cell = f"{result['map']:.4f} [{interval['low']:.4f}, {interval['high']:.4f}]"
    assert cell in [text for _, text in page.named("td")]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["cmc.pdf", "cmc.png"]
