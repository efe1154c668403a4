"""LPD as a run: what is saved, embedded and drawn; resumed to the same bits; bad input in one line."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.config.check import check
from fairface.config.schema import HeadConfig, LPDConfig, TrainConfig
from fairface.data.extra import with_extra
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.data.opening import open_dataset
from fairface.embedding.model import embed, load_model
from fairface.errors import FairfaceError
from fairface.heads import build_head
from fairface.heads.classifier import Classifier
from fairface.interop.models import load_model as load_net
from fairface.methods.build import build_method
from fairface.methods.lpd import LPD
from fairface.methods.nose_height import with_nose_height
from fairface.mx import mx, nd
from fairface.parameters import RUNNING, load_arrays
from fairface.training.run import train
from unittests.training.helpers import SIZE, make_people, tiny_config
from unittests.training.resumed import broken_and_resumed, everything
from unittests.training.test_sharded_runs import arrays_of

CONTEXT = mx.cpu()
SMALL = (
    "method=lpd", "name=lpd", "backbone={name: lpd_tiny, embedding: 256, width: 0.25}", "head={name: softmax}",
    "sampler={kind: pk, images_per_class: 2}", "lpd.nose_height=constant", "steps=4", "save_every=2", "verify.every=0",
    "optimizer.lr=0.02", "log.every=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people", images=4)


def config_of(folder: Path, people: Path, *overrides: str) -> TrainConfig:
    return tiny_config(folder, people, *SMALL, *overrides)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    assert train(config_of(folder, people), quiet=True) == 0
    return folder / "models" / "lpd"


def test_both_heads_are_saved_and_the_net_holds_both_streams(whole: Path) -> None:
    files = resolve(f"{whole}@last")
    assert {key: value.shape for key, value in load_arrays(str(files.blocks)).items()} == {
        "head.weight": (4, 128), "partial_head.weight": (4, 128),
    }  # fmt: skip
    names = {key.split(":")[1].split(".")[0] for key in load_arrays(str(files.params))}
    assert names == {"localiser", "trunk", "global_bn", "partial_bn"}


@pytest.mark.parametrize("devices", ["cpu0", "cpu0,cpu1"])
def test_stopped_and_resumed_to_the_same_bits(tmp_path: Path, whole: Path, people: Path, devices: str) -> None:
    config = config_of(tmp_path, people, f"devices={devices}")
    unbroken = whole
    if devices != "cpu0":
        unbroken = tmp_path / "models" / "unbroken"
        assert train(config_of(tmp_path, people, f"devices={devices}", "name=unbroken"), quiet=True) == 0
    resumed = broken_and_resumed(config, LPD)
    assert everything(resumed) == everything(unbroken)
    pictures = {path.name: path.read_bytes() for path in (unbroken / "crops").iterdir()}
    assert {path.name: path.read_bytes() for path in (resumed / "crops").iterdir()} == pictures


def test_the_saved_model_gives_both_streams_in_every_form(whole: Path, people: Path) -> None:
    method = build_method(config_of(whole, people), on_gpu=False)
    net = method.inference()
    net.initialize()
    for name, value in load_arrays(str(resolve(f"{whole}@last").params)).items():
        net.collect_params()  # parameters by structural name
        dict(net._collect_params_with_prefix())[name.split(":")[1]].set_data(value)
    images = np.stack([cv2.imread(str(people / "person0" / f"{i}.png"))[..., ::-1] for i in range(3)])
    wanted = net(nd.array(images.transpose(0, 3, 1, 2).astype(np.float32))).asnumpy()
    assert wanted.shape == (3, 256)
    found = embed(load_model(str(whole), devices="cpu0"), images, flip=False)
    np.testing.assert_allclose(found, wanted, atol=2e-3 * np.abs(wanted).max())
    half = load_net(str(whole), [CONTEXT], precision="bf16").net(nd.array(images.transpose(0, 3, 1, 2))).asnumpy()
    cosines = (half * wanted).sum(axis=1) / np.linalg.norm(half, axis=1) / np.linalg.norm(wanted, axis=1)
    assert cosines.min() > 0.99


def test_a_picture_an_epoch(tmp_path: Path, people: Path) -> None:
    """Two steps are an epoch of four identities, two in each batch of 4."""
    words = ("batch_size=4", "steps=5", "name=drawn")
    assert train(config_of(tmp_path, people, *words), quiet=True) == 0
    drawn = tmp_path / "models" / "drawn" / "crops"
    assert sorted(path.name for path in drawn.iterdir()) == [f"epoch_000{i}.png" for i in (1, 2, 3)]
    sheet = cv2.imread(str(drawn / "epoch_0002.png"))[..., ::-1]
    assert sheet.shape == (2 * (SIZE + 2) + 2, 12 * (SIZE + 2) + 2, 3)
    first = cv2.imread(str(people / "person0" / "0.png"))[..., ::-1]
    assert (sheet[2 : 2 + SIZE, 2 : 2 + SIZE] == first).all()  # row 1: images, row 2: their crops
    assert (sheet[4 + SIZE : 4 + 2 * SIZE, 2 : 2 + SIZE] != first).any()
    off = ("log.pictures=false", "name=undrawn")
    assert train(config_of(tmp_path, people, *words, *off), quiet=True) == 0
    assert not (tmp_path / "models" / "undrawn" / "crops").exists()


def test_the_heads_alone_train_on_a_finished_net(tmp_path: Path, whole: Path, people: Path) -> None:
    config = config_of(tmp_path, people, "stage=head", "name=heads", f"start_from={whole}")
    assert train(config, quiet=True) == 0
    before, after = (resolve(f"{run}@last") for run in (whole, tmp_path / "models" / "heads"))
    for name, value in load_arrays(str(before.params)).items():
        assert (load_arrays(str(after.params))[name].asnumpy() == value.asnumpy()).all()
    for name, value in load_arrays(str(before.blocks)).items():
        assert (load_arrays(str(after.blocks))[name].asnumpy() != value.asnumpy()).any()


def heights(folder: Path, people: int = 4) -> Path:
    """Files whose names tell nose heights: 0_0.51.png of person 0 …"""
    root = make_people(folder, people=people, images=2)
    for person in range(people):
        for image in range(2):
            height = f"0.{5 + image}{person + 1}"
            (root / f"person{person}/{image}.png").rename(root / f"person{person}/{image}_{height}.png")
    return root


def test_nose_heights_of_file_names(tmp_path: Path) -> None:
    data = heights(tmp_path / "people")
    method = build_method(config_of(tmp_path, data, "lpd.nose_height=file_name"), on_gpu=False)
    found = method.sources()[0].dataset.extra["nose_height"]
    np.testing.assert_allclose(found, [0.51, 0.61, 0.52, 0.62, 0.53, 0.63, 0.54, 0.64], rtol=1e-6)
    losses = []
    for words in (["lpd.nose_height=file_name"], ["lpd.nose_height_value=0.9"]):
        name = f"run{len(losses)}"
        assert train(config_of(tmp_path, data, *words, f"name={name}", "steps=1", "save_every=1"), quiet=True) == 0
        losses.append((tmp_path / "models" / name / "log.jsonl").read_text().split('"height": ')[1].split(",")[0])
    assert float(losses[0]) < float(losses[1]) - 0.2  # the crop starts at 0.6


class Tall:
    """A transform that tells a nose height."""

    writes: ClassVar = {"nose_height": ()}


def test_a_column_of_the_data_or_of_a_transform_is_taken(people: Path) -> None:
    dataset = open_dataset(people)
    column = np.linspace(0.4, 0.7, len(dataset))
    sampler = RandomSampler(len(dataset), 4, 0)
    source = Source(with_extra(dataset, {"nose_height": column}), 4, sampler)
    assert with_nose_height(source, LPDConfig()) is source
    column[3] = np.nan
    source = Source(with_extra(dataset, {"nose_height": column}), 4, sampler)
    with pytest.raises(FairfaceError, match=r"3.png: nose_height is nan, .*\(1 such record\); .*augment.mask"):
        with_nose_height(source, LPDConfig())
    drawn = Source(dataset, 4, sampler, Tall())  # type: ignore[arg-type]
    assert with_nose_height(drawn, LPDConfig()) is drawn


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["lpd.nose_height=column"], r"person0/0.png: nothing tells its nose_height, .*augment.mask.*=constant"),
        (["lpd.nose_height=file_name"], r"person0/0.png: its name does not end in the nose's height .*=constant"),
        (["backbone.embedding=255"], r"embedding is 255; lpd_tiny gives two streams of equal size"),
        (["backbone.name=fresnet_tiny"], r"Latent Part Detection knows: lpd, lpd_tiny"),
        (["backbone.regions=rows"], r"backbone.regions is 'rows'; lpd_tiny has no regions"),
        (["head.sharded=true"], r"whole classifier for each stream .*set head.sharded=false"),
        (["head.deviation=0.5"], r"head.deviation is 0.5, but method lpd takes lpd.head_deviation; set that one"),
        (["start_from={baseline}"], r"model-.*params: has no localiser.fc1.weight; it belongs to another architecture"),
        (["stage=crop"], r"stage is 'crop'; method lpd knows: all, head"),
        (["lpd.height_offset=0.7"], r"lpd.height_offset .*between 0 and 0.6"),
        (["lpd.pixels=half"], r"lpd.pixels .*corners, released"),
    ],
)
def test_bad_input_is_one_line_before_the_first_step(
    tmp_path: Path, people: Path, overrides: list[str], said: str
) -> None:
    places = {}
    if "{baseline}" in overrides[0]:
        places["baseline"] = tmp_path / "models" / "baseline"
        alone = "backbone={name: lpd_global_tiny, embedding: 128, width: 0.25}"
        words = ("method=classify", alone, "name=baseline", "steps=1", "save_every=1")
        assert train(config_of(tmp_path, people, *words), quiet=True) == 0
    config = config_of(tmp_path, people, *(override.format(**places) for override in overrides))
    with pytest.raises(FairfaceError, match=said) as caught:
        check(config)
        train(config, quiet=True)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "models" / "lpd" / "manifest.json").exists()


def test_both_heads_start_from_mean_embeddings(tmp_path: Path, whole: Path, people: Path) -> None:
    """Each from its stream's values alone; a start whose heads do not fit, since another identity has come."""
    more = tmp_path / "more"
    shutil.copytree(people, more)
    shutil.copytree(people / "person0", more / "person9")
    words = ("name=next", f"data.path={more}", f"start_from={whole}", "head.init_from=mean_embedding")
    rates = ("optimizer.lr=0", "optimizer.weight_decay=0", "optimizer.warmup=0", "steps=1")
    assert train(config_of(tmp_path, people, *words, *rates), quiet=True) == 0
    paths = sorted(more.glob("*/*.png"))
    labels = np.array([sorted(path.name for path in more.iterdir()).index(path.parent.name) for path in paths])
    images = np.stack([cv2.imread(str(path))[..., ::-1] for path in paths])
    rows = embed(load_model(str(whole), devices="cpu0"), images, flip=True).astype(np.float64)
    blocks = load_arrays(str(resolve(str(tmp_path / "models" / "next")).blocks))
    for name, part in (("head", slice(0, 128)), ("partial_head", slice(128, 256))):
        unit = rows[:, part] / np.linalg.norm(rows[:, part], axis=1, keepdims=True)
        centres = np.stack([unit[labels == label].mean(axis=0) for label in range(5)])
        weight = blocks[f"{name}.weight"].asnumpy()
        cosine = (weight * centres).sum(axis=1) / np.linalg.norm(weight, axis=1) / np.linalg.norm(centres, axis=1)
        np.testing.assert_allclose(cosine, 1, atol=1e-4)


