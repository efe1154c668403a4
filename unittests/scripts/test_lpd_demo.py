"""LPD's demonstration: masks on the people who are scored, two trainings with masks of other styles, two results."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from fairface.config.load import load_config
from fairface.faces.masks.styles import chosen_styles

ROOT = Path(__file__).resolve().parents[2]
TELLER = "import sys; from pathlib import Path; print(Path(sys.argv[0]).name, *sys.argv[1:], file=sys.stderr)\n"


def test_masks_two_trainings_and_two_results(tmp_path: Path) -> None:
    """Programs that only tell their arguments stand in for the real ones; the folder has a space in its name."""
    place = tmp_path / "a clone"
    for name in ("train/train.py", "data_process/prepare_orl.py", "data_process/add_masks.py", "test/retrieval.py"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(TELLER)
    (place / "scripts").mkdir()
    (place / "scripts" / "environment.sh").write_text(f"#!/bin/sh\necho '{sys.executable}'\n")
    (place / "scripts" / "environment.sh").chmod(0o755)
    shutil.copy(ROOT / "scripts" / "lpd_demo.sh", place / "scripts")
    for person in range(31, 41):
        folder = place / "datasets" / "orl" / "aligned" / f"s{person}"
        folder.mkdir(parents=True)
        for number in range(1, 11):
            (folder / f"{number}.png").touch()
    command = [str(place / "scripts" / "lpd_demo.sh"), "epochs=2", "output=else where"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=dict(os.environ), check=True)
    lines = done.stderr.splitlines()
    programs = ["prepare_orl.py", "add_masks.py", *["train.py"] * 2, *["retrieval.py"] * 2]
    assert [line.split()[0] for line in lines] == programs
    made = place / "all_data" / "lpd"
    photographs = {}
    for part in ("unmasked", "test/gallery"):  # no photograph is searched for in the gallery that holds it
        assert sorted(path.name for path in (made / part).iterdir()) == [f"s{person}" for person in range(31, 41)]
        photographs[part] = {path.name for path in (made / part).glob("*/*.png")}
    assert not photographs["unmasked"] & photographs["test/gallery"]
    assert len(photographs["unmasked"]) == len(photographs["test/gallery"]) == 5
    assert "add_masks.py all_data/lpd/unmasked --output all_data/lpd/test/query --styles" in lines[1]
    assert done.stdout.split() == ["mg_masks", "lpd_masks"]
    unseen = set(lines[1].split("--styles ")[1].split()[0].split(","))
    for line, method, nose in ((lines[2], "classify", None), (lines[3], "lpd", "column")):
        program, config, again, *words = re.split(r" (?=[\w./-]+)", line.replace("else where", "elsewhere"))
        assert (program, again, words[-2:]) == ("train.py", "--overwrite", ["epochs=2", "output=elsewhere"])
        found = load_config(ROOT / config, words)
        assert found.method == method
        assert nose is None or found.lpd.nose_height == nose
        assert found.augment.mask == 0.5
        assert chosen_styles(found.augment.mask_styles)
        assert not unseen & set(found.augment.mask_styles)
    for line, name in zip(lines[4:], ("mg_masks", "lpd_masks"), strict=True):
        data = "--data all_data/lpd/test --both-directions --no-flip"
        assert line == f"retrieval.py --model else where/{name} {data}"
