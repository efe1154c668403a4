"""Whole runs on a tiny data set: they learn, resume to the same bits, stop cleanly, and refuse what is wrong."""

import json
import os
import re
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.data.loading.samplers import RandomSampler
from fairface.errors import CheckpointError, ConfigError, DataError, DeviceError, TrainingError
from fairface.graph.export import write_deploy
from fairface.interop.insightface import to_insightface
from fairface.interop.models import load_graph
from fairface.mx import mx
from fairface.parameters import load_arrays
from fairface.training.comparison_sets import distinct_titles
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

# Stopped when its first checkpoint is there, such a run has most of its steps before it.
LONG = ("steps=12", "verify.every=0", "verify.sets=")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


def params(run: Path) -> dict[str, bytes]:
    files = resolve(f"{run}@last")
    loaded = {**load_arrays(str(files.params)), **load_arrays(str(files.blocks)), **load_arrays(str(files.state))}
    return {name: array.asnumpy().tobytes() for name, array in loaded.items()}


def log_of(run: Path, event: str) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


def test_learns_and_writes_everything(tmp_path: Path, people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tiny_config(
        tmp_path, people, "steps=60", "log.every=20", "save_every=30", "verify.every=30", "log.sheet=true",
        "test.sets=" + str(people), "test.baseline=eigenfaces", "test.bootstrap=20", "data.dataset=patterns",
    )  # fmt: skip
    assert train(config) == 0
    run = tmp_path / "models" / "tiny"
    losses = [line["loss"] for line in log_of(run, "train")]
    assert losses[-1] < losses[0] / 2
    assert all(line["images_per_second"] > 0 for line in log_of(run, "train"))
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["dataset"] == "patterns"
    assert metrics["auc"] > 0.95
    assert metrics["baseline"]["name"] == "eigenfaces"
    assert {"auc", "eer", "tar", "seed", "intervals"} <= set(metrics)
    assert {path.name for path in run.iterdir()} >= {"manifest.json", "config.yaml", "batch.png", "log.jsonl"}
    assert "eigenfaces" in capsys.readouterr().out


def test_resume_gives_the_same_bits(tmp_path: Path, people: Path) -> None:
    settings = ("augment.color=0.5", "augment.shift=0.5", *LONG)
    assert train(tiny_config(tmp_path / "a", people, *settings), quiet=True) == 0
    # The schedule depends on the length of the run, so the broken run has the same length and is stopped on the way.
    broken = tiny_config(tmp_path / "b", people, *settings)
    stop_after(tmp_path / "b" / "models" / "tiny" / "manifest.json", lambda: train(broken, quiet=True))
    assert 3 <= resolve(str(tmp_path / "b" / "models" / "tiny") + "@last").step < 12
    assert train(broken, resume=True, quiet=True) == 0
    assert params(tmp_path / "a" / "models" / "tiny") == params(tmp_path / "b" / "models" / "tiny")


def stop_after(file: Path, work) -> None:  # type: ignore[no-untyped-def]
    """Run ``work`` and send this process SIGTERM as soon as ``file`` is there."""

    def watch() -> None:
        end = time.monotonic() + 60
        while not file.exists() and time.monotonic() < end:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, lambda *_: None)  # a late signal must not kill the tests
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        work()
        thread.join()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_resume_on_two_devices_goes_on(tmp_path: Path, people: Path) -> None:
    config = tiny_config(tmp_path, people, *LONG)
    stop_after(tmp_path / "models" / "tiny" / "manifest.json", lambda: train(config, quiet=True))
    assert resolve(str(tmp_path / "models" / "tiny") + "@last").step < 12
    two = tiny_config(tmp_path, people, "devices=cpu0,cpu1", *LONG)
    assert train(two, resume=True, quiet=True) == 0
    assert resolve(str(tmp_path / "models" / "tiny") + "@last").step == 12


