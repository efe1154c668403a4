"""Lengths of parts: of a run's embeddings and of stored ones, as table, CSV, picture, JSON; bad input in one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.embedding.store import Embeddings, save_embeddings
from fairface.errors import FairfaceError
from fairface.programs.part_norms import main
from fairface.scoring.part_norms import part_lengths
from unittests.small_models import draw_people, make_run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parts")
    run = Path(make_run(folder / "run"))
    (run / "config.yaml").write_text("backbone: {name: split_ir_tiny, embedding: 64}\n")
    draw_people(folder / "one", people=3, images=2)
    draw_people(folder / "two", people=2, images=2, noise=30)
    rows = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    save_embeddings(folder / "stored.npz", Embeddings(rows, tuple("abcde")))
    return folder


def test_a_run_tells_its_parts_and_each_image_has_a_row(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(place / "run"), "--data", str(place / "one"), str(place / "two"), "--csv", str(tmp_path / "x.csv"),
             "--plot", str(tmp_path / "x.png"), "--json"]  # fmt: skip
    main(words)
    found = json.loads(capsys.readouterr().out)["sets"]
    assert [of["images"] for of in found.values()] == [6, 4]
    rows = list(csv.DictReader((tmp_path / "x.csv").open()))
    assert len(rows) == 10
    assert rows[0]["image"] == "p0/0.png"
    one = [row for row in rows if row["set"] == str(place / "one")]
    for region in ("holistic", "upper", "lower"):
        mean = np.mean([float(row[region]) for row in one])
        assert found[str(place / "one")][region] == pytest.approx(mean, rel=1e-4)
    means = found[str(place / "one")]
    assert means["ratio"] == pytest.approx(means["lower"] / means["upper"])
    assert means["share"] == pytest.approx(means["lower"] / (means["lower"] + means["upper"]))
    picture = cv2.imread(str(tmp_path / "x.png"))
    assert picture.shape[1] > picture.shape[0] > 300
    assert picture.std() > 5
    main(["--model", *words[:-1]])
    assert "lower / (upper + lower)" in capsys.readouterr().out


def test_stored_embeddings_by_sizes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--embeddings", str(place / "stored.npz"), "--sizes", "0,5,3", "--json"])
    (found,) = json.loads(capsys.readouterr().out)["sets"].values()
    rows = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32).astype(float)
    assert "holistic" not in found
    assert found["upper"] == pytest.approx(np.mean([np.sqrt((row[:5] ** 2).sum()) for row in rows]))
    assert found["lower"] == pytest.approx(np.mean([np.sqrt((row[5:] ** 2).sum()) for row in rows]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give --model with --data, or --embeddings"),
        (["{}/run"], "--model and --data go together"),
        (["--embeddings", "{}/stored.npz"], "give --sizes"),
        (["--embeddings", "{}/stored.npz", "--sizes", "4,4"], "write three numbers"),
        (["--embeddings", "{}/stored.npz", "--sizes", "4,4,0"], "upper and lower above 0"),
        (["--embeddings", "{}/stored.npz", "--sizes", "4,4,4"], "embeddings have 8 values, .* 12 together"),
        (["--embeddings", "{}/stored.npz", "{}/stored.npz", "--sizes", "2,4,2"], "named twice"),
        (["--embeddings", "{}/stored.npz", "--sizes", "2,4,2", "--plot", "x.jpeg"], "pictures are written as"),
        (["--embeddings", "{}/stored.npz", "--sizes", "2,4,2", "--csv", "{}/stored.npz"], "would be overwritten"),
        (["{}/plain", "--data", "{}/one"], "its backbone fresnet_tiny has no parts; give --sizes"),
        (["{}/run", "--model", "{}/run", "--data", "{}/one"], "run and .*run given; give one"),
        (["--model", "{}/gone", "--data", "{}/one"], "gone"),
        (["{}/gone", "--data", "{}/one"], "gone"),
    ],
)
def test_bad_input(place: Path, words: list[str], message: str) -> None:
    if not (place / "plain").exists():
        make_run(place / "plain", backbone="fresnet_tiny")
    with pytest.raises(FairfaceError, match=message):
        main([word.format(place) for word in words])


def test_what_has_no_length_has_no_ratio() -> None:
    regions = {"upper": slice(0, 1), "lower": slice(1, 2)}
    found = part_lengths(np.array([[0.0, 2.0], [0.0, 0.0]]), regions)
    assert found.ratio[0] == np.inf
    assert np.isnan(found.share[1])
    assert part_lengths(np.zeros((1, 2)), regions).summary()["ratio"] == float("inf")
    with pytest.raises(FairfaceError, match="embedding 1 has values that are not finite"):
        part_lengths(np.array([[0.0, 2.0], [np.nan, 0.0]]), regions)
    with pytest.raises(FairfaceError, match="at least one image"):
        part_lengths(np.zeros((0, 2)), regions)
