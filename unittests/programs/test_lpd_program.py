"""The documented command on the documented tree: training, its log lines, embeddings of both streams."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fairface.cli import run
from fairface.embedding.store import load_embeddings
from fairface.programs import embed, lpd
from unittests.training.helpers import make_people

TINY = ("--arch", "lpd_tiny", "--feat_len", "64", "--image_size", "32", "--ids_per_batch", "2", "--images_per_id", "2",
        "--max_epoch", "3", "--warmup_epochs", "1", "--lr_epochs", "1", "--log_every", "2", "--device_id", "cpu",
        "backbone.width=0.25", "data.threads=1", "log.tensorboard=false")  # fmt: skip


def call(program, arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as left:
        run(program.main, arguments)
    return int(left.value.code or 0)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_people(tmp_path / "dataset" / "train dataset", images=3, size=40)  # other images are resized
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_train_and_embed(tree: Path) -> None:
    assert call(lpd, [*TINY, "--nose_height", "0.6", "--quiet"]) == 0
    run_folder = tree / "models" / "lpd"
    lines = [json.loads(line) for line in (run_folder / "log.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["event"] == "train"]
    assert [line["step"] for line in steps] == [2, 4, 6]
    assert [line["lr"] for line in steps] == pytest.approx([0.01, 0.01, 0.001])
    assert all({"loss", "partial", "height", "sy", "images_per_second"} <= set(line) for line in steps)
    assert len(list((run_folder / "crops").iterdir())) == 3
    output = tree / "out.npz"
    words = [str(run_folder), "--data", "dataset/train dataset", "--output", str(output), "--resize", "--quiet"]
    assert call(embed, [*words, "--devices", "cpu0"]) == 0
    assert load_embeddings(output).embeddings.shape == (12, 64)


def test_names_without_a_height(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(lpd, list(TINY)) == 2
    said = capsys.readouterr().err
    assert "person0/0.png: its name does not end in the nose's height" in said
    assert "--nose_height" in said or "lpd.nose_height=constant" in said
    assert not (tree / "models").exists()
