"""What would stop a run at its end stops it before its first step; what resizes, resizes everywhere."""

import importlib
import json
import math
from pathlib import Path

import numpy as np
import pytest

from fairface.config.check import check
from fairface.config.schema import DataConfig
from fairface.data.image_reader import ImageReader
from fairface.data.images import encode_png
from fairface.data.opening import open_dataset
from fairface.embedding.eigenfaces import Eigenfaces
from fairface.errors import ConfigError, DataError
from fairface.parameters import load_arrays
from fairface.training.finetuning.hard_samples import mine
from fairface.training.run import train
from unittests.training.helpers import SIZE, make_people, tiny_config


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People larger than the net's images."""
    return make_people(tmp_path_factory.mktemp("large") / "people", size=48)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


@pytest.mark.parametrize("key", ["test.fmr", "verify.fmr"])
@pytest.mark.parametrize("fmr", ["[2]", "[0.01,1]", "[0]", "[-0.1]"])
def test_rates_that_are_none(tmp_path: Path, people: Path, key: str, fmr: str) -> None:
    with pytest.raises(ConfigError, match=rf"{key} is .*; each must lie between 0 and 1"):
        check(tiny_config(tmp_path, people, f"{key}={fmr}"))


@pytest.mark.parametrize("wrong", ["test.baseline=pca", "test.checkpoint=worst", "head.init_from=mean"])
def test_names_that_are_none(tmp_path: Path, people: Path, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong.partition("=")[0].replace(".", r"\.")):
        check(tiny_config(tmp_path, people, wrong))


@pytest.mark.parametrize("key", ["test.sets", "verify.sets"])
def test_sets_of_another_size_cost_nothing(tmp_path: Path, people: Path, large: Path, key: str) -> None:
    for resize in ("true", "false"):  # which is about the training data: sets are scored as they are
        with pytest.raises(DataError, match="48x48 pixels, not 32x32") as caught:
            train(tiny_config(tmp_path, people, f"{key}=[{large}]", f"data.resize={resize}"), quiet=True)
        assert caught.value.settings == ()
    assert not (tmp_path / "models" / "tiny").exists()


def test_eigenfaces_learn_from_resized_images_and_leave_bad_ones_out(tmp_path: Path, people: Path) -> None:
    data = make_people(tmp_path / "people", size=48)
    (data / "person0" / "0.png").write_bytes(b"no image")
    words = ("steps=1", "data.resize=true", "data.on_bad_record=skip", "test.baseline=eigenfaces", "test.bootstrap=0",
             "test.fmr=[0.1]", f"test.sets=[{people}]", "verify.sets=[]", "verify.every=0")  # fmt: skip
    assert train(tiny_config(tmp_path, data, *words), quiet=True) == 0
    baseline = json.loads((tmp_path / "models" / "tiny" / "metrics.json").read_text())["baseline"]

    whole = ImageReader(open_dataset(data), SIZE, may_resize=True)
    training = np.stack([whole.read(i) for i in range(1, 24)])  # without the bad one
    test = open_dataset(people)
    shown = Eigenfaces(22).fit(training).embed(np.stack([test[i].image for i in range(24)])).astype(np.float64)
    shown /= np.linalg.norm(shown, axis=1, keepdims=True)
    genuine, impostor = [], []
    for i in range(24):
        for j in range(i):
            (genuine if test.labels[i] == test.labels[j] else impostor).append(float(shown[i] @ shown[j]))
    wins = sum((g > i) + 0.5 * (g == i) for g in genuine for i in impostor)
    assert baseline["auc"] == pytest.approx(wins / (len(genuine) * len(impostor)), abs=1e-6)
    assert math.isfinite(baseline["eer"])


