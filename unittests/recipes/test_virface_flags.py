"""VirFace's flags: the key that each sets, what is refused and how, and the sets of an epoch."""

from __future__ import annotations

import re
import shlex
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from fairface import hardware
from fairface.cli import parser
from fairface.config.flags import add_flags
from fairface.config.schema import TrainConfig
from fairface.errors import FairfaceError
from fairface.programs.run_options import add_run_options, parse_run
from fairface.programs.virface import configured
from fairface.recipes.virface_flags import FLAGS, METHODS, check_epochs, notes_on, with_truths

BOTH = ("--trainProto_label", "known.txt", "--trainProto_unlabel", "unknown.txt")


def parsed(*words: str) -> Namespace:
    options = parser("Trains.", prog="trains")
    add_flags(options, FLAGS)
    add_run_options(options, "nothing")
    options.add_argument("--quiet", action="store_true")
    args = parse_run(options, with_truths(words, ("--eval", "--tensorboard"), ("--resume",)), [])
    check_epochs(args)
    return args


def config_of(*words: str) -> TrainConfig:
    return configured(parsed(*BOTH, *words))


def value(config: TrainConfig, key: str) -> Any:
    found: Any = config
    for part in key.split("."):
        found = next(item for item in found if item.name == part) if isinstance(found, tuple) else getattr(found, part)
    return found


