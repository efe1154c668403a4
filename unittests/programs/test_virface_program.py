"""The four commands of VirFace's document one after the other, on lists; errors in the words of its flags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fairface.checkpoints import resolve
from fairface.cli import run
from fairface.programs.virface import main
from unittests.training.helpers import make_people

TINY = ("data.image_size=32", "backbone.name=fresnet_tiny", "backbone.width=0.25", "virface.latent=3",
        "virface.hidden=6", "data.threads=1", "log.sheet=false", "log.every=1", "verify.folds=2")  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published layout: images below a folder, a list of each kind; labels with gaps, as in the shipped lists."""
    root = tmp_path_factory.mktemp("virface")
    make_people(root / "images", people=9, images=4)
    labeled = [f"person{p}/{n}.png {100 * p + 23}" for p in range(4) for n in range(4)]
    (root / "labeled.txt").write_text("\n".join(labeled) + "\n")
    (root / "unlabeled.txt").write_text("".join(f"person{p}/0.png 0\n" for p in range(4, 9)))
    pairs = [f"person{p}/1.png person{q}/2.png {int(p == q)}" for p in (7, 8) for q in (7, 8)]
    (root / "lfw").mkdir()
    (root / "lfw" / "pairs.txt").write_text("\n".join(pairs) + "\n")
    for person in ("person7", "person8"):
        (root / "lfw" / person).symlink_to(root / "images" / person)
    return root


def words(data: Path, method: str, *more: str) -> list[str]:
    known = ["--trainProto_label", str(data / "labeled.txt"), "--trainRoot_label", str(data / "images")]
    unknown = ["--trainProto_unlabel", str(data / "unlabeled.txt"), "--trainRoot_unlabel", str(data / "images")]
    sizes = ["--label_batch_size", "4", "--feat_len", "8", "--max_epoch", "2", "--gen_num", "2", "--num_ids", "4"]
    if method.startswith("vir"):
        sizes += ["--unlabel_batch_size", "3", *unknown]
    folders = ["--snapshot_prefix", str(data / "snapshot"), "--lfw_path", str(data / "lfw")]
    return ["--method", method, *known, *sizes, *folders, "--gpus", "cpu", "--arch", "resnet18", *TINY, *more]


def call(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as left:
        run(main, arguments)
    return int(left.value.code or 0)


def test_the_documents_commands_one_after_the_other(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    snapshot = data / "snapshot"
    assert call(words(data, "pretrain", "--quiet")) == 0
    for method, flag, start in (
        ("generator", "--pretrain_file", "pretrain"),
        ("virclass", "--pretrained_file", "pretrain"),
        ("virface", "--pretrained_file", "generator"),
    ):
        assert call(words(data, method, "--quiet", flag, str(snapshot / f"resnet18_{start}"))) == 0
        folder = snapshot / f"resnet18_{method}"
        assert resolve(f"{folder}@last").step == 8  # two epochs of 16 labeled images by 4
        lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        verified = [line for line in lines if line["event"] == "verify/pairs"]
        assert [line["step"] for line in verified] == [4, 8]
        assert {"accuracy", "auc"} <= set(verified[0])
        assert json.loads((folder / "classes.json").read_text()) == ["23", "123", "223", "323"]
    assert capsys.readouterr().err == ""
    start = ["--pretrained_file", str(snapshot / "resnet18_pretrain")]
    again = ["--resume", "True", "--resume_file", str(snapshot / "resnet18_virclass")]
    assert call(words(data, "virclass", "--quiet", *start, *again)) == 0


@pytest.mark.parametrize(
    ("method", "more", "said"),
    [
        ("generator", (), "--method generator starts from a trained model: give --pretrained_file; --method pretrain"),
        ("virface", (), "give --pretrained_file; --method generator makes it"),
        ("virface", ("--pretrained_file", "{0}/resnet18_pretrain"), "holds no generator, which --method virface needs; "
         "make one with --method generator --pretrained_file"),
        ("virclass", ("--pretrained_file", "{0}/none"), "none: is not a run"),
        ("virclass", ("--pretrained_file", "{0}/resnet18_pretrain", "--num_ids", "5"),
         "has 4 identities but --num_ids is 5"),
        ("virclass", ("--pretrained_file", "{0}/resnet18_pretrain", "--feat_len", "9"), "have 8 values, "),
        ("virclass", ("--pretrained_file", "{0}/resnet18_pretrain", "--unlabel_batch_size", "9"), "there are 5 images"),
        ("virclass", ("--pretrained_file", "{0}/resnet18_pretrain", "--trainRoot_unlabel", "/nowhere"),
         "5 of 5 files are missing"),
        ("virclass", ("--pretrained_file", "{0}/resnet18_pretrain", "--center_crop"), "is 32x32 pixels; a square of 1"),
        ("pretrain", ("--resume", "--resume_file", "{0}/none"), "there is no checkpoint to resume"),
        ("pretrain", ("--eval", "maybe"), "maybe"),
        ("pretrain", ("--lr", "-1"), "--lr is -1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_in_the_flags_words(
    data: Path, capsys: pytest.CaptureFixture[str], method: str, more: tuple[str, ...], said: str
) -> None:
    if not (data / "snapshot" / "resnet18_pretrain").exists():
        assert call(words(data, "pretrain", "--quiet")) == 0
    capsys.readouterr()
    place = str(data / "snapshot")
    arguments = words(data, method, "--quiet", "name=other", *(word.format(place) for word in more))
    assert call(arguments) == 2
    told = capsys.readouterr().err
    assert said in told, told
    assert told.startswith("error: ")
    assert told.count("\n") == 1


def test_a_dry_run_shows_the_configuration_and_what_it_needs(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(words(data, "pretrain", "--dry-run")) == 0
    text = capsys.readouterr().out
    assert "method: virface" in text
    assert "stage: pretrain" in text
    if not (data / "snapshot" / "resnet18_pretrain").exists():
        assert call(words(data, "pretrain", "--quiet")) == 0
    start = ["--pretrained_file", str(data / "snapshot" / "resnet18_pretrain")]
    assert call(words(data, "virclass", *start, "--dry-run", "--json")) == 0
    estimate = json.loads(capsys.readouterr().out)
    assert (estimate["images"], estimate["identities"], estimate["steps"]) == (21, [4, 0], 8)