def test_a_head_of_mean_embeddings_takes_resized_images(tmp_path: Path, people: Path, large: Path) -> None:
    from fairface.embedding.from_checkpoint import load_embedder

    base = ("steps=1", "verify.sets=[]", "verify.every=0", "name=base")
    assert train(tiny_config(tmp_path, people, *base), quiet=True) == 0
    start = str(tmp_path / "models" / "base")
    three = make_people(tmp_path / "three", people=3, size=48)
    words = ("steps=1", "optimizer.lr=0.000000000001", "optimizer.weight_decay=0", "data.resize=true", "verify.sets=[]",
             "verify.every=0", f"start_from={start}", "head.init_from=mean_embedding", "name=next")  # fmt: skip
    assert train(tiny_config(tmp_path, three, *words), quiet=True) == 0
    blocks = next((tmp_path / "models" / "next").glob("blocks-*.params"))
    weight = load_arrays(str(blocks))["head.weight"].asnumpy().astype(np.float64)

    embedder = load_embedder(start, "cpu0", resize=True, show_progress=False)
    shown = embedder.embed(open_dataset(three)).astype(np.float64)
    shown /= np.linalg.norm(shown, axis=1, keepdims=True)
    for person in range(3):
        mean = sum(shown[6 * person : 6 * person + 6]) / 6
        cosine = weight[person] @ mean / np.linalg.norm(weight[person]) / np.linalg.norm(mean)
        assert cosine == pytest.approx(1, abs=1e-4)


def test_hard_samples_are_mined_from_resized_images(tmp_path: Path, large: Path) -> None:
    words = ("steps=1", "data.resize=true", "verify.sets=[]", "verify.every=0")
    assert train(tiny_config(tmp_path, large, *words), quiet=True) == 0
    run = str(tmp_path / "models" / "tiny")
    found = mine(run, devices="cpu0", show_progress=False)  # as the run was trained
    assert found.labeled == 24
    again = mine(run, DataConfig(path=str(large)), devices="cpu0", show_progress=False)
    assert again.hard.tolist() == found.hard.tolist()
    small = ImageReader(open_dataset(large), SIZE, may_resize=True)
    for i in range(24):
        place = tmp_path / "small" / small.dataset.record_name(i)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(encode_png(small.read(i)))
    same = mine(run, DataConfig(path=str(tmp_path / "small")), devices="cpu0", show_progress=False)
    assert same.hard.tolist() == found.hard.tolist()


def test_what_is_left_out_is_told_by_every_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_people(tmp_path / "people")
    (data / "person0" / "notes.txt").touch()
    words = ("steps=1", "verify.sets=[]", "verify.every=0")
    assert train(tiny_config(tmp_path, data, *words), quiet=False) == 0
    run = str(tmp_path / "models" / "tiny")
    told = f"{data}: 1 other file was left out: person0/notes.txt\n"
    assert told in capsys.readouterr().err
    for program, options in (
        ("embed", [run, "--data", str(data), "--output", str(tmp_path / "e.npz")]),
        ("verification", ["--model", run, "--set", str(data)]),
        ("mine_hard_samples", [run, "--data", str(data), "--output", str(tmp_path / "hard.txt")]),
        ("merge_sets", [str(data), "--output", str(tmp_path / "merged"), "--size", str(SIZE)]),
        ("face2rec2", [str(data), "--output", str(tmp_path / "packed"), "--size", str(SIZE)]),
        ("inspect_data", [str(data), "--quick"]),
    ):
        importlib.import_module(f"fairface.programs.{program}").main(options)
        assert told in capsys.readouterr().err, program


def test_a_run_that_resizes_nothing_refuses_to_mine_larger_images(tmp_path: Path, people: Path, large: Path) -> None:
    assert train(tiny_config(tmp_path, people, "steps=1", "verify.sets=[]", "verify.every=0"), quiet=True) == 0
    with pytest.raises(DataError, match="48x48 pixels, not 32x32"):
        mine(str(tmp_path / "models" / "tiny"), DataConfig(path=str(large)), devices="cpu0", show_progress=False)
