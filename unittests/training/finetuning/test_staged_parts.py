"""Which steps of a finetuning run, and what is met before the first."""

import json
from dataclasses import replace

import pytest
import yaml

from fairface.config.schema import DataConfig, TrainConfig, VerifyConfig
from fairface.config.staged import GroupChoice, StagedConfig
from fairface.errors import CheckpointError, ConfigError
from fairface.training.finetuning import staged as module
from fairface.training.finetuning.staged import check_steps, chosen, is_finished, is_stale


def staged_of(count, **values):
    steps = tuple(TrainConfig(name=f"x_step{i + 1}", start_from="base") for i in range(count))
    return StagedConfig("x", steps, (False,) * count, **values)


def test_which_steps_a_word_means():
    three = staged_of(3)
    assert [chosen(three, word) for word in ("all", "1", "3", "03")] == [[1, 2, 3], [1], [3], [3]]
    for word in ("0", "4", "-1", "1.0", "", "ALL", "²"):
        with pytest.raises(ConfigError) as caught:
            chosen(three, word)
        assert str(caught.value) == f"step {word!r}: there are the steps 1 to 3, and all"


def test_what_is_met_before_the_first_step(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "resolve", lambda name, output: asked.append(("start", name, output)))
    monkeypatch.setattr(module, "check_claim", lambda *arguments: asked.append(("claim", *arguments)))
    monkeypatch.setattr(module, "check_choice", lambda *arguments: asked.append(("group", *arguments)))
    config = TrainConfig(name="x_step2", output=str(tmp_path), start_from="base")
    staged = StagedConfig("x", (config, config), (False, True), GroupChoice("v"))
    check_steps(staged, {2: config}, resume=False, overwrite=True)
    assert asked == [("start", "base", str(tmp_path)), ("claim", tmp_path / "x_step2", False, True),
                     ("group", staged.fairness, config)]  # fmt: skip
    asked.clear()
    check_steps(staged, {1: config}, resume=True, overwrite=True)
    assert [what for what, *_ in asked] == ["start"]
    with pytest.raises(ConfigError, match=r"start_from is not set; name the model that is finetuned"):
        check_steps(staged, {1: replace(config, start_from="")}, False, False)
    listed = replace(config, data=DataConfig(only="some.txt"))
    check_steps(staged, {1: listed}, True, False)
    with pytest.raises(ConfigError, match=r"hard_samples_of and data\.only are both set; a step trains on one list"):
        check_steps(replace(staged, hard_samples_of="base"), {1: listed}, True, False)


def run_of(tmp_path, **manifest):
    folder = tmp_path / "x"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"checkpoints": [], "sha256": {}, **manifest}))
    return TrainConfig(name="x", output=str(tmp_path), start_from="base")


@pytest.mark.parametrize(
    ("started", "listed", "stale"),
    [(None, None, False), ("same", None, False), ("other", None, True), (None, "same", False), (None, "other", True),
     ("same", "other", True), ("other", "same", True), ("same", "same", False)],
)  # fmt: skip
def test_a_step_is_stale_where_its_start_or_its_list_has_changed(tmp_path, monkeypatch, started, listed, stale):
    monkeypatch.setattr(module, "identity", lambda name, output: {"sha256": (name, output, "same")})
    monkeypatch.setattr(module, "sha256", lambda path: "same" if path.name == "only.txt" else "?")
    facts = {}
    if listed:
        facts["only_sha256"] = listed
    config = run_of(tmp_path, **facts)
    monkeypatch.setattr(module, "read_manifest", lambda folder: {
        **facts, **({"started_from": {"sha256": ("base", str(tmp_path), started)}} if started else {})})  # fmt: skip
    assert is_stale(replace(config, data=DataConfig(only="only.txt"))) == stale


@pytest.mark.parametrize("only", ["", "gone.txt", "other.txt"])
def test_a_step_is_stale_where_its_list_is_there_no_longer(tmp_path, only):
    """Without a list, with one that is gone, with another one; without one before it trains on all as before."""
    (tmp_path / "other.txt").write_text("3\n")
    config = run_of(tmp_path, only_sha256="ab")
    assert is_stale(replace(config, start_from="", data=DataConfig(only=only and str(tmp_path / only))))
    config = run_of(tmp_path)
    assert not is_stale(replace(config, start_from="", data=DataConfig()))


@pytest.mark.parametrize(
    ("entries", "finished"),
    [
        ([], False),
        ([(3, 4)], False),
        ([(4, 4)], True),
        ([(5, 4)], True),
        ([(4, 4), (3, 4)], False),
        ([(1, 4), (4, 4)], True),
    ],
)
def test_a_step_is_finished_at_its_last_step(tmp_path, monkeypatch, entries, finished):
    files = {"params": "a", "symbol": "b"}
    saved = [{"step": at, "files": files, "position": {"total": of}, "score": 0.5} for at, of in entries]
    config = run_of(tmp_path, checkpoints=saved)
    resumable = []
    monkeypatch.setattr(module, "check_resumable", lambda config, saved: resumable.append((config.data.where, saved)))
    saved = {"data": {"where": "sex=f"}, "method": None}
    (tmp_path / "x" / "config.yaml").write_text(yaml.safe_dump(saved))
    assert is_finished(config) == finished
    assert is_finished(config, GroupChoice("v")) == finished
    assert resumable == [("", saved), ("sex=f", saved)]
    if entries:
        config = run_of(tmp_path, checkpoints=[{"step": 4, "files": files}])
        with pytest.raises(
            CheckpointError, match="x: does not give the length of the run; start it again with --overw"
        ):
            is_finished(config)


@pytest.mark.parametrize(("score", "sets", "finished"), [(None, ("a",), False), (0.5, ("a",), True), (None, (), True)])
def test_a_step_that_a_signal_left_unscored_goes_on(tmp_path, monkeypatch, score, sets, finished):
    """The next step starts from the best checkpoint, which may be the one that was not scored."""
    entry = {"step": 4, "files": {"params": "a", "symbol": "b"}, "position": {"total": 4}, "score": score}
    config = replace(run_of(tmp_path, checkpoints=[entry]), verify=VerifyConfig(sets=sets))
    monkeypatch.setattr(module, "check_resumable", lambda config, saved: None)
    (tmp_path / "x" / "config.yaml").write_text("data: {}\n")
    assert is_finished(config) == finished