@pytest.mark.parametrize("page", ["virface.md", "coming_from.md"])
def test_the_documents_commands_are_understood(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8").replace("\\\n", " ")
    commands = re.findall(r"python train/virface\.py (--method [^`\n]*)", text)
    assert len(commands) >= 2
    for command in commands:
        config = configured(parsed(*shlex.split(command)))
        assert bool(config.start_from) == (config.stage != "pretrain")
        assert len(config.sources) == 1 + config.stage.startswith("vir")


def test_the_published_defaults() -> None:
    config = config_of("--method", "virface", "--pretrained_file", "x")
    wanted = {
        "method": "virface", "stage": "virface", "name": "resnet50_virface", "output": "snapshot", "start_from": "x",
        "batch_size": 256, "sources.labeled.batch_size": 128, "sources.unlabeled.batch_size": 128,
        "sources.unlabeled.unlabeled": True, "sources.labeled.unlabeled": False, "backbone.name": "resnet50",
        "backbone.embedding": 512, "head.name": "arcface_linear", "head.s": 32.0, "virface.gen_num": 5,
        "virface.kl_weight": 2.0, "virface.l2_weight": 5000.0, "optimizer.lr": 0.1, "optimizer.gamma": 0.1,
        "optimizer.momentum": 0.9, "optimizer.weight_decay": 1e-3, "optimizer.milestones": (0.8,), "epochs": 10.0,
        "optimizer.decay_norm": True, "verify.every": 0.1, "log.tensorboard": True, "augment.mirror": 0.5,
        "sources.labeled.data.path": "known.txt", "sources.unlabeled.data.path": "unknown.txt", "devices": "",
        "sources.labeled.data.identities": 0, "sources.labeled.augment.centre_crop": 0, "gpus": "",
    }  # fmt: skip
    assert {key: value(config, key) for key in wanted} == wanted


@pytest.mark.parametrize("method", METHODS)
def test_each_method_is_a_stage_with_its_sources(method: str) -> None:
    config = config_of("--method", method, "--arch", "resnet18")
    assert (config.stage, config.name) == (method, f"resnet18_{method}")
    assert [source.name for source in config.sources] == ["labeled", "unlabeled"][: 1 + method.startswith("vir")]


@pytest.mark.parametrize(
    ("words", "key", "expected"),
    [
        (("--label_batch_size", "64"), "sources.labeled.batch_size", 64),
        (("--unlabel_batch_size", "32"), "sources.unlabeled.batch_size", 32),
        (("--trainRoot_label", "/a"), "sources.labeled.data.root", "/a"),
        (("--trainRoot_unlabel", "/b"), "sources.unlabeled.data.root", "/b"),
        (("--arch", "usr", "--model_usr", "my.net:make"), "backbone.name", "usr:my.net:make"),
        (("--feat_len", "256"), "backbone.embedding", 256),
        (("--num_ids", "4287"), "sources.labeled.data.identities", 4287),
        (("--gen_num", "3"), "virface.gen_num", 3),
        (("--KL", "1.5"), "virface.kl_weight", 1.5),
        (("--L2", "2e3"), "virface.l2_weight", 2000.0),
        (("--lr", "0.01"), "optimizer.lr", 0.01),
        (("--gamma", "0.2"), "optimizer.gamma", 0.2),
        (("--decay_steps", "[2, 5,50]"), "optimizer.milestones", (0.2, 0.5)),
        (("--max_epoch", "20"), "optimizer.milestones", (0.4, 0.6, 0.75, 0.9)),
        (("--max_epoch", "1"), "verify.every", 0.0),
        (("--momentum", "0.8"), "optimizer.momentum", 0.8),
        (("--weight_decay", "5e-4"), "optimizer.weight_decay", 5e-4),
        (("--pretrain_file", "run@8"), "start_from", "run@8"),
        (("--pretrained_file", "run", "--pretrain_file", "run"), "start_from", "run"),
        (("--snapshot_prefix", "./here/"), "output", "./here/"),
        (("--resume_file", "old/runs/r18"), "name", "r18"),
        (("--resume_file", "old/runs/r18@last"), "output", "old/runs"),
        (("--resume_file", "r18"), "output", "snapshot"),
        (("--tensorboard", "False"), "log.tensorboard", False),
        (("--tensorboard",), "log.tensorboard", True),
        (("--eval", "0"), "verify.every", 0.0),
        (("--eval", "virface.gen_num=4"), "virface.gen_num", 4),
        (("--resume", "seed=7"), "seed", 7),
        (("--gen_num", "3", "virface.gen_num=2"), "virface.gen_num", 2),
        (("--center_crop",), "sources.unlabeled.augment.centre_offset", (0, 20)),
        (("--center_crop",), "sources.labeled.augment.centre_crop", 150),
        (("--gpus", "cpu"), "devices", "cpu0"),
        (("sources.labeled.data.on_missing=skip",), "sources.labeled.data.on_missing", "skip"),
    ],
)  # fmt: skip
def test_a_flag_ends_in_its_key(words: tuple[str, ...], key: str, expected: object) -> None:
    assert value(config_of("--method", "virface", *words), key) == expected


def test_the_generator_has_a_rate_of_its_own() -> None:
    words = ("--lr", "0.3", "--g_lr", "0.02", "--g_decay_steps", "4", "--decay_steps", "2")
    of = {method: config_of("--method", method, *words).optimizer for method in ("generator", "virclass")}
    assert (of["generator"].lr, of["generator"].milestones) == (0.02, (0.4,))
    assert (of["virclass"].lr, of["virclass"].milestones) == (0.3, (0.2,))


@pytest.mark.parametrize(("gpu", "expected"), [(True, ("0,1", "")), (False, ("", "cpu0"))])
def test_gpus_where_there_are_some_and_where_not(
    monkeypatch: pytest.MonkeyPatch, gpu: bool, expected: tuple[str, str]
) -> None:
    monkeypatch.setattr(hardware, "compute_capabilities", lambda: [(8, 0)] * (2 * gpu))
    config = config_of("--gpus", "0, 1")
    assert (config.gpus, config.devices) == expected
    notes = notes_on(parsed(*BOTH[:2], "--gpus", "0, 1"))
    assert notes == ([] if gpu else ["--gpus 0, 1: no GPU here that MXNet can use; the CPU is used"])


def test_resume_is_on_or_off() -> None:
    told = [(), ("--resume",), ("--resume", "True"), ("--resume", "False")]
    assert [parsed(*BOTH, *words).resume for words in told] == [False, True, True, False]


def test_what_has_no_effect_is_said() -> None:
    notes = notes_on(parsed(*BOTH, "--unlabel_batch_size", "4", "--g_lr", "0.2"))
    assert [note.split()[0] for note in notes] == ["--unlabel_batch_size", "--trainProto_unlabel", "--g_lr"]
    assert all(note.endswith("does nothing with --method pretrain") for note in notes)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--arch", "usr"), "--arch usr needs --model_usr package.module:factory"),
        (("--model_usr", "a:b"), "--model_usr goes with --arch usr"),
        (("--pretrained_file", "a", "--pretrain_file", "b"), "mean the same, but name a, b"),
        (("--gpus", "all"), "--gpus 'all': write numbers"),
        (("--decay_steps", "0,3"), "--decay_steps 0,3: write whole epochs"),
        (("--method", "generator", "--g_decay_steps", "x"), "--g_decay_steps x: write whole epochs"),
        (("--max_epoch", "0"), "--max_epoch is 0"),
        (("--resume_file", "r@8"), "goes on from its newest checkpoint, r"),
        (("--resume_file", "r", "--overwrite"), "--resume_file continues a run"),
        (("--trainProto_label", ""), "give --trainProto_label"),
        (("--method", "virclass", "--trainProto_unlabel", ""), "--method virclass needs --trainProto_unlabel"),
        (("--lfw_path", "/nowhere"), "/nowhere: has none of lfw_pairs.txt"),
        (("--cfp_path", "/nowhere"), "/nowhere: has none of myMeta/FF_meta.txt"),
    ],
)
def test_what_cannot_be_honoured_is_one_line(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(FairfaceError) as caught:
        config_of(*words)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_sets_of_an_epoch(tmp_path: Path) -> None:
    cfp = ("cfp/myMeta/FF_meta.txt", "cfp/myMeta/FP_meta.txt")
    for name in ("lfw/lfw_pairs.txt", "lfw/lfw.bin", *cfp, "bins/cfp_fp.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def sets(lfw: str, cfp: str) -> list[str]:
        words = ("--lfw_path", str(tmp_path / lfw) if lfw else "", "--cfp_path", str(tmp_path / cfp) if cfp else "")
        return [str(Path(path).relative_to(tmp_path)) for path in config_of(*words).verify.sets]

    assert sets("lfw", "cfp") == ["lfw/lfw_pairs.txt", *cfp]
    assert sets("", "cfp") == list(cfp)
    assert sets("lfw/lfw.bin", "bins") == ["lfw/lfw.bin", "bins/cfp_fp.bin"]
    assert sets("", "") == []
