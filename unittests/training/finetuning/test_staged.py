"""Finetuning in steps, whole, on a tiny data set with an attribute."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from fairface.checkpoints import resolve
from fairface.config.load import as_dict
from fairface.config.staged import StagedConfig, load_staged
from fairface.data.packing.plan import Photo, Plan
from fairface.data.packing.recordio import PackOptions, pack_plan
from fairface.data.recordio.notes import AttributeNotes
from fairface.errors import CheckpointError, ConfigError, FairfaceError
from fairface.files import sha256
from fairface.parameters import load_arrays
from fairface.training.finetuning.group_step import on_group, outcome
from fairface.training.finetuning.staged import finetune
from fairface.training.finetuning.worst_group import GroupDecision
from fairface.training.run import train
from fairface.training.trainer import Pending, Trainer
from unittests.training.helpers import SIZE, make_people, tiny_config

PEOPLE = 10


def pack(folder: Path) -> Path:
    """PEOPLE people of two sexes, in turns."""
    photos = make_people(folder / "photos", PEOPLE, 4)
    rows = [
        Photo(str(photos / f"person{person}" / f"{image}.png"), person, attributes=(person % 2,))
        for person in range(PEOPLE) for image in range(4)
    ]  # fmt: skip
    names = tuple(f"person{person}" for person in range(PEOPLE))
    plan = Plan(tuple(rows), names, AttributeNotes(("sex",), {"sex": ("m", "f")}))
    pack_plan(plan, folder / "packed", PackOptions(size=SIZE, quality=100))
    return folder / "packed"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with packed people and a trained base model."""
    folder = tmp_path_factory.mktemp("staged")
    (folder / "validation").mkdir()
    pack(folder / "validation")
    base = tiny_config(folder, pack(folder), "name=base", "steps=4", "save_every=4", "verify.every=0")
    assert train(base, quiet=True) == 0
    return folder


def staged(place: Path, name: str, *overrides: str, hard: bool = False) -> StagedConfig:
    """Three short steps from the base model, written as a file and read."""
    tree = as_dict(tiny_config(place, place / "packed", f"name={name}", "verify.every=1", "save_every=2"))
    tree["start_from"] = str(place / "models" / "base")
    tree["steps"] = [
        {"stage": "head", "steps": 2}, {"stage": "all", "steps": 3}, {"stage": "all", "steps": 4, "worst_group": True},
    ]  # fmt: skip
    tree["fairness"] = {
        "validation": str(place / "validation" / "packed"), "protected": ["sex"], "error": "fmr", "fmr": 0.1,
        "min_subjects": 4,
    }  # fmt: skip
    if hard:
        tree |= {"steps": tree["steps"][:2], "hard_samples_of": str(place / "models" / "base")}
    path = place / f"{name}.yaml"
    path.write_text(yaml.safe_dump(tree))
    return load_staged(path, overrides)


def backbone(run: Path) -> dict[str, bytes]:
    return {name: array.asnumpy().tobytes() for name, array in load_arrays(str(resolve(str(run)).params)).items()}


def head(run: Path) -> bytes:
    return bytes(load_arrays(str(resolve(str(run)).blocks))["head.weight"].asnumpy().tobytes())


def last_step(run: Path) -> int:
    return int(json.loads((run / "manifest.json").read_text())["checkpoints"][-1]["step"])