def test_signal_saves_and_stops(tmp_path: Path, people: Path) -> None:
    config = tiny_config(tmp_path, people, "steps=5000", "save_every=2", "verify.every=0", "augment.mirror=0")
    codes: list[int] = []
    stop_after(tmp_path / "models" / "tiny" / "manifest.json", lambda: codes.append(train(config, quiet=True)))
    assert codes == [128 + signal.SIGTERM]
    step = resolve(str(tmp_path / "models" / "tiny") + "@last").step
    assert 2 <= step < 5000
    # tqdm keeps one thread of its own for the whole process.
    assert [type(t).__name__ for t in threading.enumerate() if t is not threading.main_thread()] in ([], ["TMonitor"])


def test_loss_that_is_not_finite_stops_with_the_last_good_checkpoint(tmp_path: Path, people: Path) -> None:
    config = tiny_config(
        tmp_path, people, "optimizer.lr=1e30", "optimizer.warmup=0", "optimizer.schedule=constant",
        "save_every=1", "steps=20", "head.name=softmax", "head.m3=0", "verify.every=0",
    )  # fmt: skip
    with pytest.raises(TrainingError, match=r"step \d+.*last good checkpoint") as caught:
        train(config, quiet=True)
    assert "optimizer.lr" in str(caught.value)
    run = tmp_path / "models" / "tiny"
    last = resolve(f"{run}@last")
    assert f"{run}@{last.step}" in str(caught.value)
    for file in (last.params, last.blocks):
        assert all(np.isfinite(array.asnumpy()).all() for array in load_arrays(str(file)).values())


