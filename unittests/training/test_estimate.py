"""What a run is said to take, counted by hand for a net of one layer and a clock that is set by hand."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fairface.config.schema import OptimizerConfig
from fairface.data.array import ArrayDataset
from fairface.data.extra import with_extra
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.heads import build_head
from fairface.methods.classify import Classify
from fairface.mx import mx
from fairface.parallel import World
from fairface.training import estimate as module
from fairface.training.estimate import describe, estimate, probe_batch
from fairface.training.plan import Plan
from fairface.training.schedule import learning_rate
from fairface.training.setup import Prepared
from unittests.methods.helpers import SIZE, Flat
from unittests.training.helpers import tiny_config

IMAGES, PEOPLE = 39, 3


def source(count: int, batch_size: int, labeled: bool, name: str) -> Source:
    """Random images; the labeled ones carry a column."""
    pixels = np.random.default_rng(count).integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)
    labels = np.arange(count) % PEOPLE if labeled else np.full(count, -1)
    data = ArrayDataset(pixels, labels, np.arange(count)[:, None] % 100, ("number",))
    dataset = with_extra(data, {"height": np.arange(count) / 10}) if labeled else data
    return Source(dataset, batch_size, RandomSampler(count, batch_size, 0), name=name)


def prepared(folder: Path, devices: int = 2, **optimizer: object) -> Prepared:
    """A run of 7 steps, 24 labeled images and 16 others in each."""
    config = tiny_config(
        folder, folder, f"data.image_size={SIZE}", batch_size=40,
        optimizer={"lr": 0.06, "schedule": "cosine", "warmup": 2, **optimizer},
    )  # fmt: skip
    sources = [source(IMAGES, 24, True, "photos"), source(20, 16, False, "others")]
    return Prepared(
        config=config, world=World(tuple(mx.cpu(i) for i in range(devices))),
        method=Classify(Flat(), build_head(config.head, 8, PEOPLE), sources),
        loader=BatchLoader(sources, SIZE, threads=1, prefetch=0), folder=folder / "models" / "tiny", total=7,
        save_every=7, verify_every=0, facts={}, verification=(), test=(),
    )  # fmt: skip


def planned(run: Prepared) -> Plan:
    return Plan(run, tuple(map(str, run.world.contexts)))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step takes 3 s, the second one 0.50125 s."""
    times = iter([10.0, 13.0, 20.0, 20.50125])
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(times)))


@pytest.mark.usefixtures("clock")
def test_every_number_is_as_counted_by_hand(tmp_path: Path) -> None:
    found = estimate(planned(prepared(tmp_path)))
    assert found["run"] == str(tmp_path / "models" / "tiny")
    assert found["devices"] == ["cpu(0)", "cpu(1)"]
    assert (found["images"], found["identities"], found["steps"]) == (IMAGES + 20, [PEOPLE, 0], 7)
    assert found["epochs"] == 4.31  # 7 steps of 24 from 39 images; the shorter source starts over
    # Warm-up to 0.06 in two steps; then five of cosine, the last of which starts with one fifth left.
    last = 0.06 * 0.5 * (1 + np.cos(np.pi * 4 / 5))
    assert found["learning_rate_first_last"] == pytest.approx([0.03, last])
    layer, head = 8 * 3 * SIZE * SIZE + 8, 8 * PEOPLE
    assert found["parameters"] == {"backbone": layer, "head": head}
    outputs = 3 * (3 * SIZE * SIZE) + 8  # flattened, scaled, shifted; the embedding
    weights = (layer + head) * 4 * 3 * 2  # float32; weight, gradient, momentum; on two devices
    assert found["memory_bytes"] == weights + outputs * 4 * 2 * 40  # float32; value and gradient; 40 images
    assert found["memory_bytes_per_device"] == found["memory_bytes"] // 2
    assert (found["learning_rate_highest"], found["learning_rate_highest_step"]) == (0.06, 2)
    # The quicker step, of 8 images of each source, for 40 images: both batches lie on both devices.
    assert found["step_seconds"] == 1.253  # 0.50125 * 40 / 16
    assert found["total_seconds"] == 8.8


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("name", "copies"), [("sgd", 3), ("nag", 4), ("adam", 4)])
def test_adam_has_two_states_and_nag_new_weights_beside_the_old(tmp_path: Path, name: str, copies: int) -> None:
    found = estimate(planned(prepared(tmp_path, 1, name=name)))
    weights = (8 * 3 * SIZE * SIZE + 8 + 8 * PEOPLE) * 4 * copies
    assert found["memory_bytes"] == weights + (9 * SIZE * SIZE + 8) * 4 * 2 * 40


@pytest.mark.parametrize(("devices", "each"), [(1, 8), (8, 8), (12, 12)])
def test_the_probe_has_the_first_images_of_every_source(tmp_path: Path, devices: int, each: int) -> None:
    run = prepared(tmp_path, devices)
    whole, probe = run.loader.batch(0), probe_batch(run)
    rows = [*range(each), *range(24, 24 + each)]
    for name in ("images", "labels", "source", "attributes", "indices"):
        np.testing.assert_array_equal(getattr(probe, name), getattr(whole, name)[rows])
    np.testing.assert_array_equal(probe.extra["height"], whole.extra["height"][rows])
    assert probe.source.tolist() == [0] * each + [1] * each


