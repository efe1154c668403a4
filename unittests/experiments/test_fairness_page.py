"""The page of the LFW experiment says what the scores of its arms say."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGE = runpy.run_path(str(ROOT / "experiments" / "fairness_page.py"))
TITLES = [("base", "before"), ("fair_step2", "step 2"), ("fair_step3", "step 3"), ("all_step3", "step 3, all data"),
          ("still_step3", "step 3, learning rate 0")]  # fmt: skip


@pytest.fixture
def world(tmp_path):
    """80 people of two sexes, two images each; the FMR of f is high at first and like that of m after step 3."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(80), 2)
    a, b = np.triu_indices(len(who), 1)
    same = who[a] == who[b]
    of_f = (who[a] % 2 == 1) & (who[b] % 2 == 1)
    for split in ("validation", "test"):
        folder = tmp_path / "aligned" / split
        folder.mkdir(parents=True)
        rows = ["image_a,image_b,same,subject_a,subject_b,sex_a,sex_b"]
        rows += [
            f"{i}.png,{j}.png,{int(who[i] == who[j])},p{who[i]},p{who[j]},{'mf'[who[i] % 2]},{'mf'[who[j] % 2]}"
            for i, j in zip(a.tolist(), b.tolist(), strict=True)
        ]
        (folder / f"{split}_pairs.csv").write_text("\n".join([*rows, ""]))
    arms = []
    for name, _ in TITLES:
        for seed in (0, 1):
            shift = 0.1 if name in ("fair_step3", "still_step3") else 1.0
            scores = {split: rng.normal(3.0 * same + shift * of_f * ~same, 1.0) for split in ("validation", "test")}
            np.savez(tmp_path / f"{name}_{seed}.npz", **scores)
            arms.append({"arm": name, "seed": seed, "run": f"models/{name}_{seed}"})
            if name == "fair_step3":
                arms[-1]["group"] = {"where": "sex=f", "messages": ["worst FMR: f"]}
    return tmp_path, arms


def test_rates_verdicts_and_page(world):
    folder, arms = world
    result = PAGE["summarise"](arms, TITLES, [0, 1], folder, folder, 0.05)
    json.dumps(result)
    with np.load(folder / "base_0.npz") as scores:
        test = scores["test"]
    pairs = np.genfromtxt(folder / "aligned" / "test" / "test_pairs.csv", delimiter=",", dtype=str, skip_header=1)
    inside = (pairs[:, 2] == "0") & (pairs[:, 5] == "f") & (pairs[:, 6] == "f")
    threshold = result["arms"]["base"]["thresholds"][0]
    assert result["arms"]["base"]["by_seed"][0]["fmr f"] == pytest.approx((test[inside] >= threshold).mean(), abs=1e-12)
    first = [one["fmr f"] for one in result["arms"]["base"]["by_seed"]]
    assert result["arms"]["base"]["rates"]["f"]["fmr"]["value"] == pytest.approx(np.mean(first), abs=1e-12)
    change = result["arms"]["fair_step3"]["change"]
    assert change["FMR of f"]["verdict"] == "better"
    assert change["fmr_gap"]["verdict"] == "better"
    assert result["arms"]["all_step3"]["change"]["fmr_gap"]["verdict"] == "not distinguishable"
    page = PAGE["page"](result)
    assert "worst FMR: f" in page
    assert page.count("\n### ") == 5
    assert f"{change['fmr_gap']['after']:.4f}" in page


def test_the_page_of_a_published_model_has_no_controls(world):
    folder, arms = world
    titles = TITLES[:3]
    kept = [arm for arm in arms if arm["arm"] in dict(titles)]
    result = PAGE["summarise"](kept, titles, [0, 1], folder, folder, 0.05)
    page = PAGE["page"](result)
    assert page.startswith("# Do the three fairness steps make a published recogniser fairer?")
    assert page.count("\n### ") == 2
    assert "all data" not in page.split("## In short")[1]
    gap = result["arms"]["fair_step3"]["change"]["fmr_gap"]
    assert f"FMR gap: {gap['before']:.4f} to {gap['after']:.4f}" in page


@pytest.fixture
def program():
    sys.path.insert(0, str(ROOT / "experiments"))
    try:
        yield runpy.run_path(str(ROOT / "experiments" / "fairness.py"))
    finally:
        sys.path.remove(str(ROOT / "experiments"))


def test_a_published_model_takes_the_base_s_place(program, tmp_path):
    called = []
    program["make"].__globals__.update(
        call=lambda words, name: called.append(words), keep_scores=lambda model, lfw, path: path.touch()
    )
    for arm in program["TUNED"]:
        program["make"](arm, 1, tmp_path, tmp_path, "/m/model,0")
    starts = [next(word for word in words if "start_from" in word) for words in called]
    assert starts == ["step1.start_from=/m/model,0"] * 3
    assert all(words[1].endswith("lfw_fair_tune.yaml") for words in called)
    base = program["as_it_is"]("/m/model,0", [0, 1], tmp_path, tmp_path)
    assert [(arm["arm"], Path(arm["run"]).name) for arm in base] == [("base", "model")] * 2


def test_arms_name_their_runs(program):
    names = {arm.name: program["run_name"](arm, 1) for arm in program["ARMS"]}
    assert names["base"] == "base_1"
    assert names["fair_step2"] == "fair_1_step2"
    assert names["all_step3"] == "all_1_step3"
