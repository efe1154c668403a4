"""VirFace's four stages as runs: what each loads, trains and saves; resumed to the same bits; bad input in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.config.check import check
from fairface.config.schema import TrainConfig
from fairface.errors import FairfaceError
from fairface.methods.virface import WITH_UNLABELED, VirFace
from fairface.parameters import load_arrays
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config
from unittests.training.resumed import broken_and_resumed, everything

STAGES = {"pretrain": "", "generator": "pretrain", "virclass": "pretrain", "virface": "generator"}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("labeled") / "people", images=4)


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One image a person, as a list with labels that have gaps."""
    root = make_people(tmp_path_factory.mktemp("unlabeled") / "strangers", people=9, images=1)
    (root / "list.txt").write_text("".join(f"person{i}/0.png {7 * i}\n" for i in range(9)))
    return root / "list.txt"


def config_of(folder: Path, people: Path, strangers: Path, stage: str, *overrides: str, start: str = "") -> TrainConfig:
    sources = [
        {"name": "labeled", "data": {"path": str(people)}, "batch_size": 5},
        {"name": "unlabeled", "data": {"path": str(strangers)}, "batch_size": 4, "unlabeled": True},
    ][: 1 + (stage in WITH_UNLABELED)]
    words = (
        "method=virface", f"stage={stage}", f"name={stage}", f"start_from={start or STAGES[stage]}", "steps=4",
        "save_every=2", "verify.every=0", "virface.gen_num=2", "virface.latent=3", "virface.hidden=6",
        "virface.l2_weight=10", "optimizer.lr=0.02", "log.every=1", *overrides,
    )  # fmt: skip
    return tiny_config(
        folder, people, *words, sources=sources, batch_size=sum(source["batch_size"] for source in sources)
    )


def blocks(run: Path) -> dict[str, np.ndarray]:
    files = resolve(f"{run}@last")
    arrays = {f"backbone.{k}": v for k, v in load_arrays(str(files.params)).items()} | load_arrays(str(files.blocks))
    return {key: array.asnumpy() for key, array in arrays.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, people: Path, strangers: Path) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    for stage in STAGES:
        assert train(config_of(folder, people, strangers, stage), quiet=True) == 0
    return folder / "models"


def test_each_stage_saves_its_blocks_and_changes_what_it_trains(whole: Path) -> None:
    saved = {stage: blocks(whole / stage) for stage in STAGES}
    for stage, start in STAGES.items():
        names = {key.split(".")[0] for key in saved[stage]}
        assert names == {"backbone", "head"} | ({"generator"} if "generator" in VirFace.stages[stage].trains else set())
        if not start:
            continue
        changed = {key.split(".")[0] for key, value in saved[start].items() if (saved[stage][key] != value).any()}
        assert changed == set(VirFace.stages[stage].trains) & {key.split(".")[0] for key in saved[start]}


@pytest.mark.parametrize(("stage", "devices"), [*((stage, "cpu0") for stage in STAGES), ("virface", "cpu0,cpu1")])
def test_stopped_and_resumed_to_the_same_bits(
    tmp_path: Path, whole: Path, people: Path, strangers: Path, stage: str, devices: str
) -> None:
    start = f"{whole}/{STAGES[stage]}" if STAGES[stage] else ""
    config = config_of(tmp_path, people, strangers, stage, f"devices={devices}", start=start)
    unbroken = whole / stage
    if devices != "cpu0":
        other = config_of(tmp_path, people, strangers, stage, f"devices={devices}", "name=unbroken", start=start)
        assert train(other, quiet=True) == 0
        unbroken = tmp_path / "models" / "unbroken"
    assert everything(broken_and_resumed(config, VirFace)) == everything(unbroken)


@pytest.mark.parametrize(
    ("stage", "start", "said"),
    [
        (
            "generator",
            "",
            r"stage generator needs the block backbone, which start_from does not name; .*stage=pretrain",
        ),
        (
            "virface",
            "{whole}/pretrain",
            r"needs the block generator, which .*pretrain does not hold; .*stage=generator",
        ),
        (
            "virface",
            "{whole}/virclass",
            r"needs the block generator, which .*virclass does not hold; .*stage=generator",
        ),
        ("virclass", "{whole}/gone", r"gone: is not a run"),
    ],
)
def test_a_start_without_what_the_stage_needs(
    tmp_path: Path, whole: Path, people: Path, strangers: Path, stage: str, start: str, said: str
) -> None:
    config = config_of(tmp_path, people, strangers, stage, "name=new", f"start_from={start.format(whole=whole)}")
    refused(config, said, tmp_path)


@pytest.mark.parametrize(
    ("stage", "overrides", "said"),
    [
        ("virclass", ["sources.unlabeled.batch_size=10", "batch_size=15"], r"list.txt: .* 9 images, fewer than the 10"),
        ("virclass", ["sources.unlabeled.data.path={empty}"], r"empty.txt: .*(no|0) "),
        ("virclass", ["sources.unlabeled.data.path={elsewhere}"], r"elsewhere.txt: 1 of 1 file is missing"),
        ("virclass", ["sources.unlabeled.unlabeled=false"], r"labeled and unlabeled images: list both in sources"),
        ("virclass", ["sources=", "batch_size=5"], r"labeled and unlabeled images: list both in sources"),
        ("pretrain", ["sources.labeled.unlabeled=true"], r"labeled images alone; leave out the source labeled"),
        ("virclass", ["sources.labeled.data.identities=5"], r"has 4 identities but sources.labeled.data.identities"),
        ("virface", ["backbone.embedding=6"], r"have 8 values, backbone.embedding is 6.*set backbone.embedding=8"),
        ("virface", ["virface.latent=4"], r"en_mean.* is \(3, 6\), this network needs \(4, 6\).*its block generator"),
        ("virclass", ["sources.labeled.data.path={more}"], r"head has 4 identities, the data have 6 .*stage virclass"),
        ("all", ["stage=all"], r"stage is 'all'; .*pretrain, generator, virclass, virface"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_before_the_first_step(
    tmp_path: Path, whole: Path, people: Path, strangers: Path, stage: str, overrides: list[str], said: str
) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "elsewhere.txt").write_text("not/here.png 0\n")
    places = {"empty": tmp_path / "empty.txt", "elsewhere": tmp_path / "elsewhere.txt"}
    if "{more}" in overrides[0]:
        places["more"] = make_people(tmp_path / "more", people=6, images=2)
    start = STAGES.get(stage, "")
    words = [override.format(**places) for override in overrides]
    config = config_of(tmp_path, people, strangers, stage, *words, start=f"{whole}/{start}" if start else "none")
    refused(config, said, tmp_path)


def refused(config: TrainConfig, said: str, folder: Path) -> None:
    with pytest.raises(FairfaceError, match=said) as caught:
        check(config)
        train(config, quiet=True)
    assert "\n" not in str(caught.value)
    assert not (folder / "models").exists() or not list((folder / "models").glob("*/manifest.json"))


def test_an_epoch_is_the_longer_source_and_the_shorter_starts_over(
    tmp_path: Path, whole: Path, people: Path, strangers: Path
) -> None:
    config = config_of(tmp_path, people, strangers, "virclass", "steps=0", "epochs=2", start=f"{whole}/pretrain")
    assert train(config, quiet=True) == 0
    assert (
        resolve(f"{tmp_path}/models/virclass@last").step == 7
    )  # 16 images by 5 is longer than 9 by 4: 2 * 3.2, rounded up
