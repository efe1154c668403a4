"""The programs by task: the command of each, its script in a clone, and one line. Nothing here imports a program."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from fairface.cli import program_parser
from fairface.errors import RESIZE, ROOT, SETTINGS, SKIP_MISSING

_IN_CONFIGURATION = {name: name for name in SETTINGS}
_RESIZE = {RESIZE: "--resize"}
_ROOT = {ROOT: "--root FOLDER"}
_SKIP_MISSING = {SKIP_MISSING: "--on_missing skip"}


@dataclass(frozen=True)
class Program:
    """One program.

    Attributes:
        command: as in ``fairface COMMAND``.
        script: the file that starts it in a clone; its stem is the program's module in :mod:`fairface.programs`.
        summary: what it does, one line.
        settings: what it calls the settings that errors offer (:data:`fairface.errors.SETTINGS`), where it has them.
    """

    command: str
    script: str
    summary: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """Name of its file in :mod:`fairface.programs`."""
        return PurePosixPath(self.script).stem

    @property
    def is_configured(self) -> bool:
        """Whether it trains as a configuration says, whose keys are its settings."""
        return self.settings == _IN_CONFIGURATION

    @property
    def gives_json(self) -> bool:
        """Whether it always ends with a result; training ends with a model, and has ``--json`` for ``--dry-run``."""
        return not self.is_configured


GROUPS: Mapping[str, tuple[Program, ...]] = {
    "train": (
        Program("train", "train/train.py", "Train a model from a configuration.", _IN_CONFIGURATION),
        Program("finetune", "train/finetune.py",
                "Finetune in steps: the classifier, all layers, the most discriminated group.", _IN_CONFIGURATION),
        Program("adaface", "train/adaface.py",
                "Train with AdaFace's flags, or score a model on the five verification sets.", _IN_CONFIGURATION),
        Program("hard-samples", "train/mine_hard_samples.py",
                "List the records that a classifier gets wrong, with all records of their identities.", _ROOT),
        Program("virface", "train/virface.py",
                "Train VirFace's four stages, on labeled and unlabeled images, with its flags.", _IN_CONFIGURATION),
        Program("uda", "train/uda.py",
                "Train with unlabeled masked faces (UDA) from UFace's configuration.", _IN_CONFIGURATION),
        Program("lpd", "train/lpd.py", "Train Latent Part Detection, for masked faces, with its published settings.",
                _IN_CONFIGURATION),
    ),
    "score": (
        Program("verification", "test/verification.py", "Score 1:1 verification of a model or of stored embeddings.",
                _RESIZE),
        Program("inference", "test/inference.py",
                "Compare photographs: similarity matrix, and whether they show the same person."),
        Program("fairness", "test/fairness.py",
                "Error rates by group at one shared threshold, with confidence intervals."),
        Program("compare-runs", "test/compare_runs.py",
                "Two runs on the same pairs side by side, with intervals of their differences."),
        Program("five-sets", "test/five_sets.py",
                "Score models on LFW, CFP-FP, CPLFW, CALFW and AgeDB-30, as papers do.", _RESIZE),
        Program("normalise", "test/normalise.py",
                "Normalise scores by group or by clusters, fitted on other people, and judge what changes."),
        Program("evaluate", "test/final_eval.py",
                "Score photographs and pairs; write predictions and a report."),
        Program("identification", "test/identification.py",
                "Score 1:N identification of probes in a gallery, with a model or with stored embeddings.", _RESIZE),
        Program("retrieval", "test/retrieval.py",
                "Score retrieval, mAP and rank-k, of queries in a gallery: masked and common faces, either way.",
                _RESIZE),
        Program("ijb", "test/ijb.py",
                "Score IJB-B or IJB-C, 1:1 and 1:N, with a model or with features of any framework."),
        Program("part-norms", "test/part_norms.py",
                "Lengths of the holistic, upper and lower part of embeddings (UDA).", _RESIZE),
        Program("embed", "test/embed.py", "Embed the photographs of a data set and write embeddings.npz.",
                _RESIZE),
    ),
    "photographs": (
        Program("align", "data_process/align.py", "Find the main face of every photograph and write it aligned."),
        Program("landmarks", "data_process/make_pts_list.py",
                "Find the five landmarks of every photograph of a list."),
        Program("mask", "data_process/add_masks.py",
                "Put masks on the faces of a folder, beside the originals or into another folder, with a log."),
    ),
    "pack data sets": (
        Program("pack", "data_process/face2rec2.py", "Pack photographs into train.rec, train.idx and property.",
                _RESIZE),
        Program("pack-tfrecord", "data_process/img2tfrecord.py", "Pack photographs into TFRecords with an index.",
                {**_RESIZE, **_SKIP_MISSING, **_ROOT}),
        Program("pack-pairs", "data_process/make_bin.py", "Make an insightface verification set (.bin) from pairs.",
                _RESIZE),
        Program("mask-pairs", "data_process/mask_bin.py",
                "Make a masked verification set (.bin) of any pair list or .bin.", _RESIZE),
        Program("merge", "data_process/merge_sets.py", "Merge data sets of any formats to one train.rec.",
                {**_RESIZE, **_SKIP_MISSING, **_ROOT}),
        Program("compound", "scripts/compound_multiple_datasets.py",
                "Join folders of identities to one, by links or copies.", _SKIP_MISSING),
        Program("convert-index", "data_process/convert_new_index.py",
                "Join a list of labels with the index of TFRecords to an index for training."),
        Program("prepare-orl", "data_process/prepare_orl.py",
                "Prepare the embedded data set: fetch the ORL photographs, align them, pack them by split."),
    ),
    "inspect data sets": (
        Program("inspect", "data_process/inspect_data.py",
                "Show the contents and the problems of a data set of any format.", _ROOT),
        Program("unpack", "data_process/convert.py",
                "Unpack insightface's files: train.rec to images, .bin sets to memory files."),
        Program("decode", "data_process/decode.py", "Write images of TFRecords as files."),
        Program("purge", "data_process/purge.py",
                "List or remove the embeddings and landmarks that lie below the output folders."),
        Program("shared-identities", "data_process/find_shared_identities.py",
                "Report identities of a test set that may be in a training set."),
    ),
    "models": (
        Program("export", "data_process/export_model.py",
                "Write a model as an MXNet model that other programs load."),
        Program("export-onnx", "data_process/export_onnx.py",
                "Write a model as an ONNX file, with what other programs need to use it."),
    ),
}  # fmt: skip
PROGRAMS: tuple[Program, ...] = tuple(program for group in GROUPS.values() for program in group)


def find(name: str) -> Program | None:
    """The program that is called ``name``: its command or its module."""
    return next((program for program in PROGRAMS if name in (program.command, program.module)), None)


def options_of(command: str, prog: str = "") -> ArgumentParser:
    """The parser of a program, with its line from this table and the options that all programs have."""
    program = next(program for program in PROGRAMS if program.command == command)
    return program_parser(program.summary, prog or PurePosixPath(program.script).name, program.gives_json)
