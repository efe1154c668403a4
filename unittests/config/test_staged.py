"""One file, several steps: what is shared, what a step changes, what each starts from."""

from pathlib import Path

import pytest

from fairface.config.staged import GroupChoice, load_staged
from fairface.config.tree import merged
from fairface.errors import ConfigError

TEXT = """
name: fair
start_from: base
batch_size: 8
data: {path: people}
optimizer: {lr: 0.1, momentum: 0.8}
fairness: {validation: val, protected: [sex, skin], error: fnmr, fmr: 0.1}
hard_samples_of: other
steps:
  - {stage: head, steps: 3}
  - {stage: all, steps: 4, optimizer: {lr: 0.01}}
  - {steps: 5, worst_group: true, start_from: special}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "fair.yaml"
    file.write_text(TEXT)
    return file


def test_steps_share_and_change(path):
    staged = load_staged(path)
    assert [step.name for step in staged.steps] == ["fair_step1", "fair_step2", "fair_step3"]
    assert [step.stage for step in staged.steps] == ["head", "all", "all"]
    assert [step.steps for step in staged.steps] == [3, 4, 5]
    assert [step.optimizer.lr for step in staged.steps] == [0.1, 0.01, 0.1]
    assert {step.optimizer.momentum for step in staged.steps} == {0.8}
    assert [step.start_from for step in staged.steps] == ["base", "models/fair_step1", "special"]
    assert staged.worst_group == (False, False, True)
    assert staged.fairness == GroupChoice("val", ("sex", "skin"), "fnmr", 0.1)
    assert staged.hard_samples_of == "other"


def test_overrides_of_all_steps_and_of_one(path):
    words = ["output=out", "step3.optimizer.lr=0.5", "optimizer.momentum=0.7", "fairness.group=sex=f"]
    staged = load_staged(path, words)
    assert [step.optimizer.lr for step in staged.steps] == [0.1, 0.01, 0.5]
    assert [step.optimizer.momentum for step in staged.steps] == [0.7] * 3
    assert staged.steps[1].start_from == "out/fair_step1"
    assert staged.fairness.group == "sex=f"


def test_what_is_for_all_steps_goes_over_what_a_step_has(path):
    staged = load_staged(path, ["step3.optimizer.lr=0.3", "optimizer.lr=0.2", "step1.steps=9", "stage=all"])
    assert [step.optimizer.lr for step in staged.steps] == [0.2, 0.2, 0.3]
    assert [step.stage for step in staged.steps] == ["all"] * 3
    assert [step.steps for step in staged.steps] == [9, 4, 5]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("step4.epochs=1", "no step 4"),
        ("step0.epochs=1", "no step 0"),
        ("step2.optimizer.lrr=1", "optimizer.lrr"),
        ("step3.worst_group=nein", "true or false"),
        ("fairness.error=both", "fmr, fnmr"),
        ("fairness.fmr=0", "between 0 and 1"),
        ("fairness.min_subjects=1", "2 or more"),
        ("fairness.protect=sex", "fairness.protect"),
        ("steps=3", "step1.steps"),
    ],
)
def test_what_is_wrong_is_named(path, override, message):
    with pytest.raises(ConfigError, match=message):
        load_staged(path, [override])


def test_a_plain_configuration_has_no_steps(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("name: x\n")
    with pytest.raises(ConfigError, match="steps must be a list"):
        load_staged(file)


def test_merging_changes_neither_side():
    shared, own = {"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 3}}
    result = merged(shared, own)
    assert result == {"a": {"b": 3, "c": 2}, "d": [1]}
    result["d"].append(2)
    result["a"]["c"] = 9
    assert shared == {"a": {"b": 1, "c": 2}, "d": [1]}
    assert own == {"a": {"b": 3}}


@pytest.mark.parametrize("name", ["orl_fair", "orl_hard", "my_fair", "my_hard", "fairface_r100", "fairface_hard_r100"])
def test_the_shipped_files_are_whole(root, name):
    staged = load_staged(root / "train" / "configs" / f"{name}.yaml")
    assert staged.name == name
    assert [step.stage for step in staged.steps] == ["head", "all", "all"][: len(staged.steps)]
    assert len(staged.steps) == (2 if "hard" in name else 3)
    assert staged.worst_group == ((False, False) if "hard" in name else (False, False, True))
