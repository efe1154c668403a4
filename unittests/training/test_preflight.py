"""Whether a run may begin, and what it replaces."""

from types import SimpleNamespace

import pytest

from fairface.config.schema import TrainConfig
from fairface.errors import CheckpointError
from fairface.methods.base import Stage
from fairface.training.preflight import check_claim, check_needs, claim_folder, remove_run

FILES = (
    "log.jsonl", "train.log", "metrics.json", "group.json", "batch.png", "classes.json", "classes-1.json",
    "config.yaml", "manifest.json", "model-symbol.json", "model-0001.params", "blocks-0001.params", "state-0001.params",
    ".x.part",
)  # fmt: skip


def test_overwriting_removes_a_runs_files_and_no_others(tmp_path):
    for name in (*FILES, "mine.txt", "model.txt", "classes.txt"):
        (tmp_path / name).touch()
    for name in ("tensorboard", ".part-7", "photos"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").touch()
    remove_run(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["classes.txt", "mine.txt", "model.txt", "photos"]


@pytest.mark.parametrize(
    ("there", "resume", "overwrite", "said"),
    [
        ((), False, False, ""),
        ((), False, True, ""),
        ((), True, False, "there is no checkpoint to resume; leave out --resume to start the run"),
        (("config.yaml",), True, False, "there is no checkpoint to resume; --overwrite starts the run again"),
        (
            ("config.yaml",),
            False,
            False,
            "holds a run; it saved nothing, --overwrite replaces it, name=… makes another",
        ),
        (("config.yaml",), False, True, ""),
        (("manifest.json",), False, False, "holds a run; --resume continues it, --overwrite replaces it, name=… makes"),
        (("manifest.json",), True, False, ""),
        (("manifest.json",), True, True, ""),
        (("manifest.json",), False, True, ""),
        (
            ("model-0001.params",),
            False,
            True,
            "holds model-0001.params, which no run wrote; move it away, or give this",
        ),
        (("model-0001.params",), False, False, "holds model-0001.params, which no run wrote"),
        (("manifest.json", "model-0001.params"), False, True, ""),
        (("notes.txt",), False, False, ""),
    ],
)
def test_whether_a_folder_may_be_written(tmp_path, there, resume, overwrite, said):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in there:
        (folder / name).touch()
    if said:
        for check in (check_claim, claim_folder):
            with pytest.raises(CheckpointError) as caught:
                check(folder, resume, overwrite)
            assert str(caught.value).startswith(f"{folder}: {said}")
        return
    check_claim(folder, resume, overwrite)
    assert {path.name for path in folder.iterdir()} == set(there)
    claim_folder(folder, resume, overwrite)
    removed = overwrite and not resume and there != ("notes.txt",)
    assert {path.name for path in folder.iterdir()} == (set() if removed else set(there))
    link = tmp_path / "link"
    link.symlink_to(folder)
    if there and overwrite and not resume:
        (folder / "manifest.json").touch()
        with pytest.raises(CheckpointError, match="link: is a link, which --overwrite does not follow; remove it"):
            check_claim(link, resume, overwrite)
        check_claim(link, True, overwrite)


def test_a_stage_needs_blocks_of_the_stage_before(tmp_path):
    blocks = {"backbone": object(), "head": object()}
    method = SimpleNamespace(
        stages={"first": Stage(("head",)), "second": Stage(("backbone",), ("head",)), "third": Stage((), ("other",))},
        blocks=lambda: blocks, inference=lambda: blocks["backbone"],
    )  # fmt: skip
    check_needs(method, TrainConfig(stage="first"))
    for stage, said in (
        (
            "second",
            "stage second needs the block head, which start_from does not name; train it first: stage=first name=…",
        ),
        ("third", "stage third needs the block other, which start_from does not name; start from another one"),
    ):
        with pytest.raises(CheckpointError) as caught:
            check_needs(method, TrainConfig(stage=stage))
        assert str(caught.value).startswith(said)
