"""test/normalise.py as a user calls it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fairface.embedding.personal_files import EMBEDDINGS, kind_of
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.programs import normalise
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world

COMMON = ("--protected", "sex", "--bootstrap", 30, "--min-subjects", 20, "--fmr", 0.05)
OPTIONS = FairnessOptions(rounds=30, min_subjects=20)


@pytest.fixture
def score(capsys):
    """Runs the program in this process; returns (code, out, err)."""
    from fairface.cli import run

    def call(*arguments):
        with pytest.raises(SystemExit) as left:
            run(normalise.main, [str(argument) for argument in arguments])
        done = capsys.readouterr()
        return left.value.code, done.out, done.err

    return call


def write(path, scores, comparisons, people):
    """A list of pairs of ``people``, the first letter of their names."""
    sex = comparisons.attribute_values[0]
    rows = ["image_a,image_b,same,score,sex_a,sex_b,subject_a,subject_b"]
    columns = (scores, comparisons.a, comparisons.b, comparisons.same, comparisons.subject_a, comparisons.subject_b)
    for value, a, b, same, p, q in zip(*columns, strict=True):
        codes = [sex[comparisons.attributes[image, 0]] for image in (a, b)]
        rows.append(f"{people}{comparisons.names[a]},{people}{comparisons.names[b]},{int(same)},{value},{codes[0]},"
                    f"{codes[1]},{people}{p},{people}{q}")  # fmt: skip
    path.write_text("\n".join(rows) + "\n")


@pytest.fixture
def files(tmp_path):
    """Group f's scores are 0.3 higher, in both lists."""
    for name, people, seed in (("judged", "j", 3), ("calibration", "c", 7)):
        scores, comparisons = small_world(seed=seed)
        f = comparisons.attributes[:, 0] == 0
        scores += 0.3 * (f[comparisons.a] & f[comparisons.b])
        write(tmp_path / f"{name}.csv", scores, comparisons, people)
    return tmp_path, scores, comparisons


