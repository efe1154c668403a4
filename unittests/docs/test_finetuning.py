"""docs/finetuning.md from top to bottom: photographs and people.csv to a fairer model and its report."""

from __future__ import annotations

import csv
from pathlib import Path

from unittests.docs.blocks import page_blocks
from unittests.docs.clone import TRAIN_PEOPLE, lay_out, typed


def test_every_command_runs(tmp_path: Path) -> None:
    place = lay_out(tmp_path)
    told = "\n".join(typed([block for block in page_blocks("docs/finetuning.md") if block.is_run], place))
    sets = {}
    for name in ("mine", "others", "kept"):
        with (place / f"{name}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert all((place / row["image"]).is_file() for row in rows)
        sets[name] = {(row["identity"], row["sex"]) for row in rows}
    # Everybody is in one set, and each set has as many women as men.
    everybody = [person for people in sets.values() for person, _ in people]
    assert sorted(everybody) == sorted(TRAIN_PEOPLE)
    sexes = {name: [sum(sex == value for _, sex in people) for value in "fm"] for name, people in sets.items()}
    assert sexes == {"mine": [6, 6], "others": [3, 3], "kept": [3, 3]}

    assert "worst FMR" in told
    assert "Compared with the model before" in told
    assert "group set by hand: sex=f" in told
    assert "step 1 of slower is finished" in told
    assert (place / "hard.txt").is_file()
    assert (place / "models" / "my_hard_step2" / "manifest.json").is_file()
    assert (place / "models" / "my_fair_step3" / "group.json").is_file()
    report = (place / "results" / "kept" / "report.md").read_text()
    assert "What these subjects cannot show" in report
    assert "Groups by sex" in report
    assert len((place / "results" / "kept" / "predictions.csv").read_text().splitlines()) == 1 + 12 * 11 // 2
