"""Thresholds beside a checkpoint: written, read, and refused where they belong to another one or are damaged."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fairface import decide
from fairface.checkpoints import CheckpointFiles, resolve
from fairface.embedding.thresholds import Thresholds, save_thresholds, thresholds_of, thresholds_path, weights_sum
from fairface.errors import CheckpointError, ConfigError
from fairface.files import sha256
from unittests.scoring.test_decision import POINTS


@pytest.fixture
def files(tmp_path):
    """A single file of weights."""
    (tmp_path / "net.ckpt").write_bytes(b"weights")
    return resolve(str(tmp_path / "net.ckpt"))


def thresholds(files, **changes):
    made = Thresholds(files.step, weights_sum(files), True, "lfw", "2026-01-31", POINTS)
    return replace(made, **changes)


def test_what_was_saved_is_read(files, tmp_path):
    path = save_thresholds(files, thresholds(files))
    assert path == tmp_path / "net.ckpt.thresholds.json"
    found = thresholds_of(files)
    assert found == thresholds(files)
    assert found.path == str(path)
    assert found.weights == sha256(tmp_path / "net.ckpt")
    stored = json.loads(path.read_text())
    assert (stored["measure"], stored["flip"], stored["data"], stored["date"]) == ("cosine", True, "lfw", "2026-01-31")
    assert [(of["target"], of["impostor"], of["low"], of["high"]) for of in stored["thresholds"]] == [
        (of.target, of.impostor, of.low, of.high) for of in POINTS
    ]
    assert found.explain([0.01])[0].startswith("same: 0.4000 or more. In lfw, ")


def test_thresholds_that_no_impostor_reaches_are_read(files):
    free = replace(POINTS[0], fmr=0.0, low=0.0, high=0.01, false_matches=0, fnmr=1.0)
    save_thresholds(files, thresholds(files, points=(free,)))
    assert thresholds_of(files).points == (free,)


def test_they_lie_in_a_runs_folder_or_beside_the_weights(files, tmp_path):
    run = replace(files, params=tmp_path / "model-0003.params", manifest={"sha256": {"model-0003.params": "ab"}})
    assert thresholds_path(run) == tmp_path / "thresholds.json"
    assert weights_sum(run) == "ab"
    deploy = CheckpointFiles("m,7", tmp_path / "m-symbol.json", tmp_path / "m-0007.params", 7, None, None, {}, {})
    assert thresholds_path(deploy) == tmp_path / "m-0007.params.thresholds.json"


def test_a_model_without_thresholds_says_how_to_get_them(files):
    with pytest.raises(CheckpointError) as caught:
        thresholds_of(files)
    assert str(caught.value) == (
        f"{files.name}: no thresholds were saved with this model; save them with: "
        f"python test/verification.py --model {files.name} --set FILE --save-thresholds"
    )


def test_thresholds_of_another_checkpoint_are_refused(files):
    run = replace(files, step=20, manifest={"sha256": {files.params.name: "20" * 32}})
    save_thresholds(run, thresholds(run))
    assert thresholds_of(run).step == 20
    later = replace(run, step=30, manifest={"sha256": {files.params.name: "30" * 32}})
    with pytest.raises(CheckpointError, match=r"another checkpoint \(step 20, this is step 30\); save them with"):
        thresholds_of(later)
    trained_anew = replace(run, manifest={"sha256": {files.params.name: "21" * 32}})
    with pytest.raises(CheckpointError, match=r"another checkpoint \(other weights\)"):
        thresholds_of(trained_anew)


@pytest.mark.parametrize("change", [
    lambda text: text[: len(text) // 2], lambda text: "", lambda text: "[]", lambda text: "null",
    lambda text: text.replace('"cosine"', '"euclidean"'), lambda text: text.replace('"flip": true', '"flip": "yes"'),
    lambda text: text.replace('"threshold": 0.5', '"threshold": NaN'),
    lambda text: text.replace('"threshold": 0.5', '"threshold": 0.1'),  # the stricter one lies lower
    lambda text: text.replace('"threshold": 0.5', '"threshold": "0.5"'),
    lambda text: text.replace('"target": 0.001', '"target": 0.5'),
    lambda text: text.replace('"fnmr": 0.2', '"fnmr": 2'),
    lambda text: text.replace('"high"', '"top"'), lambda text: text.replace('"impostor": 10000', '"impostor": 3'),
    lambda text: text.replace('"over": "subjects"', '"over": "pairs"'), lambda text: text.replace('"step"', '"stop"'),
    lambda text: json.dumps({**json.loads(text), "thresholds": []}), lambda text: text.replace("lfw", "\udcff"),
])  # fmt: skip
def test_a_damaged_file_is_one_line(files, change):
    path = save_thresholds(files, thresholds(files))
    text = path.read_text()
    assert change(text) != text
    path.write_bytes(change(text).encode("utf-8", "surrogateescape"))
    with pytest.raises(CheckpointError) as caught:
        thresholds_of(files)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("--save-thresholds")


def test_decisions_are_by_the_saved_thresholds(files):
    found = thresholds(files)
    values = np.linspace(-1, 1, 401)
    wanted = ["same" if value >= 0.5 else "undecided" if value >= 0.2 else "not same" for value in values]
    assert decide(values, found).tolist() == wanted
    assert decide(0.45, found, fmr=[0.01]) == "same"
    assert decide(0.45, found, fmr=0.01) == "same"
    assert decide(0.45, found, fmr=[0.01, 0.001]) == "undecided"
    with pytest.raises(ConfigError, match=r"with the mirrored image, these are without it"):
        decide(0.45, found, flip=False)
    with pytest.raises(ConfigError, match=r"without the mirrored image, these are with it"):
        decide(0.45, replace(found, flip=False))
