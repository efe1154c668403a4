"""Images of lists of pairs: under the list's names, with what the list knows of them."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from fairface.embedding.store import load_embeddings
from fairface.errors import ConfigError
from fairface.evaluation.listed_images import open_images
from fairface.programs.embed import main as embed
from fairface.programs.fairness import main as fairness
from unittests.small_models import draw_people, export_linear

RACES = {"African": ("p0", "p1", "p2"), "Asian": ("p3", "p4", "p5")}


@pytest.fixture
def rfw(tmp_path):
    """RFW's folder: six people with three photographs, three of each race; all pairs within a race."""
    draw_people(tmp_path / "drawn")
    for race, people in RACES.items():
        lines = [f"{person}\t{i}\t{j}" for person in people for i, j in combinations((1, 2, 3), 2)]
        lines += [f"{one}\t1\t{other}\t2" for one, other in combinations(people, 2)]
        (tmp_path / f"rfw/txts/{race}").mkdir(parents=True)
        (tmp_path / f"rfw/txts/{race}/{race}_pairs.txt").write_text("\n".join(lines))
        for person in people:
            for image in range(3):
                place = tmp_path / f"rfw/data/{race}/{person}/{person}_{image + 1:04}.jpg"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes((tmp_path / f"drawn/{person}/{image}.png").read_bytes())
    return tmp_path / "rfw"


def test_a_list_tells_names_people_and_groups(rfw):
    found = open_images(rfw)
    race_of = {person: race for race, people in RACES.items() for person in people}
    assert sorted(found.names) == sorted(
        f"{race}/{person}/{person}_{image:04}.jpg" for person, race in race_of.items() for image in (1, 2, 3)
    )
    assert (len(found.images), found.classes, found.attribute_names) == (18, 6, ("race",))
    people = [Path(name).parent.name for name in found.names]
    for one, other in combinations(range(18), 2):
        assert (people[one] == people[other]) == (found.labels[one] == found.labels[other])
    told = [found.attribute_values["race"][code] for code in found.attributes[:, 0]]
    assert told == [race_of[person] for person in people]
    for index, name in enumerate(found.names):
        drawn = Path(rfw.parent, "drawn", people[index], f"{int(name[-8:-4]) - 1}.png")
        assert found.images.encoded(index) == drawn.read_bytes()


def test_rfw_is_embedded_and_judged_by_group(rfw, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = export_linear(tmp_path / "net")
    embed(["--model", model, "--data", "rfw", "--output", "rfw.npz", "--quiet"])
    stored = load_embeddings("rfw.npz")
    assert stored.meta["attribute_values"] == {"race": ["African", "Asian"]}
    capsys.readouterr()
    options = ["--embeddings", "rfw.npz", "--protected", "race", "--min-subjects", "2", "--bootstrap", "10", "--json",
               "--threshold", "0.5"]  # fmt: skip
    fairness(["--pairs", "rfw", *options])
    listed = json.loads(capsys.readouterr().out)
    rows = {row["group"]: row for row in listed["groupings"]["race"]["groups"]}
    assert {group: row["subjects"] for group, row in rows.items()} == {"African": 3, "Asian": 3}
    assert all(row["fmr"]["comparisons"] == 3 and row["fnmr"]["comparisons"] == 9 for row in rows.values())
    fairness(["--all-pairs", *options])  # the file knows people and races without the list
    whole = json.loads(capsys.readouterr().out)["groupings"]["race"]["groups"]
    assert [row["fmr"]["comparisons"] for row in whole] == [27, 27]


def test_a_table_of_pairs_with_its_images_elsewhere(tmp_path):
    draw_people(tmp_path / "photos", people=2, images=2)
    (tmp_path / "lists").mkdir()
    path = tmp_path / "lists" / "pairs.csv"
    path.write_text("image_a,image_b,same\np0/0.png,p0/1.png,1\np0/0.png,p1/1.png,0\n")
    found = open_images(path, tmp_path / "photos")
    assert found.names == ("p0/0.png", "p0/1.png", "p1/1.png")
    assert found.images.encoded(2) == (tmp_path / "photos/p1/1.png").read_bytes()
    assert np.array_equal(found.labels, [-1, -1, -1])  # the list names nobody
    with pytest.raises(ConfigError, match="photos: is no list of pairs; leave --root out"):
        open_images(tmp_path / "photos", tmp_path)


def test_a_data_set_stays_what_it_is(tmp_path):
    draw_people(tmp_path / "photos", people=2, images=2)
    found = open_images(tmp_path / "photos")
    assert found.names == ("p0/0.png", "p0/1.png", "p1/0.png", "p1/1.png")
    assert (found.labels.tolist(), found.classes) == ([0, 0, 1, 1], 2)