def test_three_steps(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = place / "models"
    assert finetune(staged(place, "fair")) == 0
    base, first, second = (models / name for name in ("base", "fair_step1", "fair_step2"))
    assert backbone(base) == backbone(first), "a bit of the frozen backbone changed, BatchNorm's statistics included"
    assert head(base) != head(first)
    assert backbone(first) != backbone(second)
    assert [last_step(models / f"fair_step{k}") for k in (1, 2, 3)] == [2, 3, 4]
    group = json.loads((models / "fair_step3" / "group.json").read_text())
    told = capsys.readouterr().err
    # The people are patterns in noise: a net of seven steps confuses people of both sexes, of one more often.
    rates = {row["group"]: row["fmr"]["value"] for row in group["report"]["groupings"]["sex"]["groups"]}
    worst = max(rates, key=rates.__getitem__)
    assert rates[worst] > 0
    assert group["where"] == f"sex={worst}"
    assert group["before"] == rates[worst]
    assert 0 <= group["after"] <= group["before"], "the model that the step starts from is among the checkpoints"
    assert f"data: {PEOPLE // 2 * 4} images of {PEOPLE // 2} identities" in told
    assert "of the worst group on the validation subjects" in told
    assert "worst FNMR" in " ".join(group["messages"])
    assert all(message in told for message in group["messages"])
    started = json.loads((models / "fair_step2" / "manifest.json").read_text())["started_from"]
    assert started["name"].endswith("fair_step1")
    files = resolve(str(first))
    assert started["sha256"] == [sha256(files.params), sha256(files.blocks)]


def test_a_group_set_by_hand_is_all_that_is_trained_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert finetune(staged(place, "hand", "fairness.group=sex=f"), "3", start_from=str(place / "models" / "base")) == 0
    told = capsys.readouterr().err
    assert "by hand" in told
    assert "data: 20 images of 5 identities" in told
    config = yaml.safe_load((place / "models" / "hand_step3" / "config.yaml").read_text())
    assert config["data"]["where"] == "sex=f"
    assert config["start_from"] == str(place / "models" / "base")


def test_a_step_without_the_one_before(place: Path) -> None:
    with pytest.raises(CheckpointError, match="lonely_step1"):
        finetune(staged(place, "lonely"), "2")
    with pytest.raises(ConfigError, match="1 to 3"):
        finetune(staged(place, "lonely"), "4")
    with pytest.raises(ConfigError, match="start_from"):
        finetune(staged(place, "lonely", "start_from="))


def test_a_value_that_the_data_do_not_have(place: Path) -> None:
    with pytest.raises(ConfigError, match="m, f"):
        finetune(staged(place, "odd", "fairness.group=sex=x"), "3", start_from=str(place / "models" / "base"))


def test_finished_runs_are_kept_unless_told_otherwise(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = staged(place, "again")
    assert finetune(config, "1") == 0
    manifest = place / "models" / "again_step1" / "manifest.json"
    before = manifest.stat().st_mtime_ns
    with pytest.raises(CheckpointError, match="holds a run"):
        finetune(config)
    assert finetune(config, resume=True) == 0
    assert manifest.stat().st_mtime_ns == before
    assert "step 1 of again is finished" in capsys.readouterr().err
    assert (place / "models" / "again_step3" / "manifest.json").is_file()
    assert finetune(config, "1", overwrite=True) == 0
    assert manifest.stat().st_mtime_ns != before


def test_resume_goes_on_with_the_step_of_a_group(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in its middle, and finished: what it monitors is not what the file of steps says."""
    config = staged(place, "stopped")
    real = Trainer.step

    def step(self: Trainer, step: int, *rest: Any) -> Pending:
        if self.config.name == "stopped_step3" and step == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, step, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", step)
        assert finetune(config) == 128 + signal.SIGTERM
    third = place / "models" / "stopped_step3"
    assert last_step(third) == 2
    assert finetune(config, resume=True) == 0
    assert last_step(third) == 4
    before = (third / "manifest.json").stat().st_mtime_ns
    assert finetune(config, resume=True) == 0
    assert (third / "manifest.json").stat().st_mtime_ns == before
    with pytest.raises(CheckpointError, match=r"verify\.monitor was 'fmr_worst' and is now 'fnmr_worst'"):
        finetune(staged(place, "stopped", "fairness.error=fnmr"), resume=True)


def test_hard_samples_start_from_the_pretrained_model(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = staged(place, "hard", hard=True)
    assert finetune(config) == 0
    listed = place / "models" / "hard_samples.txt"
    told = capsys.readouterr().err
    count = sum(not line.startswith("#") for line in listed.read_text().splitlines())
    assert f"data: {count} images" in told
    assert backbone(place / "models" / "base") == backbone(place / "models" / "hard_step1")
    saved = yaml.safe_load((place / "models" / "hard_step2" / "config.yaml").read_text())
    assert saved["data"]["only"] == str(listed)
    assert saved["start_from"].endswith("hard_step1")


def test_a_computed_group_is_watched_and_one_by_hand_is_not(place: Path) -> None:
    config = staged(place, "watch")
    step = config.steps[2]
    monitored = on_group(step, config.fairness, GroupDecision("sex=f", (), 0.2)).verify
    assert (monitored.monitor, monitored.protected) == ("fmr_worst", ("sex",))
    assert monitored.sets == (str(place / "validation" / "packed"),)
    assert (monitored.fmr[0], monitored.min_subjects) == (0.1, 4)
    by_hand = on_group(step, config.fairness, GroupDecision("sex=f", ()))
    assert by_hand.verify == step.verify
    assert by_hand.data.where == "sex=f"
    assert on_group(step, config.fairness, GroupDecision("", ())) == step


def test_a_step_that_did_not_help_says_so() -> None:
    assert "warning" not in " ".join(outcome("fmr", 0.2, 0.1, "step2"))
    assert "step2 is as fair" in " ".join(outcome("fmr", 0.1, 0.1, "step2"))
    assert "never measured" in " ".join(outcome("fmr", 0.1, None, "step2"))


def test_a_base_of_other_people(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The head does not fit and is made anew, also where a filter or a list leaves people without a photograph."""
    others = make_people(place / "others", 4, 4)
    assert train(tiny_config(place, others, "name=others", "steps=2", "verify.sets=[]"), quiet=True) == 0
    base = str(place / "models" / "others")
    by_hand = staged(place, "far", "fairness.group=sex=f", "head.init_from=mean_embedding")
    assert finetune(by_hand, "3", start_from=base) == 0
    assert "mean embedding of each of 5 identities" in capsys.readouterr().err
    (place / "only.txt").write_text("0\n1\n2\n3\n20\n")
    listed = staged(place, "listed", f"data.only={place / 'only.txt'}", "head.init_from=mean_embedding")
    assert finetune(listed, "1", start_from=base) == 0
    assert "mean embedding of each of 2 identities" in capsys.readouterr().err


def test_resume_makes_anew_what_started_from_another_model(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = staged(place, "stale")
    assert finetune(config) == 0
    assert finetune(staged(place, "stale", "seed=5"), "1", overwrite=True) == 0
    second = place / "models" / "stale_step2" / "manifest.json"
    before = second.stat().st_mtime_ns
    capsys.readouterr()
    assert finetune(staged(place, "stale", "seed=5"), resume=True) == 0
    told = capsys.readouterr().err
    assert "step 1 of stale is finished" in told
    assert "stale_step2 is trained again" in told
    assert "stale_step3 is trained again" in told
    assert second.stat().st_mtime_ns != before
    with pytest.raises(CheckpointError, match=r"optimizer\.lr"):  # a finished step was made with other settings
        finetune(staged(place, "stale", "seed=5", "step2.optimizer.lr=0.3"), resume=True)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("fairness.group=sex=x", "m, f"),
        ("fairness.group=age=1", "age"),
        ("fairness.validation=", r"fairness\.validation"),
        ("fairness.validation=nowhere", "nowhere"),
        ("data.path={place}/validation/packed", "trained on"),
        ("fairness.protected=age", "age"),
        ("fairness.fmr=0.00001", "impostor"),
        ("start_from=nobody", "nobody"),
    ],
)
def test_what_would_stop_a_later_step_stops_before_the_first(place: Path, override: str, message: str) -> None:
    with pytest.raises(FairfaceError, match=message):
        finetune(staged(place, "early", override.format(place=place)))
    assert not list((place / "models").glob("early_*"))


def test_folders_are_looked_at_before_anything_is_written(place: Path) -> None:
    config = staged(place, "taken", hard=True)
    assert finetune(config, "2", start_from=str(place / "models" / "base")) == 0
    listed = place / "models" / "taken_samples.txt"
    listed.write_text("mine\n")
    with pytest.raises(CheckpointError, match="taken_step2: holds a run"):
        finetune(config)
    assert listed.read_text() == "mine\n"
    assert not (place / "models" / "taken_step1").exists()
    with pytest.raises(ConfigError, match="one list"):
        finetune(staged(place, "two_lists", "data.only=some.txt", hard=True))


def test_runs_are_found_below_the_output_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group is that of the model that the step trains, wherever the program was started."""
    (place / "elsewhere").mkdir()
    monkeypatch.chdir(place / "elsewhere")
    assert finetune(staged(place, "named"), "3", start_from="base") == 0
    assert list((place / "elsewhere").iterdir()) == []
