"""--all-pairs gives what a list of the same pairs gives, whose scores a plain loop worked out and sorted."""

import csv
import json
from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fairface.embedding.store import Embeddings, load_embeddings, save_embeddings
from fairface.errors import ConfigError
from fairface.programs import fairness, verification

FMR = (0.5, 0.1, 0.01, 0.001)
WORLDS = {
    "plain": {"subjects": 24, "images": (1, 7)},
    "few_subjects": {"subjects": 5, "images": (6, 14), "noise": 2.0},
    "mostly_single": {"subjects": 70, "images": (1, 2), "dimensions": 6},
    "ties": {"subjects": 20, "images": (2, 6), "copies": 0.4},
    "unknown_group": {"subjects": 24, "images": (1, 6), "unknown": 0.2},
    "no_genuine_in_a_group": {"subjects": 30, "images": (1, 5), "single": 2},
}


def world(seed, subjects, images, dimensions=12, noise=1.1, copies=0.0, unknown=0.0, single=-1):
    """Embeddings, who is shown, and two attributes: of the person (three values), and of the image (two)."""
    rng = np.random.default_rng(seed)
    count = rng.integers(images[0], images[1] + 1, subjects)
    count[:2] = images[1] + 1  # genuine pairs in any case
    count[np.arange(subjects) % 3 == single] = 1
    who = rng.permutation(np.repeat(np.arange(subjects), count))
    embeddings = rng.normal(size=(subjects, dimensions))[who] + noise * rng.normal(size=(len(who), dimensions))
    copied = np.flatnonzero(rng.random(len(who)) < copies)
    embeddings[copied] = embeddings[rng.integers(0, len(who), len(copied))]  # the same picture under two names
    attributes = np.stack([who % 3, rng.integers(0, 2, len(who))], 1).astype(np.int8)
    attributes[rng.random(len(who)) < unknown] = -1
    return embeddings.astype(np.float32), who, attributes