@pytest.mark.parametrize(
    "optimizer",
    [
        {"warmup": 0}, {"warmup": 3, "schedule": "poly", "final_lr": 0.2}, {"warmup": 50}, {"schedule": "constant"},
        {"schedule": "step", "milestones": (4,), "gamma": 3.0}, {"schedule": "cosine", "warmup": 6},
    ],
)  # fmt: skip
def test_the_highest_learning_rate_is_that_of_all_steps(optimizer: dict[str, Any]) -> None:
    config = OptimizerConfig(lr=0.06, **optimizer)
    rates = [learning_rate(config, step, 7) for step in range(7)]
    found = module._learning_rates(config, 7)
    assert found["learning_rate_highest"] == max(rates)
    assert rates[found["learning_rate_highest_step"] - 1] == max(rates)
    assert found["learning_rate_first_last"] == [rates[0], rates[-1]]


def test_too_little_memory_is_told_before_any_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available_bytes", lambda contexts: 200)
    monkeypatch.setattr(module, "_step_seconds", lambda run: pytest.fail("a step was made"))
    found = estimate(planned(prepared(tmp_path)))
    assert (found["memory_suffices"], found["memory_available_bytes"]) == (False, 200)
    assert (found["step_seconds"], found["total_seconds"]) == (None, None)
    assert found["parameters"] == {"backbone": 8 * 3 * SIZE * SIZE + 8, "head": 8 * PEOPLE}
    *_, time, warning = describe(found).splitlines()
    assert time == "time        not measured: memory does not suffice"
    assert warning.startswith("warning: memory does not suffice: 0.00 GiB are available; a smaller batch_size")


@pytest.mark.parametrize(("spare", "suffices"), [(0, True), (-1, False)])
def test_memory_suffices_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare: int, suffices: bool
) -> None:
    monkeypatch.setattr(module, "_step_seconds", lambda run: module._initialize_sparingly(run) or 0.5)
    needed = estimate(planned(prepared(tmp_path)))["memory_bytes"]
    monkeypatch.setattr(module, "available_bytes", lambda contexts: needed + spare)
    found = estimate(planned(prepared(tmp_path)))
    assert (found["memory_suffices"], found["total_seconds"]) == (suffices, 3.5)


def test_absent_gpus_are_planned_for_without_a_copy_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_step_seconds", lambda run: pytest.fail("a step was made"))
    run, gpus = prepared(tmp_path, 1), tuple(f"gpu({number})" for number in range(4))
    found = estimate(Plan(run, gpus, "this MXNet has no CUDA"))
    copied = (8 * 3 * SIZE * SIZE + 8 + 8 * PEOPLE) * 4 * 3
    activations = (9 * SIZE * SIZE + 8) * 4 * 2 * 40
    assert found["memory_bytes"] == 4 * copied + activations
    assert found["memory_bytes_per_device"] == copied + activations // 4
    assert (found["devices"], found["memory_suffices"], found["step_seconds"]) == (list(gpus), None, None)
    assert run.method.blocks()["head"].weight._data is None  # the classifier, which may be huge, was not made
    time, note = describe(found).splitlines()[-2:]
    assert time == "time        not measured: the devices are not here"
    assert note == (
        "note: planned for gpu(0), gpu(1), gpu(2), gpu(3), which cannot be used here: this MXNet has no CUDA"
    )


def test_the_estimate_in_words() -> None:
    text = describe({
        "run": "models/x", "devices": ["gpu(0)", "gpu(1)"], "images": 1200, "identities": [30, 12], "steps": 500,
        "epochs": 2.5, "learning_rate_first_last": [0.01, 0.0001], "learning_rate_highest": 0.1,
        "learning_rate_highest_step": 50, "parameters": {"backbone": 1234567, "head": 51200},
        "memory_bytes": 3 * 2**29, "memory_bytes_per_device": 3 * 2**28, "memory_available_bytes": 2**29,
        "memory_suffices": False, "step_seconds": 0.25, "total_seconds": 5400.0, "devices_lacking": None,
        "resumed_at_step": None, "folder_taken": None,
    })  # fmt: skip
    assert text.splitlines() == [
        "data        1200 images of 42 identities",
        "run         models/x, 500 steps (2.5 epochs)",
        "lr          0.01 to 0.0001, highest 0.1 at step 50",
        "parameters  backbone 1.23 M, head 0.05 M",
        "memory      about 1.50 GiB on gpu(0), gpu(1) together, 0.75 GiB a device",
        "time        about 0.250 s a step, 1.5 h in all",
        "warning: memory does not suffice: 0.50 GiB are available on the fullest GPU; a smaller batch_size or backbone "
        "takes less, for many identities head.sharded=true (docs/classifier.md)",
    ]
