"""docs/data.md: every command of every recipe, on small files of the kinds that the recipe begins with."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface import hardware
from fairface.config.load import load_config
from fairface.data.images import encode_jpeg
from fairface.data.opening import open_dataset
from fairface.data.packing.index_conversion import convert_index
from fairface.data.packing.names import plan_names
from fairface.data.packing.plan import plan_folder
from fairface.data.packing.recordio import PackOptions, pack_plan
from fairface.data.packing.tfrecord import pack_tfrecords
from fairface.data.selection import open_selected
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.faces.landmarks import Landmarks
from fairface.faces.point_list import write_point_list
from unittests.data.conftest import program  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
RECIPES = {
    title: [line.strip() for block in re.findall(r"```bash\n(.*?)```", body, re.DOTALL) for line in block.splitlines()]
    for title, body in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
}
# They need photographs of faces or a trained model; what they would write is made beforehand.
NOT_RUN = ("data_process/align.py", "data_process/make_pts_list.py", "test/embed.py")


def people(folder: Path, names=("Ann Lee", "bo", "cy"), images: int = 3) -> Path:
    """Smooth coloured squares as JPEG, one folder a person."""
    rng = np.random.default_rng(len(folder.name))
    for name in names:
        (folder / name).mkdir(parents=True)
        for i in range(images):
            small = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
            image = cv2.resize(small, (112, 112), interpolation=cv2.INTER_CUBIC)
            (folder / name / f"photo {i}.jpg").write_bytes(encode_jpeg(np.asarray(image)))
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with what the recipes begin with."""
    monkeypatch.chdir(tmp_path)
    aligned = people(tmp_path / "aligned")
    for name in ("references", "variants", "test_people"):
        people(tmp_path / name, ("0", "1"))
    names = sorted(path.relative_to(tmp_path).as_posix() for path in aligned.rglob("*.jpg"))
    labels = {name: 10 * ord(Path(name).parent.name[0]) for name in names}
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "train.txt").write_text(
        "".join(f"{name.removeprefix('aligned/')} {label}\n" for name, label in labels.items())
    )
    (tmp_path / "lists" / "im2rec.lst").write_text(
        "".join(f"{i}\t{label:f}\t{name.removeprefix('aligned/')}\n" for i, (name, label) in enumerate(labels.items()))
    )
    pack_plan(plan_folder(aligned), tmp_path / "faces_emore", PackOptions())
    (tmp_path / "images.txt").write_text("".join(f"{name}\n" for name in names))
    (tmp_path / "labels.txt").write_text("".join(f"{name}\t{label}\n" for name, label in labels.items()))
    points = np.array([[38, 52], [74, 52], [56, 72], [42, 92], [71, 92]], np.float32)
    write_point_list(tmp_path / "points.txt", [Landmarks(name, 1, 0.9, points) for name in names])
    plan = plan_names("images.txt")
    pack_tfrecords(plan.names, plan.photos, "tfrecords/TFR-MS1M", PackOptions())
    (tmp_path / "index").mkdir()
    convert_index("labels.txt", "tfrecords/TFR-MS1M/TFR-MS1M.index", "index/train.txt")
    pairs = [f"{names[0]},{names[1]},1", f"{names[0]},{names[4]},0"]
    lines = "\n".join(["image_a,image_b,same", *(pair.replace("aligned/", "") for pair in pairs)])
    (tmp_path / "pairs.csv").write_text(lines + "\n")
    (tmp_path / "map.csv").write_text("source,label,identity\n1,Ann Lee,A\n2,0,A\n2,1,\n")
    rng = np.random.default_rng(0)
    for name, count in (("train", 6), ("test", 4)):
        rows = rng.standard_normal((2 * count, 16)).astype(np.float32)
        labels_of = np.repeat(np.arange(count, dtype=np.int32), 2)
        stored = Embeddings(rows, tuple(f"{i}.jpg" for i in range(2 * count)), {"model": "my_model"}, labels_of)
        save_embeddings(tmp_path / f"{name}.npz", stored)
    return tmp_path


def test_there_is_a_recipe_for_every_starting_point():
    assert [title for title, commands in RECIPES.items() if any("train.sh" in line for line in commands)] == [
        "A folder of photographs", "A list of photographs", "train.rec from insightface",
        "TFRecords from TFace or UFace", ".bin verification sets", "Several sets to one",
    ]  # fmt: skip


@pytest.mark.parametrize("title", [title for title, commands in RECIPES.items() if commands])
def test_recipe(title, place, program, monkeypatch):  # noqa: F811
    monkeypatch.setattr(hardware, "usable_cores", lambda: 1)  # starting processes would take longer than their work
    if title == ".bin verification sets":
        made = program("data_process/make_bin.py", "pairs.csv", "--root", "aligned", "--output", "validation/lfw.bin")
        assert made.code == 0, made.err
    if title == "Several sets to one":
        (place / "all_data").mkdir()
    for command in RECIPES[title]:
        words = shlex.split(command)
        if words[0] == "./train.sh":
            trains_on(words[1:])
        elif words[1] in NOT_RUN:
            assert (ROOT / words[1]).exists()
        else:
            assert words[0] == "python"
            done = program(*words[1:])
            assert done.code == 0, f"{command}: {done}"


def trains_on(arguments: list[str]) -> None:
    """The training data of this command can be read, all of them, and so can the sets that it is scored on."""
    overrides = arguments[1:]
    config = load_config(ROOT / arguments[0], overrides)
    dataset = open_selected(config.data)
    assert dataset.num_classes >= 2
    assert all(sample.image.shape == (112, 112, 3) for sample in (dataset[i] for i in range(len(dataset))))
    for name in config.verify.sets:
        assert len(open_dataset(name)) > 0


@pytest.mark.slow
def test_scripts(place):
    made = place / "CASIA-Webface" / "mxnet"
    made.mkdir(parents=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # as in an activated environment
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path}
    for command in (
        "python $ROOT/data_process/make_bin.py pairs.csv --root aligned --output CASIA-Webface/mxnet/lfw.bin",
        "$ROOT/scripts/prep_data_validation.sh",
        "$ROOT/scripts/prep_data_validation.sh",
        "$ROOT/scripts/prep_data_train_folder.sh aligned",
        "$ROOT/scripts/prep_data_train_folder.sh faces_emore 'all data/emore'",
    ):
        subprocess.run(["bash", "-c", command], check=True, env={**environment, "ROOT": str(ROOT)})
    assert len(open_dataset("all_data/validation/lfw")) == 4
    assert len(open_dataset("all_data/train")) == len(open_dataset("all data/emore")) == 9
    for script in ("prep_data_validation.sh", "prep_data_train_folder.sh"):
        done = subprocess.run([ROOT / "scripts" / script, "none"], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith("error: none: there is no such folder")