def cosine(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def scored_pairs(embeddings, who):
    """Every pair by a plain loop: (i, j, same, score); copies of one picture score alike to the bit."""
    seen = {}
    for i, j in combinations(range(len(who)), 2):
        key = tuple(sorted((embeddings[i].tobytes(), embeddings[j].tobytes())))
        score = seen.setdefault(key, cosine(embeddings[i], embeddings[j]))
        yield i, j, bool(who[i] == who[j]), score


@pytest.fixture(scope="module", params=WORLDS)
def files(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    embeddings, who, attributes = world(len(request.param), **WORLDS[request.param])
    names = tuple(f"p{subject:02d}/{image}.png" for image, subject in enumerate(who))
    save_embeddings(
        folder / "e.npz",
        Embeddings(embeddings, names, {}, who.astype(np.int32), attributes, ("race", "glasses")),
    )
    pairs = list(scored_pairs(embeddings, who))
    with open(folder / "people.csv", "w", newline="") as file:
        write = csv.writer(file)
        write.writerow(["image", "race", "glasses"])
        for name, codes in zip(names, attributes, strict=True):
            write.writerow([name, *("" if code < 0 else code for code in codes)])
    with open(folder / "pairs.csv", "w", newline="") as file:
        write = csv.writer(file)
        write.writerow(["image_a", "image_b", "same", "score"])
        write.writerows([names[i], names[j], int(same), repr(score)] for i, j, same, score in pairs)
    return folder, np.array([p[3] for p in pairs]), np.array([p[2] for p in pairs])


@pytest.fixture
def call(capsys, monkeypatch):
    """Runs a program in this process; its result, which must be one JSON object. No pairs are few enough for a list."""
    from fairface.cli import run

    for program in (verification, fairness):
        monkeypatch.setattr(program, "LISTED", 0)

    def of(program, *arguments):
        with pytest.raises(SystemExit) as left:
            run(program.main, [*map(str, arguments), "--json", "--quiet"])
        done = capsys.readouterr()
        assert (left.value.code, done.err) == (0, "")
        return json.loads(done.out)

    return of


def test_verification_is_that_of_sorting_every_score(files, call):
    folder, scores, same = files
    (found,) = call(
        verification, "--embeddings", folder / "e.npz", "--all-pairs", "--subjects-from", "names", "--fmr", *FMR
    )["results"].values()
    assert (found["genuine"], found["impostor"]) == (same.sum(), (~same).sum())
    assert found["duplicates"] == 0
    assert found["auc"] == pytest.approx(roc_auc_score(same, scores), abs=1e-4)
    for fmr in FMR:
        if (~same).sum() < 1 / fmr:
            assert found["tar"][str(fmr)] is None
            assert f"needs at least {round(1 / fmr)}" in found["reasons"][f"tar@{fmr}"]
            continue
        # The lowest of all scores that lets no more than this share of the impostors through.
        kept = [score for score in np.unique(scores) if (scores[~same] >= score).mean() <= fmr]
        matches = (scores[same] >= kept[0]).sum() if kept else 0
        assert found["tar"][str(fmr)] == matches / same.sum()


def test_eer_is_that_of_a_list(files, call):
    folder, *_ = files
    source = ("--subjects-from", "names")
    (whole,) = call(verification, "--embeddings", folder / "e.npz", "--all-pairs", *source)["results"].values()
    (by_list,) = call(verification, "--column", "score", "--pairs", folder / "pairs.csv", *source)["results"].values()
    assert whole["eer"] == pytest.approx(by_list["eer"], abs=1e-9)
    assert whole["subjects"] == by_list["subjects"]


def same_numbers(found, expected, where=""):
    """The same JSON but for rounding; shifts of scores that are counted in bins have no interval."""
    if where.endswith("score_differential"):
        assert found["low"] is found["high"] is None
        assert [found[key] for key in ("mean", "value")] == pytest.approx([expected[key] for key in ("mean", "value")],
                                                                          abs=5e-4)  # fmt: skip
        return
    assert type(found) is type(expected), where
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key, value in expected.items():
            same_numbers(found[key], value, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            same_numbers(one, other, f"{where}[{place}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-3 if where.endswith("auc") else 1e-9), where
    else:
        assert found == expected, where


@pytest.mark.parametrize("how", ["fmr", "threshold"])
def test_fairness_is_that_of_a_list_with_its_intervals(files, call, how):
    folder, scores, _ = files
    common = ("--protected", "race", "glasses", "--min-subjects", 2, "--bootstrap", 25, "--subjects-from", "names")
    common += ("--fmr", 0.05) if how == "fmr" else ("--threshold", float(np.quantile(scores, 0.8)) + 1e-7)
    whole = call(fairness, "--embeddings", folder / "e.npz", "--all-pairs", *common)
    by_list = call(
        fairness, "--column", "score", "--pairs", folder / "pairs.csv", "--attributes", folder / "people.csv", *common
    )
    assert whole["threshold"]["value"] == pytest.approx(by_list["threshold"]["value"], abs=1e-12)
    assert whole["threshold"]["how"] == by_list["threshold"]["how"]
    same_numbers(whole["groupings"], by_list["groupings"])
    same_numbers(whole["overall"], by_list["overall"])
    assert (whole["subjects"], whole["duplicates"]) == (by_list["subjects"], by_list["duplicates"])
    assert whole["notes"] == by_list["notes"]


def whole_and_by_list(call, *ask):
    """What test/fairness.py says of all pairs that are counted, and of all pairs that are listed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fairness, "LISTED", 10**9)
        by_list = call(fairness, *ask)
    return call(fairness, *ask), by_list


def test_failures_and_a_second_model(files, call):
    folder, *_ = files
    names = (folder / "people.csv").read_text().splitlines()[1:]
    (folder / "failed.txt").write_text("".join(line.split(",")[0] + "\n" for line in names[::7]) + "nobody/1.png\n")
    common = ("--protected", "race", "--min-subjects", 2, "--bootstrap", 20, "--subjects-from", "names")
    common += ("--failures", folder / "failed.txt")
    changed = folder / "other.npz"
    stored = load_embeddings(folder / "e.npz")
    noise = np.random.default_rng(0).normal(size=stored.embeddings.shape)
    rows = (stored.embeddings + 0.4 * noise).astype(np.float32)
    order = np.random.default_rng(1).permutation(len(rows))
    save_embeddings(changed, Embeddings(rows[order], tuple(stored.names[i] for i in order), {}, stored.labels[order]))
    for leave_out in ((), ("--leave-out-failures",)):
        ask = (*common, *leave_out, "--embeddings", folder / "e.npz", "--against", changed, "--all-pairs")
        whole, by_list = whole_and_by_list(call, *ask, "--fmr", 0.05)
        same_numbers(whole["groupings"], by_list["groupings"])
        assert whole["notes"] == by_list["notes"]
        assert whole["source"] == by_list["source"]
        # Thresholds are set anew on listed comparisons only, and change intervals there.
        for name, change in whole["against"].items():
            rounds = [of["against"][name]["threshold_rounds"] for of in (whole, by_list)]
            assert rounds == [0, 20]
            for part in ("fnmr", "fmr", "measures"):
                ends = [{key: [one[end] for end in ("before", "after", "value")] for key, one in of[name][part].items()}
                        for of in (whole["against"], by_list["against"])]  # fmt: skip
                same_numbers(*ends)
            assert "intervals take both thresholds as given" in " ".join(change["notes"]) or len(change["notes"]) == 0
        given = ("--threshold", whole["threshold"]["value"], "--against-threshold", whole["threshold"]["value"])
        whole, by_list = whole_and_by_list(call, *ask, *given)
        same_numbers(whole["against"], by_list["against"])
    ask = ("--embeddings", folder / "e.npz", "--all-pairs", "--subjects-from", "names")
    ask += ("--failures", folder / "failed.txt", "--fmr", 0.1)
    (whole,) = call(verification, *ask)["results"].values()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification, "LISTED", 10**9)
        (by_list,) = call(verification, *ask)["results"].values()
    assert whole["failure_to_acquire"] == by_list["failure_to_acquire"]
    for key in ("genuine", "impostor", "tar", "subjects"):
        assert whole["without_failures"][key] == by_list["without_failures"][key], key


@pytest.fixture
def lost(tmp_path):
    """Twenty people with three embedded images each, by a table of images, and a list of failures of every kind."""
    rng = np.random.default_rng(3)
    names = tuple(f"p{person:02d}/{image}.png" for person in range(20) for image in range(3))
    rows = np.repeat(rng.normal(size=(20, 8)), 3, axis=0) + 0.5 * rng.normal(size=(60, 8))
    save_embeddings(tmp_path / "e.npz", Embeddings(rows.astype(np.float32), names))
    table = [(name, name[:3], "fm"[int(name[1:3]) % 2]) for name in names]
    table += [("p00/9.png", "p00", "f"), ("p00/8.png", "p00", "f"), ("p30/1.png", "p30", "m")]
    table += [("p31/1.png", "p31", "x"), ("p32/1.png", "p32", "")]
    lines = ["image,person,sex", *map(",".join, table)]
    (tmp_path / "people.csv").write_text("\n".join(lines) + "\n")
    # Embedded: a woman's image and a man's; not embedded: two of a woman, one of a man, one of a group that is lost,
    # one of no known group, and one of whom nobody knows anything.
    failed = ["p02/0.png", "p05/1.png", "p00/9.jpg", "p00/8.png", "p30/1.png", "p31/1.png", "p32/1.png", "nobody.png"]
    (tmp_path / "failed.txt").write_text("\n".join([*failed, "p00/9.png"]) + "\n")
    return tmp_path


NO_RATE = "1 failed image is in no rate (nobody.png)"
NO_EMBEDDING = (
    "5 failed images have no embedding (p00/9.jpg, p00/8.png, p30/1.png, …): failure to acquire counts them, error "
    "rates do not"
)


@pytest.mark.parametrize("where", ["names", "person"])
@pytest.mark.parametrize("listed", [0, 10**9], ids=["counted", "listed"])
def test_failed_images_without_an_embedding_count(lost, call, monkeypatch, capsys, where, listed):
    for program in (fairness, verification):
        monkeypatch.setattr(program, "LISTED", listed)
    ask = ("--embeddings", lost / "e.npz", "--all-pairs", "--failures", lost / "failed.txt", "--fmr", 0.05)
    groups = ("--attributes", lost / "people.csv", "--protected", "sex", "--min-subjects", 2, "--bootstrap", 5)
    whole = call(fairness, *ask, *groups, "--subjects-from", where)
    counted = {row["group"]: row["failure_to_detect"] for row in whole["groupings"]["sex"]["groups"]}
    assert {group: (rate["errors"], rate["comparisons"]) for group, rate in counted.items()} == {
        "f": (1 + 2, 30 + 2), "m": (1 + 1, 30 + 1),
    }  # fmt: skip
    assert [counted[group]["subjects"] for group in "fm"] == [10, 11]  # p30 is one more person
    assert counted["f"]["low"] < 3 / 32 < counted["f"]["high"]
    everyone = "failure to acquire: 7 of 65 images (p02/0.png, p05/1.png, p00/9.jpg, …), in 427 of 2080 comparisons"
    assert (65 * 64 // 2, 65 * 64 // 2 - 58 * 57 // 2) == (2080, 427)
    assert [note for note in whole["notes"] if "fail" in note] == [everyone, NO_EMBEDDING, NO_RATE]
    assert whole["groupings"]["sex"]["notes"][-2:] == [
        "1 failed image without an embedding has no known sex, so it is in no group's failure to acquire",
        "groups of which no image has an embedding, so all failed and no rate is given: x (1)",
    ]
    words = (*ask, *groups, "--subjects-from", where, "--report", lost / "report.md", "--quiet")
    fairness.main([str(word) for word in words])
    for shown in (capsys.readouterr().out, (lost / "report.md").read_text()):
        assert all(note in shown for note in (everyone, NO_EMBEDDING, NO_RATE, "given: x (1)"))
    left = call(fairness, *ask, *groups, "--subjects-from", where, "--leave-out-failures")
    assert f"{everyone}; these are left out" in left["notes"]
    assert NO_RATE in left["notes"]


@pytest.mark.parametrize("listed", [0, 10**9], ids=["counted", "listed"])
def test_verification_counts_failed_images_without_an_embedding(lost, call, monkeypatch, listed):
    monkeypatch.setattr(verification, "LISTED", listed)
    ask = ("--embeddings", lost / "e.npz", "--all-pairs", "--failures", lost / "failed.txt", "--fmr", 0.05)
    found = call(verification, *ask, "--subjects-from", "names")
    (result,) = found["results"].values()
    told = result["failure_to_acquire"]
    assert (told["failed"], told["images"], told["rate"]) == (7, 65, 7 / 65)
    assert (told["comparisons"], told["total"]) == (427, 2080)
    assert told["unembedded"] == ["p00/9.jpg", "p00/8.png", "p30/1.png", "p31/1.png", "p32/1.png"]
    assert told["in_no_rate"] == ["nobody.png"]
    assert f"all pairs: {NO_RATE}" in found["notes"]
    stored = load_embeddings(lost / "e.npz")
    labels = np.repeat(np.arange(20), 3).astype(np.int32)
    save_embeddings(lost / "e.npz", Embeddings(stored.embeddings, stored.names, {}, labels))
    (result,) = call(verification, *ask, "--subjects-from", "labels")["results"].values()
    assert (result["failure_to_acquire"]["failed"], result["failure_to_acquire"]["images"]) == (2, 60)
    assert len(result["failure_to_acquire"]["in_no_rate"]) == 6  # labels are of embedded images alone


def test_groups_of_failed_images_are_known_where_subjects_are_not(lost, call, monkeypatch):
    stored = load_embeddings(lost / "e.npz")
    labels = np.repeat(np.arange(20), 3).astype(np.int32)
    save_embeddings(lost / "e.npz", Embeddings(stored.embeddings, stored.names, {}, labels))
    ask = ("--embeddings", lost / "e.npz", "--all-pairs", "--failures", lost / "failed.txt", "--fmr", 0.05)
    groups = ("--attributes", lost / "people.csv", "--protected", "sex", "--min-subjects", 2, "--bootstrap", 5)
    for listed in (0, 10**9):
        monkeypatch.setattr(fairness, "LISTED", listed)
        found = call(fairness, *ask, *groups, "--subjects-from", "labels")
        rates = [row["failure_to_detect"] for row in found["groupings"]["sex"]["groups"]]
        assert [(rate["errors"], rate["comparisons"]) for rate in rates] == [(3, 32), (2, 31)]
        assert [(rate["low"], rate["high"]) for rate in rates] == [(None, None)] * 2  # nobody knows whose they are
        assert "2 failed images are in no rate (p32/1.png, nobody.png)" in found["notes"]


def test_what_a_list_is_needed_for_is_refused_where_no_list_fits(files, monkeypatch, capsys):
    folder, *_ = files
    for name in ("LISTED", "LIMIT"):
        monkeypatch.setattr(fairness, name, 0)
    ask = ("--embeddings", folder / "e.npz", "--all-pairs", "--subjects-from", "names", "--protected", "race")
    with pytest.raises(ConfigError, match="--challenge and --legitimate need a list of pairs, of 0 at most"):
        fairness.main([*map(str, ask), "--challenge"])


def test_curves_and_tables_are_drawn(files, call, tmp_path):
    pytest.importorskip("matplotlib")
    folder, *_ = files
    ask = ("--embeddings", folder / "e.npz", "--all-pairs", "--subjects-from", "names")
    call(verification, *ask, "--plot", tmp_path / "roc.png", "--bootstrap", 1, "--fmr", 0.1)
    found = call(fairness, *ask, "--protected", "race", "--plot", tmp_path / "groups.png", "--fmr", 0.1,
                 "--report", tmp_path / "report.md", "--min-subjects", 2, "--bootstrap", 10)  # fmt: skip
    assert [curve["reason"] for curve in found["curves"] if curve["auc"]] != []
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("roc.png", "groups.png", "report.md"))
