"""train_step.py compares what both sides learn. Without PyTorch our own side stands for it."""

import importlib.util
import json
import sys
from types import SimpleNamespace

import pytest

JOB = {"net": "fresnet_tiny", "batch": 4, "embedding": 8, "image_size": 32, "classes": 20, "threads": 1}
# The embedding's dropout would differ between frameworks, and the comparison must leave it out.
OURS = ("train_step_mxnet.py", {"precision": "fp32"})
PEERS = [OURS, *([("train_step_torch.py", {}, "torch")] if importlib.util.find_spec("torch") else [])]


@pytest.fixture
def compare(benchmarks):
    from same_learning import compare_losses
    from sides import Kind

    return lambda ours, other, steps: compare_losses(Kind(*ours), Kind(*other), sys.executable, JOB, steps)


@pytest.mark.parametrize("peer", PEERS)
def test_both_sides_learn_the_same_and_do_learn(compare, peer):
    losses = compare(OURS, peer, 4)
    assert losses["agree"]
    assert losses["largest_difference"] <= 0.01
    assert len(losses["ours"]) == len(losses["torch"]) == 4
    assert losses["ours"][2] < losses["ours"][0]
    assert losses["ours"][3] < losses["ours"][1]


def test_another_learning_rate_is_seen(compare):
    losses = compare(OURS, (OURS[0], {"precision": "fp32", "lr": 1e-3}), 4)
    assert not losses["agree"]
    assert losses["ours"][:1] == losses["torch"][:1]
    worst = max(abs(a - b) / max(a, b) for a, b in zip(losses["ours"], losses["torch"], strict=True))
    assert losses["largest_difference"] == pytest.approx(worst)


@pytest.mark.parametrize("agree", [True, False])
def test_exit_code_says_whether_they_agree(benchmarks, monkeypatch, capsys, agree):
    import train_step

    found = {"ours": [4.0, 2.0], "torch": [4.0, 1.0], "largest_difference": 0.5, "limit": 0.02, "agree": agree}
    about = {"parameters": 1}
    sides = [SimpleNamespace(name=name, rates=[rate], cpu_seconds=[1.0], peak_bytes=peak, about=about)
             for name, rate, peak in (("ours", 6.0, 100), ("torch channels_last", 3.0, 150))]  # fmt: skip
    monkeypatch.setattr(train_step, "compare_losses", lambda *_: found)
    monkeypatch.setattr(train_step, "measure", lambda *_: sides)
    words = ["--sides", "ours,torch channels_last"]
    assert train_step.main([*words, "--json"]) == (0 if agree else 1)
    result = json.loads(capsys.readouterr().out)
    assert result["losses"] == found
    assert result["ratios"] == {"ours / torch channels_last": 2.0, "ours / torch channels_last, memory": 1.5}
    train_step.main(words)
    assert ("DO NOT LEARN" in capsys.readouterr().out) is not agree


def test_losses_that_are_no_numbers_stop(benchmarks, tmp_path):
    from same_learning import losses_of
    from sides import Kind

    from fairface.errors import FairfaceError

    side = tmp_path / "side.py"
    side.write_text("print('{\"losses\": [1.0, NaN]}')")
    with pytest.raises(FairfaceError, match="does not learn"):
        losses_of(Kind(str(side), {}), sys.executable, JOB)


def test_names_are_matched_by_order_and_checked(benchmarks):
    from same_start import matched

    ours = [("net.bn0.gamma", (3,)), ("net.bn0.beta", (3,)), ("head.weight", (5, 2))]
    theirs = [("net.1.weight", (3,)), ("net.1.bias", (3,)), ("head.weight", (5, 2))]
    assert matched(ours, theirs) == {"net.1.weight": "net.bn0.gamma", "net.1.bias": "net.bn0.beta",
                                     "head.weight": "head.weight"}  # fmt: skip
    for wrong in (theirs[:2], [theirs[1], theirs[0], theirs[2]], [*theirs[:2], ("head.weight", (5, 3))]):
        with pytest.raises(ValueError, match="ours has"):
            matched(ours, wrong)
