"""AdaFace's command line (Kim et al. 2022; also the one of idiap's face_synthetics): its flags and our keys."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairface.config.flags import SWITCH, Flag, Keys, given
from fairface.errors import ConfigError
from fairface.hardware import usable_gpus
from fairface.protocols.five_sets import find_sets
from fairface.recipes.adaface_folders import placed, training_data, validation_sets

EMBEDDING = 512
# What no flag sets. Weight decay is fixed in the published program, too, and spares BatchNorm's parameters.
# Class weights start with a length of 1: the longer they are, the less a step turns them.
FIXED: Mapping[str, Any] = {
    "head": {"deviation": EMBEDDING**-0.5},
    "optimizer": {"name": "sgd", "weight_decay": 5e-4, "decay_norm": False, "schedule": "step"},
    "verify": {"monitor": "accuracy"},
}
HEADS = {"adaface": "adaface", "arcface": "arcface_clamped", "cosface": "cosface_clamped"}
MARGINS = {"adaface": "head.options.m", "arcface": "head.m2", "cosface": "head.m3"}
TEST_STEPS = 50
_SHORT_RUN, _OFTEN = 4, 0.1  # runs of that many epochs are scored every tenth of an epoch, others every epoch


def _train(args: Namespace) -> Keys:
    path = given(args, "--train_data_path")
    if path is None:
        raise ConfigError("give --train_data_path, the folder of the training images (below --data_root)")
    place = placed(args.data_root, path, "--train_data_path")
    return {"data.path": str(training_data(place, args.use_mxrecord))}


def _validation(args: Namespace) -> Keys:
    """Without the flag: the sets beside the training data, where there are any."""
    path = given(args, "--val_data_path")
    if path is not None:
        return {"verify.sets": validation_sets(placed(args.data_root, path, "--val_data_path"))}
    beside = placed(args.data_root, args.train_data_path, "--train_data_path")
    there = beside.is_dir() and find_sets(beside)
    return {"verify.sets": validation_sets(beside)} if there and (there.paths or there.others) else {}


def _identities(args: Namespace) -> Keys:
    return {"data.identities": args.custom_num_class} if args.custom_num_class > 0 else {}  # -1: not told


def _subset(args: Namespace) -> Keys:
    path = given(args, "--train_data_subset")
    if path == "":
        raise ConfigError(
            "--train_data_subset: the published list is not part of this project; name a file with a record's position "
            "or name a line"
        )
    return {} if path is None else {"data.only": path}


def devices_of(args: Namespace) -> Keys:
    """``gpus`` or ``devices`` for the number of GPUs that was asked for.

    Raises:
        ConfigError: more than the machine has.
    """
    there = usable_gpus()
    if args.gpus < 0 or (there and args.gpus > len(there)):
        raise ConfigError(f"--gpus {args.gpus}: it is a number of GPUs, and this machine has {len(there)}; 0 = the CPU")
    if not args.gpus or not there:
        return {"devices": "cpu0"}
    return {"gpus": ",".join(map(str, there[: args.gpus]))}


def _precision(args: Namespace) -> Keys:
    return {"precision": "fp16"} if args.use_16bit and "gpus" in devices_of(args) else {}


def _milestones(args: Namespace) -> Keys:
    """Epochs as shares of the run; those at its end or later never come."""
    try:
        epochs = [int(part) for part in args.lr_milestones.split(",") if part.strip()]
    except ValueError:
        epochs = [0]
    if any(epoch < 1 for epoch in epochs):
        raise ConfigError(f"--lr_milestones {args.lr_milestones}: write whole epochs from 1 on, such as 12,20,26")
    return {"optimizer.milestones": [epoch / args.epochs for epoch in epochs if epoch < args.epochs]}


def _every(args: Namespace) -> Keys:
    """How often the sets are scored, as a share of the run; a short trial is scored once, at its end."""
    if args.test_run or args.epochs < 1:
        return {}
    return {"verify.every": (_OFTEN if args.epochs <= _SHORT_RUN else 1) / args.epochs}


def _margin(args: Namespace) -> Keys:
    m = given(args, "--m")
    if m == 0 and args.head != "adaface":
        raise ConfigError(f"--m 0 leaves {args.head} without a margin; give one above 0, or head.name=norm_softmax")
    return {} if m is None else {MARGINS[args.head]: m}


def _option(name: str) -> Any:
    def of(args: Namespace) -> Keys:
        value = given(args, f"--{name}")
        return {} if value is None or args.head != "adaface" else {f"head.options.{name}": value}

    return of


def _chance(change: str, what: str) -> Flag:
    return Flag(f"probability of {what}", (f"augment.{change}",), {"type": float, "default": 0.0})


FLAGS: Mapping[str, Flag] = {
    "--data_root": Flag("folder that the two paths below are in", settings={"default": ""}),
    "--train_data_path": Flag("training images: <path>/imgs/<identity>/<photo>, <path>/<identity>/<photo>, or a folder "
                              "with train.rec", ("data.path",), of=_train),
    "--val_data_path": Flag("folder with lfw.bin, cfp_fp.bin, … or memory files of them; default: where the training "
                            "data are", ("verify.sets",), of=_validation),
    "--use_mxrecord": Flag("read train.rec, even where there is a folder imgs", settings=SWITCH),
    "--custom_num_class": Flag("identities that the data must have; may be left out", ("data.identities",),
                               {"type": int, "default": -1}, _identities),
    "--train_data_subset": Flag("train on the records that a file lists, a position or name a line", ("data.only",),
                                {"nargs": "?", "const": "", "metavar": "FILE"}, _subset),
    "--swap_color_channel": Flag("the training images were stored with red and blue exchanged",
                                 ("augment.swap_colors",), SWITCH,
                                 lambda args: {"augment.swap_colors": 1.0} if args.swap_color_channel else {}),
    "--prefix": Flag("name of the run", ("name",), {"default": "default"}),
    "--output_dir": Flag("folder of the runs", ("output",), {"default": "models"}),
    "--gpus": Flag("how many GPUs; 0, or none in the machine: the CPU", ("gpus", "devices"),
                   {"type": int, "default": 1}, devices_of),
    "--use_16bit": Flag("float16 on GPUs", ("precision",), SWITCH, _precision),
    "--batch_size": Flag("images in a step, over all GPUs", ("batch_size",), {"type": int, "default": 256}),
    "--num_workers": Flag("decoding threads", ("data.threads",), {"type": int, "default": 16},
                          lambda args: {"data.threads": args.num_workers or 1}),  # 0 means one there, all cores here
    "--epochs": Flag("epochs", ("epochs",), {"type": int, "default": 24}),
    "--lr": Flag("learning rate", ("optimizer.lr",), {"type": float, "default": 0.1}),
    "--lr_milestones": Flag("epochs after which it falls", ("optimizer.milestones",), {"default": "8,12,14"},
                            _milestones),
    "--lr_gamma": Flag("factor by which it falls", ("optimizer.gamma",), {"type": float, "default": 0.1}),
    "--momentum": Flag("of SGD", ("optimizer.momentum",), {"type": float, "default": 0.9}),
    "--weight_decay": Flag("accepted", settings={"type": float}, ignored="has no effect, as in the published program: "
                           "weight decay is 5e-4, none on BatchNorm; optimizer.weight_decay=… changes it"),
    "--head": Flag("loss", ("head.name",), {"choices": tuple(HEADS), "default": "adaface"},
                   lambda args: {"head.name": HEADS[args.head]}),
    "--m": Flag("margin; default: 0.4, arcface 0.5", tuple(MARGINS.values()), {"type": float}, _margin),
    "--h": Flag("adaface: how much of the norms' spread is used; default: 0.333", ("head.options.h",),
                {"type": float}, _option("h")),
    "--t_alpha": Flag("adaface: weight of the newest batch in the norms' statistics; default: 0.01",
                      ("head.options.t_alpha",), {"type": float}, _option("t_alpha")),
    "--s": Flag("scale", ("head.s",), {"type": float, "default": 64.0}),
    "--arch": Flag("network: ir_18, ir_34, ir_50, ir_101, ir_152, ir_200, ir_se_50, … or another backbone",
                   ("backbone.name",), {"default": "ir_18"}),
    "--low_res_augmentation_prob": _chance("low_res", "a lower resolution"),
    "--crop_augmentation_prob": _chance("crop", "a crop, the rest black"),
    "--photometric_augmentation_prob": _chance("photometric", "other brightness, contrast and saturation"),
    "--seed": Flag("seed", ("seed",), {"type": int, "default": 42}),
    "--test_run": Flag(f"only {TEST_STEPS} steps, to see whether everything works", ("steps", "verify.every"), SWITCH,
                       lambda args: {"steps": TEST_STEPS} if args.test_run else _every(args)),
    "--start_from_model_statedict": Flag("start from this model: AdaFace's .ckpt, or any checkpoint", ("start_from",)),
    "--evaluate": Flag("score --start_from_model_statedict on --val_data_path; no training", settings=SWITCH),
    "--save_all_models": Flag("keep every checkpoint", ("keep",), SWITCH,
                              lambda args: {"keep": 1 << 20} if args.save_all_models else {}),
    "--distributed_backend": Flag("accepted", settings={"choices": ("dp", "ddp", "ddp2")},
                                  ignored="has no effect: one process drives all GPUs, whose gradients are summed"),
    "--accumulate_grad_batches": Flag("1", settings={"type": int}, harmless=1,
                                      refused="gradients are not summed over batches; give a larger --batch_size"),
    "--resume_from_checkpoint": Flag("not read", settings={"metavar": "FILE"}, harmless="",
                                     refused="Lightning's training state cannot be read; its weights can, with "
                                     "--start_from_model_statedict; --resume goes on with a run of this program"),
    "--use_wandb": Flag("not there", settings=SWITCH, refused="runs write log.jsonl and TensorBoard's events instead"),
    "--fast_dev_run": Flag("not there", settings=SWITCH, refused=f"give --test_run: {TEST_STEPS} steps"),
}  # fmt: skip


def notes_on(args: Namespace) -> list[str]:
    """What a user of the published program may not expect."""
    notes = []
    for name in ("--train_data_path", "--val_data_path"):
        path = given(args, name)
        if path and args.data_root and not Path(args.data_root, path).exists() and Path(path).exists():
            notes.append(f"{name} {path} is read as it stands: {Path(args.data_root, path)} does not exist")
    if args.gpus and not usable_gpus():
        notes.append(f"--gpus {args.gpus}: no GPU here that MXNet can use; the CPU is used")
    if args.use_16bit and (not args.gpus or not usable_gpus()):
        notes.append("--use_16bit is for GPUs; on the CPU float32 is used (precision=bf16 for bfloat16)")
    for name in ("--h", "--t_alpha"):
        if given(args, name) is not None and args.head != "adaface":
            notes.append(f"{name} does nothing with --head {args.head}")
    return notes
