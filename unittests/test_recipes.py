"""What holds for all recipes of the README and of docs/; ``unittests/docs/`` types each page from top to bottom."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from fairface.config.load import load_config
from unittests.docs.blocks import (
    COMMANDS,
    EXAMPLE,
    NO_COMMANDS,
    PAGES,
    ROOT,
    TRAINING,
    Block,
    blocks_of,
    page_blocks,
    run_names,
)

NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]
# The blocks marked as examples, by page and heading, and why no test can run them.
NOT_RUN = {
    ("docs/adaface.md", "The whole way, in some minutes"): "takes minutes; tested with programs that only tell",
    ("docs/adaface.md", "Your own generated data"): "needs generated faces, the .bin sets and a GPU",
    ("docs/adaface.md", "Five verification sets"): "needs the .bin sets and a released model",
    ("docs/dlib.md", "The commands"): "fetches 100 MB; the programs are tested with a small file of dlib's form",
    ("docs/dlib.md", "In Python"): "the same",
    ("docs/dlib.md", "As ONNX, and in 8 bits"): "the same",
    ("README.md", "Train on a data set, on your GPUs"): "needs MS1M (5.8 million images) and four GPUs",
    ("docs/classifier.md", "On four GPUs"): "needs MS1M and four GPUs; split classes are tested on devices of the CPU",
    ("docs/data.md", "train.rec from insightface"): "needs MS1M and GPUs; the reader is tested on a train.rec of ours",
    ("docs/data.md", "TFRecords from TFace or UFace"): "needs somebody's TFRecords and GPUs; those made below are read",
    ("docs/inference.md", "Programs written for AdaFace"): "needs AdaFace's checkpoint; typed with another in its test",
    ("docs/onnx.md", "Files of others"): "needs insightface's model and its .bin; tests read such forms",
    ("docs/virface.md", "The commands"): "trains a whole ResNet-50; its test tries every flag on a small net",
    ("docs/virface.md", "With a configuration"): "the same; scripts/virface_demo.sh runs these configurations",
    ("docs/uda.md", "The data"): "needs somebody's TFRecords and GPUs; the test of the keys reads this configuration",
    ("docs/uda.md", "Which part does it believe?"): "needs a trained UDA model; the program is tested on a small one",
    ("docs/lpd.md", "The commands"): "trains a whole ResNet-50; its tests train small nets with every flag",
    ("docs/lpd.md", "From a trained net"): "needs a trained MobileFaceNet; test_start.py starts LPD from one",
    ("docs/lpd.md", "With a configuration"): "trains for minutes; its tests train small nets with these keys",
    ("docs/workers.md", "On one machine"): "needs MS1M and eight GPUs; workers are tested on CPUs",
    ("docs/workers.md", "On several machines by ssh"): "needs several machines; tested on one, with a script as ssh",
    ("docs/workers.md", "On several machines by hand"): "needs several machines; tested on one, with these variables",
    ("docs/running.md", "Watching it"): "follows a file until it is stopped, and needs TensorBoard",
    ("docs/running.md", "A picture of its curves"): "needs a run and photographs; test_page_programs.py draws one",
    ("docs/running.md", "In a container"): "needs Docker",
    ("docs/experiments/real_model.md", "The commands"): "needs LFW and a published model, which may not be passed on",
}
TYPED = re.compile(r'page_blocks\("([^"]+)"\)')


def test_blocks_are_found_in_their_order():
    text = "# One\n```sh example\n# no heading\n./train.sh \\\n  a=1  # why\n```\n## Two\n```\nx\n```\n```python\n```\n"
    found = blocks_of(text)
    assert found == [
        Block("One", "sh", "example", "# no heading\n./train.sh \\\n  a=1  # why\n"),
        Block("Two", "", "", "x\n"),
        Block("Two", "python", "", ""),
    ]
    assert found[0].commands == ["./train.sh a=1"]
    assert [block.is_run for block in found] == [False, False, True]
    with pytest.raises(AssertionError, match="has no end"):
        blocks_of("# One\n```sh\n")


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("./train.sh", ["./train.sh"]),
        ("./train.sh train/configs/my_photos.yaml data.path=x", ["my_photos"]),
        ("./train.sh train/configs/my_photos.yaml backbone.name=r50 name=mine", ["mine"]),
        ("python train/train.py a/b.yaml && ./fairface_step3_finetune.sh c.yaml", ["b"]),
        ("./train.sh a.yaml --resume", []),
        ("./train.sh a.yaml --dry-run", []),
        ("python test/embed.py --model my_photos --data x", []),
    ],
)
def test_the_name_of_a_run(command, names):
    assert run_names(Block("", "sh", "", command + "\n")) == names


@pytest.mark.parametrize("name", NAMES)
def test_every_block_is_of_a_known_kind(name):
    for block in page_blocks(name):
        assert block.language in COMMANDS + NO_COMMANDS, f"{block.heading}: ```{block.language}"
        assert block.note in ("", EXAMPLE) if block.language in COMMANDS else not block.note, block.heading


def test_what_is_not_run_is_listed_with_its_reason():
    found = [(name, block.heading) for name in NAMES for block in page_blocks(name) if block.note == EXAMPLE]
    assert sorted(found) == sorted(NOT_RUN)


def test_every_page_with_commands_is_typed_by_one_test():
    tests = (path.read_text(encoding="utf-8") for path in sorted((ROOT / "unittests" / "docs").glob("test_*.py")))
    typed = Counter(page for text in tests for page in set(TYPED.findall(text)))
    assert typed == {name: 1 for name in NAMES if any(block.is_run for block in page_blocks(name))}


def test_no_two_commands_make_the_same_run():
    made = Counter(run for name in NAMES for block in page_blocks(name) if block.is_run for run in run_names(block))
    assert {run: count for run, count in made.items() if count > 1} == {}
    assert made["my_photos"] == 1


@pytest.mark.parametrize(
    "place", [place for place in NOT_RUN if place[0] in ("README.md", "docs/classifier.md", "docs/data.md")]
)
def test_examples_name_configurations_and_keys_that_exist(place):
    name, heading = place
    block = next(block for block in page_blocks(name) if block.heading == heading and block.note == EXAMPLE)
    commands = [command.split() for command in block.commands if TRAINING.search(command)]
    assert commands
    for words in commands:
        overrides = [word for word in words[2:] if not word.startswith("--")]
        path = next(word.removeprefix("data.path=") for word in overrides if word.startswith("data.path="))
        assert load_config(ROOT / words[1], overrides).data.path == path
