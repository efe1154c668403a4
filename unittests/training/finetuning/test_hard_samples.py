"""Hard samples: what a classifier gets wrong, found again by plain arithmetic."""

import json
from pathlib import Path

import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.config.check import check
from fairface.config.schema import DataConfig, HeadConfig
from fairface.data.folder import FolderDataset
from fairface.data.selection import read_positions
from fairface.errors import CheckpointError, DataError
from fairface.heads import HEADS, build_head
from fairface.mx import mx, nd
from fairface.parallel import contexts_of
from fairface.parameters import load_arrays
from fairface.training.finetuning.hard_samples import collect, mine, write_list
from fairface.training.finetuning.trained_parts import Part, predict
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has hardly learnt anything."""
    folder = tmp_path_factory.mktemp("hard")
    people = make_people(folder / "people")
    words = ["steps=2", "optimizer.lr=0.001", "verify.every=0", "verify.sets=[]", "save_every=2"]
    config = tiny_config(folder, people, *words)
    check(config)
    assert train(config, quiet=True) == 0
    return folder / "models" / "tiny"


def test_the_same_records_as_by_hand(run: Path, tmp_path: Path) -> None:
    from fairface.embedding.from_checkpoint import load_embedder

    data = FolderDataset(run.parent.parent / "people")
    found = mine(str(run), devices="cpu0")
    embeddings = load_embedder(str(run), "cpu0", flip=False).embed(data).astype(np.float64)
    weight = load_arrays(str(resolve(str(run)).blocks))["head.weight"].asnumpy().astype(np.float64)
    weight /= np.linalg.norm(weight, axis=1, keepdims=True)
    nearest = [max(range(4), key=lambda c, e=e: e @ weight[c]) for e in embeddings]
    hard = [i for i, person in enumerate(nearest) if person != data.labels[i]]
    assert 0 < len(hard) < len(data)
    assert found.hard.tolist() == hard
    people = {int(data.labels[i]) for i in hard}
    assert found.indices.tolist() == [i for i in range(len(data)) if data.labels[i] in people]
    assert found.identities == len(people)
    assert found.accuracy == pytest.approx(1 - len(hard) / len(data))
    write_list(tmp_path / "hard.txt", found)
    assert read_positions(tmp_path / "hard.txt", data).tolist() == found.indices.tolist()


def test_both_classifiers_of_latent_part_detection_decide_together(tmp_path: Path) -> None:
    people = make_people(tmp_path / "people", people=4, images=6)
    words = ["steps=2", "optimizer.lr=0.001", "method=lpd", "backbone.name=lpd_tiny", "backbone.dropout=-1",
             "lpd.nose_height=constant", "lpd.nose_height_value=0.6", "sampler.kind=pk", "sampler.images_per_class=2",
             "verify.every=0", "verify.sets=[]"]  # fmt: skip
    config = tiny_config(tmp_path, people, *words)
    check(config)
    assert train(config, quiet=True) == 0
    model = str(tmp_path / "models" / "tiny")
    found = mine(model, devices="cpu0")

    from fairface.embedding.from_checkpoint import load_embedder

    data = FolderDataset(people)
    embeddings = load_embedder(model, "cpu0", flip=False).embed(data).astype(np.float64)
    saved = load_arrays(str(resolve(model).blocks))
    logits = np.zeros((len(data), 4))
    for columns, name in ((slice(0, 4), "head"), (slice(4, 8), "partial_head")):
        weight = saved[f"{name}.weight"].asnumpy().astype(np.float64)
        rows = embeddings[:, columns] / np.linalg.norm(embeddings[:, columns], axis=1, keepdims=True)
        logits += rows @ (weight / np.linalg.norm(weight, axis=1, keepdims=True)).T
    assert 0 < len(found.hard) < len(data)
    assert found.hard.tolist() == np.flatnonzero(logits.argmax(axis=1) != data.labels).tolist()


def test_other_people_are_refused(run: Path, tmp_path: Path) -> None:
    other = make_people(tmp_path / "people", people=3)
    with pytest.raises(CheckpointError, match="knows 4 identities, the data have 3"):
        mine(str(run), DataConfig(path=str(other)), devices="cpu0")


def test_a_model_without_a_classifier_is_refused(run: Path) -> None:
    step = resolve(str(run)).step
    with pytest.raises(CheckpointError, match="classifier"):
        mine(f"{run / 'model'},{step}", devices="cpu0")


def test_without_a_hard_sample_every_labeled_record_is_listed(tmp_path: Path) -> None:
    data = FolderDataset(make_people(tmp_path / "people", people=2, images=2))
    found = collect(data, np.arange(4), data.labels.astype(np.int64), "people by model")
    assert found.accuracy == 1.0
    assert found.indices.tolist() == [0, 1, 2, 3]
    assert "no hard sample" in found.message()
    assert "1.0000 (4 of 4)" in found.message()


@pytest.mark.parametrize("name", sorted(HEADS))
def test_every_head_predicts_without_its_margin(name: str) -> None:
    rng = np.random.default_rng(1)
    head = build_head(HeadConfig(name, s=8), 5, 6)
    head.initialize(mx.init.Normal(1.0), force_reinit=True)
    weight, embeddings = rng.normal(size=(6, 5)), rng.normal(size=(40, 5)).astype(np.float32)
    head.weight.set_data(nd.array(weight))
    lengths = np.linalg.norm(weight, axis=1) if name != "softmax" else 1.0
    wanted = (embeddings @ weight.T / lengths).argmax(axis=1)
    assert predict([Part(head, slice(None))], embeddings, contexts_of("cpu0")[0], rows=16).tolist() == wanted.tolist()


def test_only_an_earlier_list_is_replaced(tmp_path: Path) -> None:
    data = FolderDataset(make_people(tmp_path / "people", people=2, images=2))
    found = collect(data, np.arange(4), data.labels.astype(np.int64), "people by model")
    other = tmp_path / "train.rec"
    other.write_bytes(b"\x0a\x23\xd7\xce")
    with pytest.raises(DataError, match="not overwritten"):
        write_list(other, found)
    assert other.read_bytes() == b"\x0a\x23\xd7\xce"
    write_list(tmp_path / "list.txt", found)
    write_list(tmp_path / "list.txt", found)
    assert read_positions(tmp_path / "list.txt", data).tolist() == [0, 1, 2, 3]


def test_the_head_that_was_trained_is_the_sources_own(tmp_path: Path) -> None:
    """Softmax compares products, the run's arcface would compare cosines; neither data path nor crop is the run's."""
    people = make_people(tmp_path / "people", people=12, size=40)
    source = {
        "name": "a", "data": {"path": str(people)}, "batch_size": 8, "head": {"name": "softmax"},
        "augment": {"centre_crop": 32, "centre_offset": [2, -2]},
    }  # fmt: skip
    words = ["steps=4", "verify.every=0", "verify.sets=[]", "data.path=", "head.name=arcface", "head.m3=0"]
    config = tiny_config(tmp_path, people, *words, sources=[source])
    assert train(config, quiet=True) == 0
    folder = tmp_path / "models" / "tiny"
    assert json.loads((folder / "manifest.json").read_text())["head"] == "softmax"
    data = FolderDataset(people)
    squares = np.stack([data.decoded(i)[2:34, 6:38] for i in range(len(data))])  # 40 pixels: middle 4, moved by 2, -2
    from fairface.embedding.from_checkpoint import load_embedder

    embeddings = load_embedder(str(folder), "cpu0", flip=False).embed(squares).astype(np.float64)
    weight = load_arrays(str(resolve(str(folder)).blocks))["head.weight"].asnumpy().astype(np.float64)
    products = embeddings @ weight.T
    cosines = products / np.linalg.norm(weight, axis=1)
    hard = np.flatnonzero(products.argmax(axis=1) != data.labels)
    assert hard.tolist() != np.flatnonzero(cosines.argmax(axis=1) != data.labels).tolist()
    assert mine(str(folder), devices="cpu0").hard.tolist() == hard.tolist()


def test_two_classifiers_are_refused(tmp_path: Path) -> None:
    sources = [
        {"name": name, "data": {"path": str(make_people(tmp_path / name, images=2))}, "batch_size": 4}
        for name in ("one", "two")
    ]
    words = ("method=uda", "uda.masked_weight=0", "uda.normal_weight=0", "steps=1", "verify.every=0", "verify.sets=[]")
    config = tiny_config(tmp_path, tmp_path / "one", *words, sources=[*sources], batch_size=8)
    assert train(config, quiet=True) == 0
    folder = tmp_path / "models" / "tiny"
    assert json.loads((folder / "manifest.json").read_text())["head"] == {"one": "cosface", "two": "cosface"}
    with pytest.raises(CheckpointError, match="tiny: was trained with a classifier for each of one, two"):
        mine(str(folder), devices="cpu0")


def test_records_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    people = make_people(tmp_path / "people")
    bad = people / "person1" / "3.png"
    bad.write_bytes(b"no image")
    words = ["steps=1", "verify.every=0", "verify.sets=[]", "optimizer.lr=0", "data.on_bad_record=skip"]
    assert train(tiny_config(tmp_path, people, *words), quiet=True) == 0
    folder = tmp_path / "models" / "tiny"
    found = mine(str(folder), devices="cpu0")
    assert found.labeled == 23
    assert f", without 1 record not readable, such as {bad}" in found.message()
    assert list(found.unreadable) == [str(bad)]
    assert 6 + 3 not in found.indices.tolist()
    write_list(tmp_path / "hard.txt", found)
    assert f"# unreadable: {bad}: not an image" in (tmp_path / "hard.txt").read_text()
    bad.unlink()
    again = mine(str(folder), devices="cpu0")
    assert [i - (i > 9) for i in found.indices.tolist()] == again.indices.tolist()
    bad.write_bytes(b"no image")
    assert list(mine(str(folder), DataConfig(path=str(people)), devices="cpu0").unreadable) == [str(bad)]


@pytest.mark.parametrize("on_bad_record", ["stop", "skip"])
def test_a_bad_record_stops_unless_skipping_is_asked_for(run: Path, tmp_path: Path, on_bad_record: str) -> None:
    people = make_people(tmp_path / "people")
    (people / "person1" / "3.png").write_bytes(b"no image")
    data = DataConfig(path=str(people), on_bad_record=on_bad_record)
    if on_bad_record == "skip":
        assert mine(str(run), data, devices="cpu0").labeled == 23
        return
    with pytest.raises(DataError, match=r"person1/3\.png: not an image"):
        mine(str(run), data, devices="cpu0")
