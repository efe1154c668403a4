"""UFace's configuration: what each upper-case key becomes, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.config.schema import TrainConfig
from fairface.errors import ConfigError
from fairface.heads import build_head
from fairface.mx import nd
from fairface.programs.uda import configured, main
from fairface.recipes.uda_keys import KEYS, our_tree

PUBLISHED = Path(__file__).parents[2] / "train" / "configs" / "uda.yaml"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Index files of both programs' suffixes."""
    for name in ("ms1m+mask_1.0.index", "TFR-refined.txt", "7faces.txt"):
        (tmp_path / name).touch()
    return tmp_path


def config_of(index: Path, *words: str) -> TrainConfig:
    return configured(str(PUBLISHED), ["DATA_ROOT=/data", f"INDEX_ROOT={index}", *words])


def test_the_published_configuration(index: Path) -> None:
    config = config_of(index)
    (source,) = config.sources
    assert (source.batch_size, source.weight, source.unlabeled) == (2048, 1.0, False)
    assert (source.data.path, source.data.root) == (str(index / "ms1m+mask_1.0.index"), "/data")
    assert source.data.zero_is_unlabeled
    assert (config.method, config.seed, config.batch_size, config.epochs) == ("uda", 1337, 2048, 36)
    assert (config.backbone.name, config.backbone.embedding, config.backbone.regions) == ("split_ir_50", 512, "")
    assert (config.head.name, config.head.m2, config.head.s) == ("curricularface", 0.5, 64.0)
    assert config.head.sharded
    assert not config_of(index, "DIST_FC=false").head.sharded
    optimizer = config.optimizer
    assert (optimizer.name, optimizer.lr, optimizer.momentum, optimizer.weight_decay) == ("sgd", 0.1, 0.9, 5e-4)
    assert not optimizer.decay_norm
    assert optimizer.milestones == pytest.approx((10 / 36, 18 / 36, 24 / 36))
    assert (optimizer.gamma, optimizer.warmup) == (0.1, 0)
    assert (config.uda.masked_weight, config.uda.normal_weight, config.uda.mean) == (0.3, 0.2, "batch")
    assert (config.data.threads, config.data.image_size, config.augment.mirror) == (8, 112, 0.5)
    assert config.log.tensorboard


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["HEAD_NAME=CosFace"], lambda c: (c.head.name, c.head.m3, c.head.m2) == ("cosface", 0.4, 0.0)),
        (["HEAD_NAME=ArcFace"], lambda c: (c.head.name, c.head.m2) == ("arcface_linear", 0.5)),
        (["BACKBONE_NAME=IR_18", "EMBEDDING_SIZE=256"],
         lambda c: (c.backbone.name, c.backbone.embedding) == ("split_ir_18", 256)),
        (["backbone.name=fresnet50", "uda.masked_weight=0"], lambda c: c.backbone.name == "fresnet50"),
        (["WARMUP_STEP=500"], lambda c: c.optimizer.warmup == 500),
        (["NUM_EPOCH=20", "STAGES=[8, 14, 18, 20, 30]"],
         lambda c: c.optimizer.milestones == pytest.approx((0.4, 0.7, 0.9))),
        (["BACKBONE_RESUME=models/a"], lambda c: c.start_from == "models/a"),
        (["LOG_ROOT=''"], lambda c: not c.log.tensorboard),
        (["MODEL_ROOT=ckpt", "name=mine"], lambda c: (c.output, c.name) == ("ckpt", "mine")),
        (["INPUT_SIZE=[224, 224]"], lambda c: c.data.image_size == 224),
        (["DATASETS.0.batch_size=64"], lambda c: (c.batch_size, c.sources[0].batch_size) == (64, 64)),
        (["LR=0.02", "optimizer.lr=0.01"], lambda c: c.optimizer.lr == 0.01),
        (["NUM_WORKERS=0"], lambda c: c.data.threads == 1),
        (["AMP=false"], lambda c: c.precision == "fp32"),
        (["LOSS_NAME=Softmax", "DIST_BACKEND=gloo", "WORLD_SIZE=1", "RANK=0", "LOCAL_RANK=0", "DIST_URL='env://'"],
         lambda c: c.method == "uda"),
    ],
)  # fmt: skip
def test_what_a_key_becomes(index: Path, words: list[str], found: Any) -> None:
    assert found(config_of(index, *words))


