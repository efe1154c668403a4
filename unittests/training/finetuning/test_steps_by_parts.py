"""What a step of a finetuning is made of: which steps, which group, which records, and what is said of them."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from fairface.comparisons import Comparisons
from fairface.config.schema import DataConfig, TrainConfig, VerifyConfig
from fairface.config.staged import GroupChoice, StagedConfig
from fairface.data.array import ArrayDataset
from fairface.data.packing.plan import Photo, Plan
from fairface.data.packing.recordio import pack_encoded
from fairface.data.recordio.notes import AttributeNotes
from fairface.errors import CheckpointError, ConfigError, DataError
from fairface.heads import build_head
from fairface.mx import mx, nd
from fairface.parameters import save_arrays
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from fairface.training.finetuning import staged as module
from fairface.training.finetuning import worst_group
from fairface.training.finetuning.group_step import on_group, outcome, tell_outcome
from fairface.training.finetuning.hard_samples import HardSamples, collect, load_head, write_list
from fairface.training.finetuning.staged import check_steps, chosen, is_finished, is_stale
from fairface.training.finetuning.worst_group import (
    GroupDecision,
    check_choice,
    decide,
    decide_group,
    join_filters,
    where_of,
)
from unittests.data.builders import images


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
    config = run_of(
        tmp_path, checkpoints=[{"step": at, "files": files, "position": {"total": of}} for at, of in entries]
    )
    resumable = []
    monkeypatch.setattr(module, "check_resumable", lambda config, saved: resumable.append((config.data.where, saved)))
    saved = {"data": {"where": "sex=f"}, "method": None}
    (tmp_path / "x" / "config.yaml").write_text(yaml.safe_dump(saved))
    assert is_finished(config, of_group=False) == finished
    assert is_finished(config, of_group=True) == finished
    assert resumable == [("", saved), ("sex=f", saved)]
    if entries:
        config = run_of(tmp_path, checkpoints=[{"step": 4, "files": files}])
        with pytest.raises(
            CheckpointError, match="x: does not give the length of the run; start it again with --overw"
        ):
            is_finished(config, of_group=False)


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


def test_what_a_step_did_in_words(tmp_path):
    said = "FMR of the worst group on the validation subjects: 0.25 before, {} after"
    warning = "warning: this step did not lower it; base is as fair by this rate"
    assert outcome("fmr", 0.25, 0.125, "base") == [said.format("0.125")]
    assert outcome("fmr", 0.25, 0.25, "base") == [said.format("0.25"), warning]
    assert outcome("fmr", 0.25, 0.5, "base") == [said.format("0.5"), warning]
    (never,) = outcome("fmr", 0.25, None, "base")
    assert never.startswith("warning: the worst group's rate was never measured")
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


def test_filters_of_groups():
    assert join_filters("", "a=1", "", "b=2") == "a=1,b=2"
    assert where_of("f", ["sex"]) == where_of("f", ["sex", "sex"]) == "sex=f"
    assert where_of("f+x", ["sex"]) == "sex=f+x"
    assert where_of("f+dark", ["sex", "skin"]) == "sex=f,skin=dark"
    for group, names in (
        ("a,b", ["sex"]),
        ("f", ["sex", "skin"]),
        ("f+a+b", ["sex", "skin"]),
        ("f+a,b", ["sex", "skin"]),
    ):
        with pytest.raises(ConfigError) as caught:
            where_of(group, names)
        assert str(caught.value) == (
            f"group {group!r} cannot be written as a filter; set it by hand: fairness.group=name=value"
        )


def assessed():
    """Two images of each of 20 people; impostors match among f only, genuine pairs miss among m only."""
    who = np.repeat(np.arange(20), 2)
    a, b = np.triu_indices(40, 1)
    same, sex = who[a] == who[b], who % 2
    scores = np.where(same, (sex[a] == 0) & (who[a] % 4 == 0), (sex[a] == 1) & (sex[b] == 1) & ((a + b) % 3 == 0))
    comparisons = Comparisons(
        a=a, b=b, same=same, fold=np.full(len(a), -1, np.int32), subject_a=who[a], subject_b=who[b],
        attributes=sex[:, None].astype(np.int8), attribute_names=("sex",), attribute_values=(("m", "f"),),
    )  # fmt: skip
    options = FairnessOptions(rounds=0, min_subjects=5)
    return assess(1.0 - 2.0 * ~scores, comparisons, ("sex",), given_threshold(0.5), options), scores, same, sex, a, b


@pytest.mark.parametrize("error", ["fmr", "fnmr"])
def test_the_group_that_is_worst_by_the_chosen_error(error):
    result, matches, same, sex, a, b = assessed()
    rates = []
    for value in (0, 1):
        inside = (sex[a] == value) & (sex[b] == value)
        rates.append(np.mean(matches[inside & ~same]) if error == "fmr" else np.mean(~matches[inside & same]))
    worst = "mf"[int(np.argmax(rates))]
    found = decide(result, replace(CHOICE, error=error))
    assert (found.where, found.before) == (f"sex={worst}", pytest.approx(max(rates)))
    assert found.messages[0] == f"threshold 0.5: {result.threshold.how}"
    assert found.messages[-1] == f"chosen by {error.upper()}: this step trains on sex={worst} only"
    assert len(found.messages) == 4
    assert found.to_dict() == {"where": found.where, "messages": list(found.messages), "report": result.to_dict()}


def test_a_choice_that_cannot_be_made():
    config = TrainConfig(data=DataConfig(path="p"))
    by_hand = decide_group(GroupChoice(group="sex=f"), config)
    assert (by_hand.where, by_hand.before, by_hand.report) == ("sex=f", None, {})
    assert by_hand.messages == ("group set by hand: sex=f",)
    for choice in (GroupChoice(), GroupChoice("v"), GroupChoice(protected=("sex",))):
        for check in (check_choice, decide_group):
            with pytest.raises(
                ConfigError, match=r"a step with worst_group needs fairness\.validation and fairness\.pro"
            ):
                check(choice, config)


def packed(folder, names=("sex",), values=(0, 1, 0)):
    photos = tuple(Photo(f"{i}", i // 2, 0, (value,) * len(names)) for i, value in enumerate(values))
    notes = AttributeNotes(names, dict.fromkeys(names, ("f", "m")))
    pack_encoded(Plan(photos, ("a", "b"), notes), images()[:3], folder, 16)
    return str(folder)


def test_data_that_a_group_can_be_taken_out_of(tmp_path, monkeypatch):
    train, other, bare = packed(tmp_path / "a"), packed(tmp_path / "b"), packed(tmp_path / "c", ())
    checked = []
    monkeypatch.setattr(worst_group, "check_groups", lambda *arguments: checked.append(arguments[1:]))
    choice = replace(CHOICE, validation=other)
    check_choice(choice, TrainConfig(data=DataConfig(path=train, only="not there")))
    assert checked == [(("sex",), 0.05, other)]
    with pytest.raises(ConfigError) as caught:
        check_choice(choice, TrainConfig(data=DataConfig(path=bare)))
    assert str(caught.value) == (
        f"{bare}: has no attribute sex (it has: none), so a group cannot be taken out of it; pack the data with its "
        "attributes (data_process/face2rec2.py)"
    )
    hat = packed(tmp_path / "d", ("hat",))
    with pytest.raises(ConfigError, match=r"has no attribute sex \(it has: hat\)"):
        check_choice(choice, TrainConfig(data=DataConfig(path=hat)))
    with pytest.raises(ConfigError, match=r"which is trained on: a model knows its subjects; name others"):
        check_choice(choice, TrainConfig(data=DataConfig(path=f"{tmp_path}/a/../b")))
    check_choice(GroupChoice(group="sex=f"), TrainConfig(data=DataConfig(path=train)))
    for where, group in (("", "sex=x"), ("sex=m", "sex=f")):
        with pytest.raises(ConfigError) as caught:
            check_choice(GroupChoice(group=group), TrainConfig(data=DataConfig(path=train, where=where)))
        assert str(caught.value).startswith(f"fairness.group={group} cannot be taken out of {train}: ")


def test_hard_samples_in_words(tmp_path):
    data = ArrayDataset(np.zeros((6, 4, 4, 3), np.uint8), [0, 1, 1, -1, 2, 2])
    labeled = np.array([0, 1, 2, 4, 5])
    found = collect(data, labeled, np.array([0, 2, 1, 2, 0]), "people by model")
    assert (found.hard.tolist(), found.indices.tolist()) == ([1, 5], [1, 2, 4, 5])
    assert (found.identities, found.labeled, found.accuracy) == (2, 5, 0.6)
    said = "2 hard samples in people by model: accuracy 0.6000 (3 of 5); 2 identities have one, with 4 records"
    assert found.message() == said
    write_list(tmp_path / "l.txt", found)
    assert (tmp_path / "l.txt").read_text() == f"# hard samples: {said}\n# hard: 1 5\n1\n2\n4\n5\n"
    none = collect(data, labeled, data.labels[labeled].astype(np.int64), "people by model")
    assert none.message() == (
        "no hard sample found in people by model: accuracy 1.0000 (5 of 5); all its records are listed"
    )
    write_list(tmp_path / "l.txt", none)
    assert (tmp_path / "l.txt").read_text().splitlines()[1:] == ["# hard: none", "0", "1", "2", "4", "5"]
    for head in (b"", b"# hard sample: ", b"x"):
        (tmp_path / "other").write_bytes(head)
        with pytest.raises(DataError, match="other: is there and no list of hard samples; it is not overwritten"):
            write_list(tmp_path / "other", found)


@pytest.mark.parametrize(("count", "more"), [(1000, ""), (1001, " … (1001)")])
def test_a_thousand_hard_samples_are_named(tmp_path, count, more):
    numbers = np.arange(count)
    write_list(tmp_path / "l.txt", HardSamples(numbers, numbers[:1], 1, count, "x"))
    shown = " ".join(map(str, range(1000)))
    assert (tmp_path / "l.txt").read_text().splitlines()[1] == f"# hard: {shown}{more}"


def test_a_trained_head_is_that_of_these_identities(tmp_path):
    config = TrainConfig()
    config = replace(config, backbone=replace(config.backbone, embedding=4))
    weight = nd.random.normal(shape=(3, 4))
    path = tmp_path / "blocks-0001.params"
    save_arrays(path, {"head.weight": weight, "other.weight": nd.ones((1,))})
    head = load_head(config, path, 3, mx.cpu())
    assert type(head) is type(build_head(config.head, 4, 3))
    assert (head.weight.data().asnumpy() == weight.asnumpy()).all()
    with pytest.raises(
        CheckpointError, match=r"params: the classifier knows 3 identities, the data have 4; name the data"
    ):
        load_head(config, path, 4, mx.cpu())
    save_arrays(path, {"other.weight": weight})
    with pytest.raises(
        CheckpointError, match=r"params: holds no class weights; name a run that was trained with a head"
    ):
        load_head(config, path, 3, mx.cpu())
