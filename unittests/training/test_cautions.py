"""What a run warns of: photographs of other sizes, sets that are trained and tested on, folders without photographs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.data.loading.open_sources import open_sources
from fairface.training.cautions import cautions
from fairface.training.run import train
from unittests.training.helpers import SIZE, make_people, tiny_config


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return make_people(tmp_path / "people", people=3, images=4)


def told(folder: Path, people: Path, *words: str) -> list[str]:
    config = tiny_config(folder, people, *words)
    return list(cautions(config, open_sources(config)))


def test_sizes_that_are_resized_are_counted(tmp_path: Path, people: Path) -> None:
    other = "verify.sets=[]"
    assert told(tmp_path, people, other) == told(tmp_path, people, other, "data.resize=true") == []
    for number, (height, width) in enumerate([(60, 80), (60, 80), (50, 40)]):
        cv2.imwrite(str(people / "person0" / f"wide{number}.png"), np.zeros((height, width, 3), np.uint8))
    (line,) = told(tmp_path, people, other, "data.resize=true")
    assert f"3 of 15 images looked at are not {SIZE} x {SIZE}" in line
    assert f"(12 of {SIZE} x {SIZE}, 2 of 80 x 60, 1 of 40 x 50)" in line
    assert "are they aligned?" in line
    (people / "person1" / "bad.png").write_bytes(b"no image")
    assert len(told(tmp_path, people, other, "data.resize=true", "data.on_bad_record=skip")) == 1
    large = make_people(tmp_path / "large", people=2, images=2, size=48)
    (line,) = told(tmp_path, large, other, "data.resize=true")
    assert line == f"note: {large}: images of 48 x 48 are resized to {SIZE} x {SIZE}"


def test_a_set_that_is_trained_and_tested_on(tmp_path: Path, people: Path, capfd: pytest.CaptureFixture[str]) -> None:
    others = make_people(tmp_path / "others", people=2)
    (line,) = told(tmp_path, people, f"verify.sets=[{others}]", f"test.sets=[{people}/../people]")
    assert "is training data and a test set" in line
    (people / "nobody").mkdir()
    assert train(tiny_config(tmp_path, people, "steps=1")) == 0
    said = capfd.readouterr().err
    assert f"warning: {people} is training data and a verification set" in said
    assert "1 folder holds no photograph that can be read and is no identity: nobody/" in said
