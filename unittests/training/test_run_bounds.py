"""When a run verifies, logs and saves, to the step; what it refuses before it begins."""

import json
from pathlib import Path

import pytest

from fairface.checkpoints import resolve
from fairface.errors import CheckpointError, ConfigError, FairfaceError
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


def steps_of(run: Path, event: str) -> list[int]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line["step"] for line in lines if line["event"].split("/")[0] == event]


@pytest.mark.parametrize(
    ("every", "verified", "logged", "saved"),
    [
        (("verify.every=2", "log.every=3", "save_every=3"), [2, 4, 6, 7], [3, 6, 7], [2, 3, 4, 6, 7]),
        (("verify.every=0", "log.every=100", "save_every=5"), [7], [7], [5, 7]),
    ],
)
def test_what_is_due_every_so_many_steps_and_at_the_end(
    tmp_path: Path, people: Path, every: tuple[str, ...], verified: list[int], logged: list[int], saved: list[int]
) -> None:
    assert train(tiny_config(tmp_path, people, "steps=7", "keep=10", *every), quiet=True) == 0
    run = tmp_path / "models" / "tiny"
    assert steps_of(run, "verify") == verified
    assert steps_of(run, "train") == logged
    manifest = json.loads((run / "manifest.json").read_text())
    assert [entry["step"] for entry in manifest["checkpoints"]] == saved
    assert manifest["format"] == 1


def test_resuming_without_a_whole_configuration_names_the_file(tmp_path: Path, people: Path) -> None:
    config = tiny_config(tmp_path, people, "steps=1", "verify.sets=", "verify.every=0")
    assert train(config, quiet=True) == 0
    file = tmp_path / "models" / "tiny" / "config.yaml"
    for content in (None, b"a: [", b"\xff\xfe", b"- 1\n"):
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(CheckpointError) as caught:
            train(config, resume=True, quiet=True)
        assert str(caught.value).startswith(f"{file}: ")
        assert "the run cannot be resumed" in str(caught.value)
        file.touch()
    assert resolve(f"{tmp_path / 'models' / 'tiny'}@last").step == 1


def test_a_monitor_without_usable_groups_is_refused_before_the_folder_is_made(tmp_path: Path, people: Path) -> None:
    config = tiny_config(
        tmp_path, people, "verify.monitor=fmr_worst", "verify.protected=sex", "verify.fmr=0.1", "steps=1"
    )
    with pytest.raises(FairfaceError, match="sex"):
        train(config, quiet=True)
    assert not (tmp_path / "models" / "tiny").exists()


@pytest.mark.parametrize("where", ["glasses", "=1", "glasses=", "glasses=1,hat"])
def test_a_choice_of_records_without_name_and_value(tmp_path: Path, people: Path, where: str) -> None:
    with pytest.raises(ConfigError, match=r"data\.where: '.*' is not name=value"):
        train(tiny_config(tmp_path, people, f"data.where={where}"), quiet=True)
    assert not (tmp_path / "models").exists()
