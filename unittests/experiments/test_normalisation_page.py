"""The page about normalised scores says what was found, and quotes the finetuning page as it stands."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.embedding.store import Embeddings, save_embeddings

ROOT = Path(__file__).parents[2]
STEPS = (ROOT / "docs" / "experiments" / "fairness_model.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def program() -> Iterator[dict[str, Any]]:
    sys.path.insert(0, str(ROOT / "experiments"))
    try:
        yield runpy.run_path(str(ROOT / "experiments" / "normalisation.py"))
    finally:
        sys.path.remove(str(ROOT / "experiments"))


@pytest.fixture(scope="module")
def found(program: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], Path]:
    """Two arms on generated people: p00 to p69 are test people, the others validation people."""
    out = tmp_path_factory.mktemp("normalisation")
    who = [f"p{i:03d}" for i in range(140)]
    lines = [f"{name},{'mf'[i % 2]},3,{'test' if i < 70 else 'validation'}" for i, name in enumerate(who)]
    (out / "identities.csv").write_text("\n".join(["identity,sex,images,split", *lines, ""]))
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(140, 12)), 3, axis=0) + 0.4 * rng.normal(size=(420, 12))
    rows[np.arange(420) // 3 % 2 == 1] += 0.6
    names = tuple(f"{name}/{k}.jpg" for name in who for k in range(3))
    save_embeddings(out / "embeddings.npz", Embeddings(rows.astype(np.float32), names))
    people = {
        split: program["split_people"](out, out / "embeddings.npz", split, out) for split in ("validation", "test")
    }
    assert [len(people[split].names) for split in ("validation", "test")] == [70, 70]
    program["make"].__globals__["ROUNDS"] = 20
    arms = [program["Arm"]("platt", 0, 0.01), program["Arm"]("znorm", 4, 0.01)]
    results = [program["make"](arm, people, out) for arm in arms]
    assert program["make"](arms[0], {}, out) == results[0]  # what is there is not made again
    return results, out


def test_the_page_has_every_arm_and_its_numbers(
    program: dict[str, Any], found: tuple[list[dict[str, Any]], Path]
) -> None:
    arms, _ = found
    text = program["page"]({"arms": arms, "finetuned": program["finetuned"](STEPS)})
    assert "Fitted on 70 people (210 genuine and 21735 impostor pairs), judged on 70 others" in text
    short = next(line for line in text.splitlines() if line.startswith("- **FMR 0.01.**"))
    words = {"better": "smaller", "worse": "larger", "not distinguishable": "not distinguishable"}
    for arm, title in zip(arms, ("platt by sex", "znorm by clusters"), strict=True):
        gap = arm["changes"]["sex"]["measures"]["fmr_gap"]
        (told,) = [part for part in short.split("; ") if f"{title} ({gap['after']:.5f})" in part]
        assert f"{words[gap['verdict']]}: " in told
    rows = [line for line in text.splitlines() if line.startswith(("| platt by sex |", "| znorm by clusters |"))]
    assert [row.split(" | ")[-1] for row in rows] == ["group at run time |", "embedding, cohort |"]
    for row, arm in zip(rows, arms, strict=True):
        gap = arm["changes"]["sex"]["measures"]["fmr_gap"]
        assert row.split(" | ")[1].startswith(f"{gap['after']:.5f} ([{gap['low']:+.5f}")
        assert f"{arm['changes']['everyone']['fnmr']['all']['after']:.5f}" in row.split(" | ")[5]


def test_the_steps_are_quoted_from_their_page(program: dict[str, Any]) -> None:
    quoted = program["finetuned"](STEPS)
    assert list(quoted) == ["step 1", "step 2", "step 3"]
    for step, numbers in quoted.items():
        part = STEPS.split(f"### {step}\n")[1].split("\n###")[0]
        assert len(numbers) == 5
        for key, row in numbers.items():
            line = next(line for line in part.splitlines() if line.startswith(f"| {key} |"))
            cells = [cell.strip() for cell in line.split("|")[2:6]]
            assert cells == [row["before"], row["after"], row["difference"], row["verdict"]]
    assert re.search(r"FMR gap: 0\.0037 to 0\.0020", STEPS)
    assert (quoted["step 3"]["fmr_gap"]["before"], quoted["step 3"]["fmr_gap"]["after"]) == ("0.0037", "0.0020")
