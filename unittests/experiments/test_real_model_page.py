"""The page about a published model says what the programs found, and whose photographs were compared."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.embedding.store import Embeddings, load_embeddings, save_embeddings

ROOT = Path(__file__).parents[2]
PEOPLE = 64  # person i is of sex m where i is even; those below 60 are test people


@pytest.fixture(scope="module")
def program() -> Iterator[dict[str, Any]]:
    sys.path.insert(0, str(ROOT / "experiments"))
    try:
        yield runpy.run_path(str(ROOT / "experiments" / "real_model.py"))
    finally:
        sys.path.remove(str(ROOT / "experiments"))


@pytest.fixture(scope="module")
def found(program: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("real_model")
    lines = [f"p{i:02d},{'mf'[i % 2]},2,{'test' if i < 60 else 'base'}" for i in range(PEOPLE)]
    (out / "identities.csv").write_text("\n".join(["identity,sex,images,split", *lines, ""]))
    rng = np.random.default_rng(0)
    people = np.repeat(rng.normal(size=(PEOPLE, 4)), 2, axis=0)
    names = tuple(f"p{i:02d}/{k}.jpg" for i in range(PEOPLE) for k in (0, 1))
    rows = (people + rng.normal(scale=0.4, size=people.shape)).astype(np.float32)
    save_embeddings(out / "embeddings.npz", Embeddings(rows, names))
    (out / "pairs.csv").write_text("image_a,image_b,same\n" + "p00/0.jpg,p00/1.jpg,1\np62/0.jpg,p63/1.jpg,0\n" * 5)
    program["write_test_people"](out, out)
    result = program["score"](out, out / "pairs.csv")
    return {**result, "taken_over": {"backbone": "backbone.name=x", "difference": 2.5e-7}}, out


def test_test_people_only(found: tuple[dict[str, Any], Path]) -> None:
    result, out = found
    assert load_embeddings(out / "test.npz").names == tuple(f"p{i:02d}/{k}.jpg" for i in range(60) for k in (0, 1))
    assert result["verification"]["genuine"] == 60
    assert result["verification"]["genuine"] + result["verification"]["impostor"] == 120 * 119 / 2
    assert (result["official"]["genuine"], result["official"]["impostor"]) == (5, 5)


def test_the_page_holds_the_rates(program: dict[str, Any], found: tuple[dict[str, Any], Path]) -> None:
    result, out = found
    text = program["page"](json.loads(json.dumps(result)))
    stored = load_embeddings(out / "test.npz")
    rows = stored.embeddings.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    threshold = result["fairness"]["threshold"]["value"]
    wrong = {"m": [0, 0], "f": [0, 0]}  # impostor comparisons above the threshold, and all of them
    for i in range(len(rows)):
        for j in range(i):
            if i // 2 != j // 2 and i // 2 % 2 == j // 2 % 2:
                count = wrong["mf"[i // 2 % 2]]
                count[0] += bool(rows[i] @ rows[j] >= threshold - 1e-9)
                count[1] += 1
    for sex, (errors, total) in wrong.items():
        assert f"| {sex} | 30 | {errors / total:.5f} [" in text
    assert f"{result['verification']['auc']:.4f} [" in text
    assert "| all pairs of 60 test people | 60 | 7080 |" in text
    assert "LFW's official list | 5 | 5 |" in text
    assert "by 2e-07 of their length" in text
    del result["official"]
    assert "LFW's official list" not in program["page"](result)
