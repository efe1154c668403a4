"""Heads of mean embeddings: without bad records, and each branch of its own source."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.config.schema import TrainConfig
from fairface.embedding.from_checkpoint import load_embedder
from fairface.errors import DataError
from fairface.parameters import load_arrays
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

STILL = ("steps=1", "save_every=1", "verify.every=0", "optimizer.lr=0", "optimizer.weight_decay=0")
MEAN = "head.init_from=mean_embedding"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the four people beside it."""
    folder = tmp_path_factory.mktemp("base")
    people = make_people(folder / "people")
    assert train(tiny_config(folder, people, "name=base", "steps=2", "verify.every=0"), quiet=True) == 0
    return folder / "models" / "base"


def centres_of(base: Path, people: Path) -> np.ndarray:
    """Each person's mean of unit embeddings, of the images that can be read, by a plain loop."""
    embedder, sums = load_embedder(str(base), "cpu0"), []
    for person in sorted(people.iterdir()):
        images = [path.read_bytes() for path in sorted(person.iterdir()) if path.read_bytes()[:4] == b"\x89PNG"]
        rows = embedder.embed(images).astype(np.float64)
        centre = sum(row / np.linalg.norm(row) for row in rows)
        sums.append(centre / np.linalg.norm(centre))
    return np.stack(sums)


def directions_in(run: Path, block: str) -> np.ndarray:
    weight = load_arrays(str(resolve(str(run)).blocks))[f"{block}.weight"].asnumpy().astype(np.float64)
    return np.asarray(weight / np.linalg.norm(weight, axis=1, keepdims=True))


def test_bad_records_have_no_part_where_they_are_skipped(tmp_path: Path, base: Path) -> None:
    people = make_people(tmp_path / "people", people=5)
    bad = people / "person1" / "3.png"
    bad.write_bytes(b"no image")

    def config(*words: str) -> TrainConfig:
        return tiny_config(tmp_path, people, f"start_from={base}", MEAN, "verify.sets=[]", *STILL, *words)

    with pytest.raises(DataError, match=r"person1/3\.png"):
        train(config(), quiet=True)
    assert train(config("data.on_bad_record=skip"), overwrite=True, quiet=True) == 0
    run = tmp_path / "models" / "tiny"
    np.testing.assert_allclose(directions_in(run, "head"), centres_of(base, people), atol=1e-4)
    assert f"1 bad record has no part in the mean embeddings, such as {bad}" in (run / "train.log").read_text()
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["record"] for line in lines if line["event"] == "skipped"] == [str(bad)]


def test_each_branch_starts_from_its_own_source(tmp_path: Path, base: Path) -> None:
    sources = [
        {"name": name, "data": {"path": str(make_people(tmp_path / name, people=count))}, "batch_size": 4,
         "head": {"init_from": kind}}
        for name, count, kind in (("one", 3, "mean_embedding"), ("two", 5, "mean_embedding"), ("three", 2, "random"))
    ]  # fmt: skip
    words = ("method=uda", "uda.masked_weight=0", "uda.normal_weight=0", f"start_from={base}", *STILL)
    config = tiny_config(tmp_path, tmp_path / "one", *words, sources=sources, batch_size=12)
    assert train(config, quiet=True) == 0
    run = tmp_path / "models" / "tiny"
    for name in ("one", "two"):
        np.testing.assert_allclose(directions_in(run, f"head_{name}"), centres_of(base, tmp_path / name), atol=1e-4)
    assert np.abs(directions_in(run, "head_three") - centres_of(base, tmp_path / "three")).max() > 0.1
    said = (run / "train.log").read_text()
    assert "head_one starts from the mean embedding of each of 3 identities" in said
    assert "head_two starts from the mean embedding of each of 5 identities" in said
    assert "head_three starts" not in said


def test_the_same_without_a_start_is_noted(tmp_path: Path, base: Path) -> None:
    people = base.parent.parent / "people"
    sources = [{"name": "a", "data": {"path": str(people)}, "batch_size": 8, "head": {"init_from": "mean_embedding"}}]
    assert train(tiny_config(tmp_path, people, *STILL, sources=sources), quiet=True) == 0
    said = (tmp_path / "models" / "tiny" / "train.log").read_text()
    assert "note: head.init_from=mean_embedding does nothing without start_from" in said