@pytest.mark.parametrize("name", ["ArcFace", "CurricularFace"])
@pytest.mark.parametrize("theta", [0.3, 1.6, 2.6, 2.7, 3.1])
def test_beyond_pi_the_targets_logit_goes_on_downwards_as_published(index: Path, name: str, theta: float) -> None:
    """By UFace's heads: cos(theta + m), but cos(theta) - m sin(pi - m) from theta = pi - m on."""
    made = build_head(config_of(index, f"HEAD_NAME={name}").head, 2, 2)
    made.initialize()
    made.weight.set_data(nd.array([[np.cos(theta), np.sin(theta)], [0.0, 1.0]]))
    statistics = [nd.zeros((1,))] if name == "CurricularFace" else []
    logit = made(nd.array([[3.0, 0.0]]), nd.array([0], dtype="int32"), *statistics).asnumpy()[0, 0]
    expected = np.cos(theta + 0.5) if theta < np.pi - 0.5 else np.cos(theta) - 0.5 * np.sin(np.pi - 0.5)
    assert logit == pytest.approx(64 * expected, abs=0.01)


def test_several_data_sets_are_branches(index: Path) -> None:
    sets = "DATASETS=[{name: TFR-refined, batch_size: 64, weight: 0.5}, {name: 7faces.txt, batch_size: 32}]"
    first, second = config_of(index, sets).sources
    assert (first.name, first.batch_size, first.weight) == ("TFR-refined", 64, 0.5)
    assert (second.name, second.batch_size, second.weight) == ("d_7faces_txt", 32, 1.0)
    assert (first.data.path, second.data.path) == (str(index / "TFR-refined.txt"), str(index / "7faces.txt"))
    assert config_of(index, sets, "sources.TFR-refined.weight=0.25").sources[0].weight == 0.25


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["NUM_EPOCHS=3"], "NUM_EPOCHS is not a key of UFace's configuration; known: SEED"),
        (["HEAD_NAME=PartialFC"], "HEAD_NAME is 'PartialFC'; it can be: CurricularFace"),
        (["BACKBONE_NAME=IR_51"], "BACKBONE_NAME is 'IR_51'; it can be: IR_TINY, IR_18"),
        (["HEAD_RESUME=x"], "HEAD_RESUME is 'x'; a run goes on with --resume"),
        (["META_RESUME=x"], "META_RESUME is 'x'"),
        (["START_EPOCH=3"], "START_EPOCH is 3; a run goes on with --resume"),
        (["WORLD_SIZE=8"], "WORLD_SIZE is 8; one process trains here"),
        (["LOSS_NAME=Focal"], "LOSS_NAME is 'Focal'"),
        (["RGB_MEAN=[0.4, 0.4, 0.4]"], "pixels are scaled in the net"),
        (["INPUT_SIZE=[112, 96]"], r"INPUT_SIZE is \[112, 96\]; write \[112, 112\]"),
        (["STAGES=10"], "STAGES is 10; write whole epochs"),
        (["NUM_EPOCH=0"], "NUM_EPOCH, a number above 0"),
        (["DATASETS=[]"], "DATASETS must be a list"),
        (["DATASETS=[{name: a}]"], "must have name and batch_size"),
        (["DATASETS=[{name: a, batch_size: 3, scale: 1}]"], "must have name and batch_size"),
        (["DATASETS=[{name: gone, batch_size: 3}]"], r"holds no gone\.index or gone\.txt"),
        (["DATA_ROOT=''"], "DATA_ROOT is not set; give the folder of the TFRecords' folders"),
        (["INDEX_ROOT=''"], "INDEX_ROOT is not set; give that of the index files"),
        (["TFRRECORD=perhaps"], "write true or false"),
        (["optimizer.lrr=3"], "lrr"),
    ],
)
def test_what_cannot_be_honoured_is_refused(index: Path, words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config_of(index, *words)


def test_keys_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--keys"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in KEYS)


def test_our_own_keys_pass_through() -> None:
    assert our_tree({"name": "x", "augment": {"mirror": 0.0}})["augment"] == {"mirror": 0.0}
