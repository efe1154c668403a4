"""docs/coming_from.md: complete for the five documents, and its second column names only what exists."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import re
from functools import cache
from pathlib import Path

import pytest

from fairface.__main__ import main
from fairface.config.keys import keys
from fairface.config.staged import GroupChoice
from fairface.programs.catalog import PROGRAMS
from unittests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "coming_from.md").read_text(encoding="utf-8")
ROWS = [re.split(r"(?<!\\)\|", line.strip("|")) for line in PAGE.splitlines() if re.match(r"\|(?!-)", line)]
THEIRS = "\n".join(row[0] for row in ROWS)
OURS = [row[1] for row in ROWS if row[1].strip() != "ours"]
DOCUMENTS = {
    "UFace": ["tools/img2tfrecord.py", "--img_list", "--pts_list", "--tfrecords_name", "TFR-MS1M", "index_map",
              "tools/convert_new_index.py", "--old", "--tfr_index", "--new", "tools/decode.py", "--tfrecords_dir",
              "--output_dir", "--limit", "DATA_ROOT", "INDEX_ROOT", "train_confing.yaml", "tasks/distfc",
              "IndexTFRDataset", "local_train.sh"],
    "face_synthetics": ["mxnet-mkl==1.6.0 numpy==1.23.5", "agedb_30.bin", "calfw.bin", "cfp_ff.bin", "cfp_fp.bin",
                        "cplfw.bin", "lfw.bin", "convert.py --rec_path", "--make_image_files", "--data_root",
                        "scripts/prep_data_validation.sh", "prep_data_train_folder.sh", "--train_data_path", "imgs",
                        "--custom_num_class", "scripts/prep_and_train.sh", "compound_multiple_datasets.py",
                        "scripts/train.sh", "scripts/eval_5valsets.sh", "validation_mixed", "eval_ijb.sh",
                        "pretrained/", "python inference.py", "test_images/img1.jpeg", "0.7334", "get_aligned_face",
                        "to_input", "load_pretrained_model('ir_50')", "BGR", "from face_alignment import align"],
    "Fairface-Recognition-Solution": ["mxnet-cu100", "data_process/face2rec2.py", "MTCNN", "train/datasets/",
                                      "faces_emore", "train.idx", "train.rec", "property", "lfw.bin", "cfp_fp.bin",
                                      "agedb_30.bin", "./train.sh", "./fairface_finetune.sh",
                                      "./fairface_step2_finetune.sh", "./fairface_step3_finetune.sh", "hard samples",
                                      "test/final_eval_models", "test/TestData/tmp_data", "./do.sh"],
    "VirFace": ["--method pretrain", "--method generator", "--method virclass", "--method virface", "--pretrain_file",
                "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "--arch usr", "model_usr", "config.py",
                "--label_batch_size", "--unlabel_batch_size", "--feat_len", "--num_ids", "--gen_num", "--KL", "--L2",
                "--resume", "--resume_file", "--tensorboard", "--snapshot_prefix", "--eval", "LFW, CFP-FF, CFP-FP"],
    "MindSpore's FaceRecognition": ["scripts/run_train.sh", "scripts/run_eval.sh", "[USE_DEVICE_ID]", "CASIA-WebFace",
                                    "PKU-Masked-Face", "masks", "ID1/ID1_0001.jpg", "Ascend", "Dataset.py",
                                    "MGDataset.py", "model.py", "stn.py", "distance.py", "metric.py", "config.py",
                                    "train_dataset.py", "test_dataset.py", "`train.py`", "`test.py`",
                                    "data_parallel_log_[DEVICE_ID]", "log_parallel_graph", "log_inference", "zj2jk",
                                    "epoch[0], iter[100]", "rank 1, 5, 10", "MG, the baseline"],
}  # fmt: skip
FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
KEY = re.compile(r"(?<!\S)[a-z_]+(?:\.[a-z_0-9]+)*(?==|: )")
DOTTED = re.compile(r"(?<![\w./@=-])[a-z_]+(?:\.[a-z_]\w*)+")
PROGRAM = re.compile(r"(?<![\w/.-])(?:\./)?((?:train|test|data_process|scripts)/\w+\.py)\b")
SCRIPT = re.compile(r"[\w/]+\.sh\b")
FILES = ("jsonl", "pth")  # of names such as `log.jsonl`, which begin as a key does


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_name_of_the_documents_has_its_row(document):
    assert [name for name in DOCUMENTS[document] if name not in THEIRS] == []


def test_there_is_a_row_to_look_at():
    assert len(OURS) > 100
    assert all(len(row) == 2 for row in ROWS)


@cache
def options_of(module: str) -> frozenset[str]:
    """The options of a program, from its help."""
    command = next(program.command for program in PROGRAMS if program.module == module)
    text = io.StringIO()
    with contextlib.redirect_stdout(text), pytest.raises(SystemExit):
        main([command, "--help"])
    return frozenset(FLAG.findall(text.getvalue()))


@cache
def all_options() -> frozenset[str]:
    return frozenset().union(*(options_of(program.module) for program in PROGRAMS))


def test_every_flag_is_an_option_of_the_program_beside_it():
    wrong = []
    for cell in OURS:
        named = {Path(name).stem for part in code(cell) for name in PROGRAM.findall(part)}
        # Scripts hand on the options of programs; a cell without a program says "the same flags".
        known = all_options() if not named or SCRIPT.search(cell) else frozenset().union(*map(options_of, named))
        wrong += [(flag, cell) for part in code(cell) for flag in FLAG.findall(part) if flag not in known]
    assert wrong == []


def test_every_key_is_one_of_the_configuration():
    known = {re.sub(r"^sources\.<name>\.", "sources.*.", key) for key, _ in keys()} | {"worst_group"}
    known |= {f"fairness.{field.name}" for field in dataclasses.fields(GroupChoice)}
    groups = {key.split(".")[0] for key in known if "." in key}
    wrong, count = [], 0
    for cell in OURS:
        for part in code(cell):
            names = set(KEY.findall(part))
            names |= {name for name in DOTTED.findall(part)
                      if name.split(".")[0] in groups and name.split(".")[-1] not in FILES}  # fmt: skip
            for name in names:
                count += 1
                whole = re.sub(r"^sources\.\w+\.", "sources.*.", name)
                if whole not in known and not whole.startswith("head.options."):  # each head has its own
                    wrong.append((name, cell))
    assert wrong == []
    assert count > 60


def test_every_name_of_python_can_be_imported():
    names = {name for cell in OURS for part in code(cell) for name in re.findall(r"\bfairface(?:\.\w+)+", part)}
    assert len(names) > 8
    for name in names:
        home, _, last = name.rpartition(".")
        assert is_module(name) or hasattr(importlib.import_module(home), last), name
    imported = re.search(r"`from (fairface\.\w+) import ([\w, ]+)`", PAGE)
    assert all(hasattr(importlib.import_module(imported[1]), name) for name in imported[2].split(", "))


def is_module(name: str) -> bool:
    return (ROOT / Path(*name.split("."))).is_dir() or (ROOT / Path(*name.split("."))).with_suffix(".py").is_file()


def test_programs_scripts_and_configurations_exist():
    found = {name for cell in OURS for part in code(cell)
             for name in re.findall(r"(?<![\w/.-])(?:\./)?((?:\w+/)*\w+\.(?:sh|py|yaml))\b", part)}  # fmt: skip
    assert len(found) > 40
    theirs = {"config.py"}  # LPD's, in a sentence about it
    assert [name for name in sorted(found - theirs) if not (ROOT / name).is_file()] == []
