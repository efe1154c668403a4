"""Which models are the stages: by the manifests of finetuned runs, or by name."""

import shutil
from pathlib import Path

import pytest

from fairface.checkpoints import resolve
from fairface.errors import CheckpointError, ConfigError
from fairface.evaluation.stage_models import finetuned_stages, named_stages
from unittests.evaluation.finetuned_runs import lay_finetuning, lay_run, tell_start


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lay_finetuning()


def names(choice):
    return [stage.name for stage in choice.models]


@pytest.mark.parametrize("model", ["fair_step3", "models/fair_step3", "fair_step3@3"])
def test_the_steps_are_found_back_to_the_model_that_they_began_with(model):
    found = finetuned_stages(model)
    assert names(found) == ["base@2", "fair_step1", "fair_step2", Path(model).name]
    assert [stage.model for stage in found.models][1:] == ["models/fair_step1", "models/fair_step2", model]
    assert resolve(found.models[0].model).step == 2  # what step 1 began with, not the best of that run
    assert found.note == ""


def test_an_earlier_step_has_the_stages_before_it_only():
    assert names(finetuned_stages("fair_step1")) == ["base@2", "fair_step1"]


def test_what_the_start_was_finetuned_from_is_another_finetuning():
    lay_run("models/first")
    tell_start("models/base", "first")
    assert names(finetuned_stages("fair_step3"))[0] == "base@2"
    assert names(finetuned_stages("base")) == ["first", "base"]
    lay_run("models/hard_step1", "fair_step3")
    assert names(finetuned_stages("hard_step1")) == ["fair_step3", "hard_step1"]


@pytest.mark.parametrize("change", ["gone", "trained again"])
def test_a_start_that_is_not_the_same_any_more_is_told_and_ends_the_stages(change):
    shutil.rmtree("models/fair_step1")
    if change == "trained again":
        lay_run("models/fair_step1", "base@5", steps=(3, 4))
    found = finetuned_stages("fair_step3")
    assert names(found) == ["fair_step2", "fair_step3"]
    assert found.note == (
        "stages: fair_step2 was finetuned from models/fair_step1, which is not there any more or has changed since, so "
        "nothing before fair_step2 is compared"
    )
    shutil.rmtree("models/fair_step2")
    found = finetuned_stages("fair_step3")
    assert found.models == ()
    assert "nothing before fair_step3" in found.note


def test_runs_that_were_moved_together_are_found_beside_each_other():
    Path("elsewhere").mkdir()
    shutil.move("models", "elsewhere/runs")
    found = finetuned_stages("elsewhere/runs/fair_step3")
    assert names(found) == ["base@2", "fair_step1", "fair_step2", "fair_step3"]
    assert found.note == ""
    for stage in found.models:
        resolve(stage.model)


@pytest.mark.parametrize("model", ["base", "no_such_run", "somewhere/r100,0", "dlib", "net.onnx"])
def test_what_was_not_finetuned_has_no_stages(model):
    assert (finetuned_stages(model).models, finetuned_stages(model).note) == ((), "")


def test_a_model_that_cannot_be_read_is_left_to_whoever_opens_it():
    Path("models/fair_step3/manifest.json").write_text("{")
    assert finetuned_stages("fair_step3").models == ()


def test_named_stages_end_with_the_model():
    found = named_stages(["before=base", "fair_step1"], "fair_step3")
    assert [(stage.name, stage.model) for stage in found.models] == [
        ("before", "base"), ("fair_step1", "fair_step1"), ("fair_step3", "fair_step3"),
    ]  # fmt: skip
    # The model under another spelling is not named twice.
    assert names(named_stages(["base", "after=models/fair_step3@3"], "fair_step3")) == ["base", "after"]


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["fair_step3"], ConfigError, "fair_step3 is the only stage; name the models before it"),
        (["a=base", "a=fair_step1"], ConfigError, "two stages are called a; give each a name"),
        (["a="], ConfigError, "--stages 'a=': write NAME=RUN"),
        (["=base"], ConfigError, "--stages '=base': write NAME=RUN"),
        ([""], ConfigError, "--stages '': write NAME=RUN"),
        (["x=fair_step3", "bsae"], CheckpointError, "bsae: is not a run .* did you mean base"),
    ],
)
def test_stages_that_cannot_be_meant(words, error, message):
    with pytest.raises(error, match=message):
        named_stages(words, "fair_step3")