@pytest.fixture
def embedded(tmp_path):
    """Embeddings of two groups of people; those of f lie closer together."""
    rng = np.random.default_rng(0)
    lines = ["image,sex"]
    for name in ("judged", "calibration"):
        names = tuple(f"{name[0]}{person}/{k}.png" for person in range(60) for k in range(3))
        f = (np.arange(180) // 3 % 2 == 0)[:, None]
        rows = np.repeat(rng.normal(size=(60, 8)), 3, axis=0) + 0.4 * rng.normal(size=(180, 8)) + 0.8 * f
        save_embeddings(tmp_path / f"{name}.npz", Embeddings(rows.astype(np.float32), names))
        lines += [f"{image},{'mf'[int(is_f)]}" for image, is_f in zip(names, f[:, 0], strict=True)]
    (tmp_path / "people.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def of_embeddings(folder):
    return ("--embeddings", folder / "judged.npz", "--calibration-embeddings", folder / "calibration.npz",
            "--attributes", folder / "people.csv", "--subjects-from", "names", *COMMON)  # fmt: skip


def test_the_change_is_that_of_the_scores_it_writes(score, files):
    folder, _, _ = files
    lists = ("--pairs", folder / "judged.csv", "--calibration", folder / "calibration.csv")
    words = ("--method", "platt", *lists, *COMMON, "--json", "--output", folder / "after.npy")
    code, out, err = score(*words)
    assert (code, err) == (0, "")
    found = json.loads(out)
    scores, comparisons = small_world(seed=3)
    f = comparisons.attributes[:, 0] == 0
    scores += 0.3 * (f[comparisons.a] & f[comparisons.b])
    before, after = (given_threshold(found["thresholds"][name]["value"]) for name in ("before", "after"))
    expected = compare((scores, before), (np.load(folder / "after.npy"), after), comparisons, ["sex"], OPTIONS)["sex"]
    assert found["changes"]["sex"] == json.loads(json.dumps(expected.to_dict()))
    gap = found["changes"]["sex"]["measures"]["fmr_gap"]
    assert gap["after"] < gap["before"] / 2
    every = found["changes"]["everyone"]["fmr"]["all"]
    wrong = (scores >= before.value)[~comparisons.same].mean()
    assert every["before"] == pytest.approx(wrong, rel=1e-12)
    assert found["calibration"]["people"] == found["judged"]["people"] == 60


def test_text_has_the_verdict_and_the_price(score, files):
    folder, _, _ = files
    lists = ("--pairs", folder / "judged.csv", "--calibration", folder / "calibration.csv")
    code, out, _ = score("--method", "isotonic", *lists, *COMMON)
    assert code == 0
    assert out.startswith("== Normalised with isotonic by sex\nfitted on 60 people (180 genuine, 1770 impostor")
    assert "FMR gap by sex: " in out
    assert "the group of both faces must be known at run time" in out
    assert "== Compared with raw scores, by everyone" in out


@pytest.mark.parametrize("by", [("--by", "clusters", "--clusters", 2), ()], ids=["clusters", "groups"])
@pytest.mark.parametrize("method", ["znorm", "platt"])
def test_saved_and_applied_it_says_the_same(score, embedded, method, by):
    words = of_embeddings(embedded)
    saved = embedded / "saved.json"
    code, out, err = score("--method", method, *by, *words, "--json", "--save", saved)
    assert (code, err) == (0, "")
    assert saved.stat().st_mode & 0o077 == 0
    assert kind_of(saved) == EMBEDDINGS  # so that the clean-up finds it
    assert "c0" not in json.loads(saved.read_text())["people"]
    code, again, err = score("--apply", saved, *words[:2], *words[4:], "--json")
    assert (code, err) == (0, "")
    first, second = (json.loads(text) for text in (out, again))
    assert first["changes"] == second["changes"]
    assert first["price"] == second["price"]


def test_people_who_were_calibrated_on_are_not_judged(score, files, embedded):
    folder, _, _ = files
    lists = ("--pairs", folder / "judged.csv", "--calibration", folder / "judged.csv")
    code, out, err = score("--method", "platt", *lists, *COMMON)
    assert (code, out) == (2, "")
    assert "60 of 60 people are calibration people too (j0, j1, j10, …); judge on others" in err
    assert err.count("\n") == 1
    saved = embedded / "saved.json"
    words = of_embeddings(embedded)
    score("--method", "platt", *words, "--save", saved)
    code, _, err = score("--apply", saved, "--embeddings", embedded / "calibration.npz", *words[4:])
    assert code == 2
    assert "60 of 60 people are calibration people too" in err


def test_groups_that_were_not_calibrated_are_named(score, files):
    folder, scores, comparisons = files
    x = replace(comparisons, attribute_values=(("f", "x"),))
    write(folder / "other.csv", scores, x, "o")
    lists = ("--pairs", folder / "judged.csv", "--calibration", folder / "other.csv")
    code, _, err = score("--method", "platt", *lists, *COMMON)
    assert code == 2
    assert "judged.csv: m: no calibration people of this sex (f, x have some)" in err
    unknown = replace(comparisons, attribute_values=(("f", ""),))
    write(folder / "unknown.csv", scores, unknown, "u")
    lists = ("--pairs", folder / "judged.csv", "--calibration", folder / "unknown.csv")
    code, _, err = score("--method", "platt", *lists, *COMMON)
    assert code == 2
    assert "90 of 180 images have no known sex (up1/" in err


def test_a_saved_file_is_for_embeddings_of_its_model(score, embedded):
    words, saved = of_embeddings(embedded), embedded / "saved.json"
    score("--method", "tnorm", *words, "--save", saved)
    rng = np.random.default_rng(1)
    names = tuple(f"j{person}/{k}.png" for person in range(60) for k in range(3))
    save_embeddings(embedded / "judged.npz", Embeddings(rng.normal(size=(180, 5)).astype(np.float32), names))
    code, _, err = score("--apply", saved, *words[:2], *words[4:])
    assert code == 2
    assert "embeddings have 5 values, those of the calibration people 8; use one model for both" in err
    (embedded / "damaged.json").write_text(saved.read_text().replace('"side": "b"', '"side": "q"'))
    for name, why in (("people.csv", "is not JSON"), ("damaged.json", "is no stored normalisation")):
        code, _, err = score("--apply", embedded / name, *words[:2], *words[4:])
        assert code == 2
        assert f"{name}: " in err
        assert why in err


@pytest.mark.parametrize(
    ("words", "why"),
    [((), "give --method"), (("--method", "platt"), "give --calibration"),
     (("--method", "platt", "--calibration", "c.csv"), "give --pairs or --embeddings"),
     (("--apply", "a.json", "--method", "platt"), "leave out --method"),
     (("--method", "platt", "--calibration", "c.csv", "--pairs", "p.csv", "--output", "o.csv"), "ends in .npy"),
     (("--method", "platt", "--calibration-embeddings", "c.npz", "--pairs", "p.csv"), "need each other"),
     (("--method", "platt", "--calibration", "c.csv", "--pairs", "p.csv", "--by", "clusters", "--clusters", "1"),
      "give 2 or more"),
     (("--method", "platt", "--calibration", "c.csv", "--pairs", "p.csv", "--save", "p.csv"), "would be overwritten")],
)  # fmt: skip
def test_options_that_say_too_little_or_too_much(score, words, why):
    code, _, err = score(*words, "--protected", "sex")
    assert code == 2
    assert why in err


def test_clusters_need_embeddings(score, files):
    folder, _, _ = files
    lists = ("--pairs", folder / "judged.csv", "--calibration", folder / "calibration.csv")
    code, _, err = score("--method", "platt", "--by", "clusters", *lists, *COMMON)
    assert code == 2
    assert "cohorts and clusters need embeddings" in err


def test_people_are_known_by_name_where_images_are_not(score, files):
    folder, _, _ = files
    for name in ("judged", "calibration"):
        lines = [line.split(",")[2:] for line in (folder / f"{name}.csv").read_text().splitlines()]
        (folder / f"{name}.csv").write_text("\n".join(map(",".join, lines)) + "\n")
    judged = ("--method", "platt", "--pairs", folder / "judged.csv", *COMMON)
    code, _, err = score(*judged, "--calibration", folder / "calibration.csv")
    assert (code, err) == (0, "")
    code, _, err = score(*judged, "--calibration", folder / "judged.csv")
    assert code == 2
    assert "60 of 60 people are calibration people too" in err


def test_people_without_names_are_refused(score, embedded):
    names = tuple(f"record {place}" for place in range(180))
    labels = np.repeat(np.arange(60), 3).astype(np.int32)
    rows = np.random.default_rng(0).normal(size=(180, 4)).astype(np.float32)
    sex = (labels % 2).astype(np.int8)[:, None]
    save_embeddings(embedded / "records.npz", Embeddings(rows, names, {}, labels, sex, ("sex",)))
    code, _, err = score("--method", "platt", "--embeddings", embedded / "records.npz", "--calibration-embeddings",
                         embedded / "records.npz", "--subjects-from", "labels", *COMMON)  # fmt: skip
    assert code == 2
    assert "its people have no names" in err


@pytest.fixture
def by_column(tmp_path):
    """Two files of the same 60 people, who are told by a column alone: images and their folders differ."""
    rng = np.random.default_rng(5)
    people = np.repeat(rng.normal(size=(60, 8)), 3, axis=0)
    lines = ["image,person,sex"]
    for name in ("judged", "calibration"):
        names = tuple(f"{name}/{place}.png" for place in range(180))
        rows = np.float32(people + 0.5 * rng.normal(size=people.shape))
        labels = np.repeat(np.arange(60), 3).astype(np.int32)
        sex = (labels % 2).astype(np.int8)[:, None]
        save_embeddings(tmp_path / f"{name}.npz", Embeddings(rows, names, {"data": "one/set"}, labels, sex, ("sex",)))
        lines += [f"{image},Zo\u00eb {place // 3},{'fm'[place // 3 % 2]}" for place, image in enumerate(names)]
    (tmp_path / "people.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def list_of(folder, name):
    """Its pairs of neighbours, without a word on who is shown."""
    images = [f"{name}/{place}.png" for place in range(180)]
    pairs = [(a, b, int(a // 3 == b // 3)) for a in range(180) for b in (a + 1, a + 6) if b < 180]
    lines = ["image_a,image_b,same", *(f"{images[a]},{images[b]},{same}" for a, b, same in pairs)]
    (folder / f"{name}_pairs.csv").write_text("\n".join(lines) + "\n")
    return folder / f"{name}_pairs.csv"


@pytest.mark.parametrize("lists", [False, True], ids=["all_pairs", "lists"])
@pytest.mark.parametrize("how", [("person",), ("person", "--by", "clusters", "--clusters", 2), ("labels",)],
                         ids=["column", "column_and_clusters", "labels"])  # fmt: skip
def test_people_are_noticed_who_are_told_by_a_column_or_labels(score, by_column, how, lists):
    words = ["--method", "platt", "--embeddings", by_column / "judged.npz", *COMMON]
    words += ["--calibration-embeddings", by_column / "calibration.npz", "--attributes", by_column / "people.csv"]
    words += ["--subjects-from", *how]
    if lists:
        words += ["--pairs", list_of(by_column, "judged"), "--calibration", list_of(by_column, "calibration")]
    code, out, err = score(*words)
    assert (code, out) == (2, "")
    assert "60 of 60 people are calibration people too" in err
    assert err.count("\n") == 1
    table = (by_column / "people.csv").read_text().splitlines()
    apart = [table[0], *(line.replace("Zo", "Mo") if line.startswith("judged") else line for line in table[1:])]
    (by_column / "people.csv").write_text("\n".join(apart) + "\n")
    if how != ("labels",):
        assert score(*words)[::2] == (0, "")


def test_one_name_in_two_forms_is_one_person(score, by_column):
    table = (by_column / "people.csv").read_text().splitlines()
    taken_apart = [line.replace("\u00eb", "e\u0308") if line.startswith("judged") else line for line in table]
    (by_column / "people.csv").write_text("\n".join(taken_apart) + "\n")
    code, _, err = score("--method", "platt", "--embeddings", by_column / "judged.npz", "--calibration-embeddings",
                         by_column / "calibration.npz", "--attributes", by_column / "people.csv", "--subjects-from",
                         "person", *COMMON)  # fmt: skip
    assert code == 2
    assert "60 of 60 people are calibration people too" in err
