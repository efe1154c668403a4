"""What stages must have in common with the evaluated model."""

from pathlib import Path

import pytest

from fairface.errors import CheckpointError, ConfigError
from fairface.evaluation.stage_models import StageModel
from fairface.evaluation.stage_scores import check_stages
from fairface.faces.layouts import ARCFACE, DLIB
from unittests.evaluation.finetuned_runs import lay_run


@pytest.fixture
def stages(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lay_run("models/base")
    (tmp_path / "net.dat").write_bytes(b"any")
    return [StageModel("dlib", "net.dat"), StageModel("before", "base")]


def test_faces_that_are_aligned_for_dlib_suit_no_other_net(stages):
    check_stages(stages, ARCFACE)  # dlib's net adapts such faces
    check_stages(stages[:1], DLIB)
    with pytest.raises(ConfigError, match="--stages before=base: takes other faces than dlib's net"):
        check_stages(stages, DLIB)


def test_an_onnx_file_says_whose_faces_it_takes(stages):
    said = bytes([0x72, 23, 0x0A, 15]) + b"fairface.layout" + bytes([0x12, 4]) + b"dlib"  # a property of the file
    Path("dlib.onnx").write_bytes(said)
    Path("other.onnx").write_bytes(bytes([0x3A, 0]))
    check_stages([StageModel("before", "dlib.onnx")], DLIB)
    with pytest.raises(ConfigError, match=r"--stages before=other\.onnx: takes other faces than dlib's net"):
        check_stages([StageModel("before", "other.onnx")], DLIB)


def test_a_stage_that_is_not_there_is_refused_at_once(stages):
    with pytest.raises(CheckpointError, match="gone: is not a run"):
        check_stages([*stages, StageModel("x", "gone")], ARCFACE)
