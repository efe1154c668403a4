"""A step on a group: its configuration, its outcome in words."""

import json
from dataclasses import replace
from types import SimpleNamespace

from fairface.config.schema import DataConfig, TrainConfig, VerifyConfig
from fairface.config.staged import GroupChoice
from fairface.training.finetuning.group_step import as_it_ran, on_group, outcome, tell_outcome
from fairface.training.finetuning.worst_group import GroupDecision


def run_of(tmp_path, **manifest):
    folder = tmp_path / "x"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"checkpoints": [], "sha256": {}, **manifest}))
    return TrainConfig(name="x", output=str(tmp_path), start_from="base")


CHOICE = GroupChoice("validation", ("sex",), "fmr", 0.05, 7)


def test_a_group_is_trained_on_and_watched():
    config = TrainConfig(
        data=DataConfig(path="p", where="hat=1"), verify=VerifyConfig(sets=("a",), fmr=(0.01, 0.05), batch_size=9)
    )
    assert on_group(config, CHOICE, GroupDecision("", ("all",), 0.5)) is config
    by_hand = on_group(config, CHOICE, GroupDecision("sex=f", ()))
    assert (by_hand.data.where, by_hand.verify) == ("hat=1,sex=f", config.verify)
    watched = on_group(config, replace(CHOICE, error="fnmr"), GroupDecision("sex=f", (), 0.0))
    assert (watched.data.where, watched.data.path) == ("hat=1,sex=f", "p")
    assert (watched.verify.sets, watched.verify.monitor) == (("validation",), "fnmr_worst")
    assert (watched.verify.protected, watched.verify.min_subjects, watched.verify.batch_size) == (("sex",), 7, 9)
    assert watched.verify.fmr == (0.05, 0.01)
    assert on_group(config, CHOICE, GroupDecision("sex=f", (), 0.1)).verify.monitor == "fmr_worst"


def test_what_a_run_was_follows_from_the_filter_that_it_saved():
    config = TrainConfig(data=DataConfig(path="p", where="hat=1"))
    by_hand = replace(CHOICE, group="sex=f")
    ran = [
        (CHOICE, GroupDecision("sex=f", (), 0.1)), (CHOICE, GroupDecision("", ())),
        (replace(CHOICE, error="fnmr"), GroupDecision("sex=m", (), 0.0)), (by_hand, GroupDecision("sex=f", ())),
    ]  # fmt: skip
    for choice, decision in ran:
        was = on_group(config, choice, decision)
        assert as_it_ran(config, choice, was.data.where) == was


def test_what_a_step_did_in_words(tmp_path):
    said = "FMR of the worst group on the validation subjects: 0.25 before, {} after"
    warning = "warning: this step did not lower it; base is as fair by this rate"
    assert outcome("fmr", 0.25, 0.125, "base") == [said.format("0.125")]
    assert outcome("fmr", 0.25, 0.25, "base") == [said.format("0.25"), warning]
    assert outcome("fmr", 0.25, 0.5, "base") == [said.format("0.5"), warning]
    (never,) = outcome("fmr", 0.25, None, "base")
    assert never.startswith("warning: the worst group's rate has no value from this step")
    told: list[str] = []
    console = SimpleNamespace(told=told, tell=told.extend)
    config = run_of(tmp_path)
    tell_outcome(config, "fmr", GroupDecision("sex=f", ("m",)), console)
    assert (console.told, (tmp_path / "x" / "group.json").exists()) == ([], False)
    files = {"params": "a", "symbol": "b"}
    run_of(tmp_path, best=2, checkpoints=[{"step": 2, "files": files, "score": 0.125}])
    tell_outcome(config, "fmr", GroupDecision("sex=f", ("m",), 0.25, {"r": 1}), console)
    assert console.told == [said.format("0.125")]
    assert json.loads((tmp_path / "x" / "group.json").read_text()) == {
        "where": "sex=f", "messages": ["m"], "report": {"r": 1}, "before": 0.25, "after": 0.125}  # fmt: skip