def test_two_devices_learn_the_same_as_one(tmp_path: Path, people: Path) -> None:
    """BatchNorm aside: only the head is trained, and the frozen backbone normalises with its running statistics."""
    base = tiny_config(tmp_path, people, "name=base")
    assert train(base, quiet=True) == 0
    heads = []
    for devices in ("cpu0", "cpu0,cpu1", "cpu0,cpu1,cpu2"):
        name = f"d{devices.count('cpu')}"
        config = tiny_config(
            tmp_path, people, "stage=head", "start_from=base", f"name={name}", f"devices={devices}", "batch_size=9"
        )
        assert train(config, quiet=True) == 0
        run = tmp_path / "models" / name
        heads.append(load_arrays(str(resolve(f"{run}@last").blocks))["head.weight"].asnumpy())
        losses = [line["loss"] for line in log_of(run, "train")]
        assert losses == pytest.approx([line["loss"] for line in log_of(tmp_path / "models" / "d1", "train")], rel=1e-5)
    np.testing.assert_allclose(heads[1], heads[0], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(heads[2], heads[0], rtol=1e-5, atol=1e-7)


def test_head_stage_leaves_the_backbone_as_it_is(tmp_path: Path, people: Path) -> None:
    assert train(tiny_config(tmp_path, people, "name=base"), quiet=True) == 0
    assert train(tiny_config(tmp_path, people, "name=head", "stage=head", "start_from=base"), quiet=True) == 0
    before, after = (load_arrays(str(resolve(str(tmp_path / "models" / n) + "@last").params)) for n in ("base", "head"))
    start = load_arrays(str(resolve(str(tmp_path / "models" / "base")).params))
    assert {k: v.asnumpy().tobytes() for k, v in start.items()} == {k: v.asnumpy().tobytes() for k, v in after.items()}
    assert set(before) == set(after)


def test_fine_tune_from_deploy_layout_with_other_classes(
    tmp_path: Path, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tiny_config(tmp_path, people, "name=base"), quiet=True) == 0
    more = make_people(tmp_path / "more", people=6)
    step = resolve(str(tmp_path / "models" / "base")).step
    for name, start in (("a", "base"), ("b", f"{tmp_path}/models/base/model,{step}")):
        config = tiny_config(
            tmp_path, more, f"name={name}", f"start_from={start}", "head.init_from=mean_embedding", "steps=1",
            "optimizer.lr=0", "verify.every=0",
        )  # fmt: skip
        capsys.readouterr()
        assert train(config) == 0
        assert "head is re-initialised" in capsys.readouterr().err
        weight = load_arrays(str(resolve(str(tmp_path / "models" / name) + "@last").blocks))["head.weight"]
        assert weight.shape == (6, 8)


def test_insightface_names_start_a_fine_tune(tmp_path: Path, people: Path) -> None:
    assert train(tiny_config(tmp_path, people, "name=base"), quiet=True) == 0
    files = resolve(str(tmp_path / "models" / "base"))
    arrays = load_arrays(str(files.params))
    _, theirs = write_deploy(to_insightface(load_graph(files)), str(tmp_path / "theirs"), 7)
    renamed = load_arrays(str(theirs))
    assert {"arg:stage1_unit1_bn1_gamma", "aux:fc1_moving_mean"} <= set(renamed)
    mx.nd.save(str(theirs), {**renamed, "arg:fc7_weight": mx.nd.ones((3, 8))})
    config = tiny_config(tmp_path, people, f"start_from={tmp_path}/theirs,7", "stage=head", "steps=1", "verify.every=0")
    assert train(config, quiet=True) == 0
    after = load_arrays(str(resolve(str(tmp_path / "models" / "tiny") + "@last").params))
    assert {k: v.asnumpy().tobytes() for k, v in after.items()} == {k: v.asnumpy().tobytes() for k, v in arrays.items()}


@pytest.mark.parametrize(
    ("overrides", "error", "said"),
    [
        (["data.path=/nowhere/at/all"], DataError, "/nowhere/at/all"),
        (["data.path="], ConfigError, "data.path"),
        (["gpus=7", "devices="], DeviceError, "GPU 7"),
        (["precision=fp16"], DeviceError, "fp16 needs a GPU"),
        (["start_from=nothing"], CheckpointError, "nothing"),
        (["method=magic"], ConfigError, "classify"),
        (["data.where=glasses=1"], ConfigError, "glasses"),
        (["steps=0", "epochs=0"], ConfigError, "set one"),
        (["data.image_size=48"], DataError, "48"),
        (["batch_size=1", "devices=cpu0,cpu1"], ConfigError, "device"),
    ],
)
def test_wrong_input_stops_before_training(
    tmp_path: Path, people: Path, overrides: list[str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=r"(?s).*") as caught:
        train(tiny_config(tmp_path, people, *overrides), quiet=True)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "models" / "tiny" / "manifest.json").exists()


def test_a_run_is_not_overwritten_unless_told_so(tmp_path: Path, people: Path) -> None:
    config = tiny_config(tmp_path, people, "steps=1")
    assert train(config, quiet=True) == 0
    with pytest.raises(CheckpointError, match="--resume"):
        train(config, quiet=True)
    assert train(config, overwrite=True, quiet=True) == 0
    with pytest.raises(CheckpointError, match="no checkpoint to resume"):
        train(tiny_config(tmp_path, people, "name=other"), resume=True, quiet=True)


def test_a_wrong_name_costs_neither_training_nor_the_old_run(tmp_path: Path, people: Path) -> None:
    assert train(tiny_config(tmp_path, people, "steps=1"), quiet=True) == 0
    run = tmp_path / "models" / "tiny"
    for wrong in (f"start_from={run}", "start_from=nothing", "test.sets=/nowhere.bin", "verify.sets=/nowhere.bin"):
        with pytest.raises((CheckpointError, DataError)):
            train(tiny_config(tmp_path, people, "steps=1", wrong), overwrite=True, quiet=True)
        assert resolve(f"{run}@last").step == 1
    with pytest.raises(DataError, match="nowhere"):
        train(tiny_config(tmp_path, people, "name=new", "steps=1", "test.sets=/nowhere.bin"), quiet=True)
    with pytest.raises(DataError, match="pixels"):
        other = ("data.image_size=48", "data.resize=true", "test.sets=" + str(people))
        train(tiny_config(tmp_path, people, "name=new", "steps=1", *other), quiet=True)
    assert not (tmp_path / "models" / "new").exists()


def test_a_bad_verification_set_costs_no_step(tmp_path: Path, people: Path) -> None:
    broken = make_people(tmp_path / "broken")
    (broken / "person1" / "3.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"3\.png"):
        train(tiny_config(tmp_path, people, f"verify.sets={broken}", "verify.every=0"), quiet=True)
    assert resolve(f"{tmp_path / 'models' / 'tiny'}@last").step == 6


def test_overwrite_follows_no_link(tmp_path: Path, people: Path) -> None:
    assert train(tiny_config(tmp_path, people, "steps=1"), quiet=True) == 0
    (tmp_path / "models" / "link").symlink_to(tmp_path / "models" / "tiny")
    with pytest.raises(CheckpointError, match="is a link"):
        train(tiny_config(tmp_path, people, "steps=1", "name=link"), overwrite=True, quiet=True)


def test_a_run_without_a_checkpoint_says_how_to_go_on(tmp_path: Path, people: Path) -> None:
    config = tiny_config(tmp_path, people, "steps=1")
    (tmp_path / "models" / "tiny").mkdir(parents=True)
    (tmp_path / "models" / "tiny" / "config.yaml").write_text("name: tiny\n")
    for resume in (False, True):
        with pytest.raises(CheckpointError, match="--overwrite"):
            train(config, resume=resume, quiet=True)
    assert train(config, overwrite=True, quiet=True) == 0


def test_overwrite_removes_only_what_a_run_writes(tmp_path: Path, people: Path) -> None:
    config = tiny_config(tmp_path, people, "steps=1")
    assert train(config, quiet=True) == 0
    notes = tmp_path / "models" / "tiny" / "notes.txt"
    notes.write_text("mine")
    assert train(config, overwrite=True, quiet=True) == 0
    assert notes.read_text() == "mine"


def test_resumed_log_holds_every_step_once(tmp_path: Path, people: Path) -> None:
    config = tiny_config(tmp_path, people, "log.every=1", *LONG)
    stop_after(tmp_path / "models" / "tiny" / "manifest.json", lambda: train(config, quiet=True))
    assert resolve(str(tmp_path / "models" / "tiny") + "@last").step < 12
    log = tmp_path / "models" / "tiny" / "log.jsonl"
    with log.open("a") as file:  # what a killed process may leave: steps after its checkpoint, a line cut short
        file.write('{"event": "train", "step": 900, "loss": 1}\n{"event": "tr')
    assert train(config, resume=True, quiet=True) == 0
    assert [line["step"] for line in log_of(tmp_path / "models" / "tiny", "train")] == list(range(1, 13))


def test_the_history_in_words_of_a_run_that_is_resumed(tmp_path: Path, people: Path) -> None:
    run = tmp_path / "models" / "tiny"
    config = tiny_config(tmp_path, people, "log.every=1", *LONG)
    stop_after(run / "manifest.json", lambda: train(config, quiet=True))
    step, before = resolve(f"{run}@last").step, (run / "train.log").read_text()
    assert " data: 24 images of 4 identities, batch 8\n" in before
    assert re.search(r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4}  step 1/12  loss .* images/s  ETA \d", before)
    with pytest.raises(CheckpointError):
        train(tiny_config(tmp_path, people, "batch_size=4", *LONG), resume=True, quiet=True)
    assert (run / "train.log").read_text() == before  # a start that is refused is no part of the history
    assert train(config, resume=True, quiet=True) == 0
    after = (run / "train.log").read_text()
    assert after.startswith(before)
    assert f"  resumed at step {step}\n" in after[len(before) :]
    assert "  step 12/12  loss " in after
    assert train(config, overwrite=True, quiet=True) == 0
    assert "resumed at step" not in (run / "train.log").read_text()


def test_resume_refuses_another_configuration_and_other_data(tmp_path: Path, people: Path) -> None:
    assert train(tiny_config(tmp_path, people, "steps=1"), quiet=True) == 0
    with pytest.raises(CheckpointError, match="batch_size"):
        train(tiny_config(tmp_path, people, "steps=1", "batch_size=4"), resume=True, quiet=True)
    with pytest.raises(CheckpointError, match=r"optimizer\.momentum was [0-9.]+ and is now 0.5;"):
        train(tiny_config(tmp_path, people, "steps=1", "optimizer.momentum=0.5"), resume=True, quiet=True)
    other = make_people(tmp_path / "other", people=4, images=7)
    with pytest.raises(CheckpointError, match="training data changed"):
        train(tiny_config(tmp_path, other, "steps=1"), resume=True, quiet=True)


def test_bad_record_stops_or_is_skipped_and_listed(tmp_path: Path) -> None:
    data = make_people(tmp_path / "people")
    (data / "person1" / "3.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"3\.png"):
        train(tiny_config(tmp_path, data, "verify.sets=", "verify.every=0"), quiet=True)
    config = tiny_config(tmp_path, data, "verify.sets=", "verify.every=0", "data.on_bad_record=skip", "name=skip")
    assert train(config, quiet=True) == 0
    listed = log_of(tmp_path / "models" / "skip", "skipped")
    assert len(listed) == 1
    assert "3.png" in str(listed[0]["record"])


def test_a_bad_record_costs_no_step_before_it(tmp_path: Path) -> None:
    """The record of step 2 is bad: steps 0 and 1 are saved, and once it is whole the run ends in the same bits."""
    data = make_people(tmp_path / "people")
    whole = tiny_config(tmp_path / "a", data, "verify.every=0", "save_every=100")
    assert train(whole, quiet=True) == 0
    names = sorted(data.rglob("*.png"))
    bad = names[int(RandomSampler(len(names), 8, seed=0).batch(2)[3])]
    content = bad.read_bytes()
    bad.write_bytes(b"no image")
    broken = tiny_config(tmp_path / "b", data, "verify.every=0", "save_every=100", "verify.sets=")
    with pytest.raises(DataError, match=rf"{bad.name}.*the 2 steps before it are saved"):
        train(broken, quiet=True)
    assert resolve(f"{tmp_path / 'b' / 'models' / 'tiny'}@last").step == 2
    bad.write_bytes(content)
    again = tiny_config(tmp_path / "b", data, "verify.every=0", "save_every=100")
    assert train(again, resume=True, quiet=True) == 0
    assert params(tmp_path / "a" / "models" / "tiny") == params(tmp_path / "b" / "models" / "tiny")


def test_sets_with_one_base_name_stand_apart(tmp_path: Path, people: Path) -> None:
    other = make_people(tmp_path / "other" / "people", people=3)
    sets = f"[{people},{other}]"
    assert train(tiny_config(tmp_path, people, "steps=1", f"test.sets={sets}", f"verify.sets={sets}"), quiet=True) == 0
    run = tmp_path / "models" / "tiny"
    found = json.loads((run / "metrics.json").read_text())["sets"]
    genuine = {name: result["genuine"] for name, result in found.items()}
    assert genuine == {"/".join(people.parts[-2:]): 4 * 15, "other/people": 3 * 15}
    events = {json.loads(line)["event"] for line in (run / "log.jsonl").read_text().splitlines()}
    assert {f"verify/{name}" for name in genuine} <= events


def test_titles_are_the_shortest_ends_that_differ() -> None:
    assert distinct_titles(["a/lfw.bin", "b/cfp.bin"]) == [None, None]
    assert distinct_titles(["x/a/lfw.bin", "y/a/lfw.bin", "z/cfp"]) == ["x/a/lfw", "y/a/lfw", None]
    assert distinct_titles(["lfw.bin", "lfw.csv"]) == ["lfw.bin", "lfw.csv"]
