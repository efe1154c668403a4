"""What stages must have in common with the evaluated model."""

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


def test_a_stage_that_is_not_there_is_refused_at_once(stages):
    with pytest.raises(CheckpointError, match="gone: is not a run"):
        check_stages([*stages, StageModel("x", "gone")], ARCFACE)