def test_the_sources_own_head(tmp_path: Path, people: Path) -> None:
    own = {"name": "adaface", "s": 8.0, "label_smoothing": 0.1}
    source = [{"name": "a", "data": {"path": str(people)}, "batch_size": 8, "head": own}]
    tree = {"name": "lpd_tiny", "embedding": 256, "width": 0.25}
    options = {"method": "lpd", "backbone": tree, "head": {"name": "softmax"}, "lpd": {"nose_height": "constant"}}
    method = build_method(tiny_config(tmp_path, people, sources=source, **options), on_gpu=False)
    assert isinstance(method, LPD)
    for term in (method.of_classes, method.of_part):
        assert isinstance(term.head, Classifier)
        assert type(term.head.margin) is type(build_head(HeadConfig(**own), 128, 4).margin)
        assert term.statistics.state().keys() == {"batch_mean", "batch_std"}
        assert term.criterion._smoothing == 0.1
    source[0]["head"] = {"sharded": True}
    with pytest.raises(FairfaceError, match=r"set head\.sharded=false"):
        build_method(tiny_config(tmp_path, people, sources=source, **options), on_gpu=False)


@pytest.mark.parametrize("joint", [False, True])
def test_synchronous_statistics_make_two_devices_learn_what_one_does(tmp_path: Path, people: Path, joint: bool) -> None:
    """Streams that are seen one by one move the running statistics one after the other: forwards here, backwards by
    MXNet's operator. What is learnt does not depend on it."""
    plain = ("steps=1", "save_every=1", "batch_size=9", "sampler.kind=random", "optimizer.warmup=0", "verify.sets=[]")
    joined = f"lpd.joint_statistics={str(joint).lower()}"
    runs = {"one": (), "two": ("devices=cpu0,cpu1", "backbone.sync_bn=true"), "apart": ("devices=cpu0,cpu1",)}
    for name, words in runs.items():
        assert train(config_of(tmp_path, people, *plain, joined, *words, f"name={name}"), quiet=True) == 0
    found = {name: arrays_of(tmp_path / "models" / name) for name in runs}
    further = 0
    for name, array in found["one"].items():
        scale = max(np.abs(array).max(), 1e-3)
        if joint or not name.endswith(RUNNING):
            np.testing.assert_allclose(found["two"][name], array, rtol=0, atol=2e-4 * scale, err_msg=name)
        further += bool(np.abs(found["apart"][name] - array).max() > 2e-3 * scale)
    assert further > 20
