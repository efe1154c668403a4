"""What a run starts a head with, says of its data, and leaves beside them."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from fairface.config.schema import TrainConfig
from fairface.data.array import ArrayDataset
from fairface.data.encoded import EncodedDataset
from fairface.data.images import decode
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.errors import CheckpointError
from fairface.heads import build_head
from fairface.mx import mx, nd
from fairface.report.sheet import contact_sheet
from fairface.training.log import RunLog
from fairface.training.run import describe_data, report_skipped, write_class_names, write_sheet
from fairface.training.start import head_from_mean_embeddings
from unittests.methods.helpers import Flat


def source(count=10, batch=4, labels=None, codes=None, files=None):
    images = np.zeros((count, 6, 6, 3), np.uint8)
    labels = np.arange(count) % 5 if labels is None else labels
    data = ArrayDataset(images, labels, codes, ("sex",) if codes is not None else ())
    if files is not None:
        data = EncodedDataset(files, "files")
    return Source(data, batch, RandomSampler(len(data), batch, 0), name="photos")


def test_a_head_of_mean_embeddings_by_hand():
    """The direction of the mean of unit vectors, at the length that the weight has; class 2 has no image."""
    head = build_head(TrainConfig().head, 2, 4)
    head.initialize()
    before = np.array([[3.0, 4.0], [0.0, 2.0], [1.0, 1.0], [6.0, 8.0]])
    head.weight.set_data(nd.array(before))
    embeddings = np.array([[10.0, 0.0], [0.0, 0.05], [0.0, 0.0], [-3.0, 4.0], [5.0, 5.0], [2.0, 0.0]])
    data = ArrayDataset(np.zeros((6, 4, 4, 3), np.uint8), [0, 0, 0, 1, -1, 3], num_classes=4)
    assert head_from_mean_embeddings(head, embeddings.astype(np.float32), data) == 3
    half = math.sqrt(0.5)
    expected = [[5 * half, 5 * half], [-2 * 0.6, 2 * 0.8], [1.0, 1.0], [10.0, 0.0]]
    np.testing.assert_allclose(head.weight.data().asnumpy(), expected, rtol=1e-6, atol=1e-6)
    for other in (Flat(), build_head(TrainConfig().head, 3, 4), build_head(TrainConfig().head, 2, 3)):
        other.initialize()
        with pytest.raises(CheckpointError, match=r"this head has no weight per class; use head\.init_from=random"):
            head_from_mean_embeddings(other, embeddings.astype(np.float32), data)


def run_of(tmp_path, *sources, skipped=None):
    method = SimpleNamespace(sources=lambda: sources)
    return SimpleNamespace(
        method=method, world=SimpleNamespace(contexts=(mx.cpu(0), mx.cpu(1))), folder=tmp_path / "run", total=9,
        loader=SimpleNamespace(skipped=skipped or {}), config=TrainConfig(),
    )  # fmt: skip


def test_what_is_said_of_the_data(tmp_path, capsys):
    log = RunLog(tmp_path)
    one = source(5, labels=[0, 0, 1, 2, 2])
    one.dataset.notes = ("a note",)
    describe_data(run_of(tmp_path, one), log)
    assert capsys.readouterr().err.splitlines() == [
        "a note",
        "data: 5 images of 3 identities, batch 4",
        "warning: 1 identity has one image only; a classifier learns little from it",
        f"run: {tmp_path / 'run'}, 9 steps on cpu(0), cpu(1)",
    ]
    describe_data(run_of(tmp_path, source(4, labels=[0] * 4), source(6, labels=[-1] * 6)), log)
    assert capsys.readouterr().err.splitlines()[:3] == [
        "source photos: 4 images of 1 identity, batch 4",
        "warning: only one identity: nothing to classify",
        "source photos: 6 images without labels, batch 4",
    ]
    report_skipped(run_of(tmp_path), log)
    assert capsys.readouterr().err == ""
    report_skipped(run_of(tmp_path, skipped={"a.jpg": "is bad", "b.jpg": "is worse"}), log)
    assert capsys.readouterr().err == "warning: 2 bad records were skipped; log.jsonl lists them\n"
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [(line["event"], line["step"], line["record"], line["reason"]) for line in lines] == [
        ("skipped", 9, "a.jpg", "is bad"), ("skipped", 9, "b.jpg", "is worse")]  # fmt: skip


def test_names_of_the_classes_are_kept_beside_the_run(tmp_path):
    write_class_names(tmp_path, 0, ())
    assert list(tmp_path.iterdir()) == []
    write_class_names(tmp_path, 0, ("Bø", "a"))
    write_class_names(tmp_path, 2, ("c",))
    assert (tmp_path / "classes.json").read_text(encoding="utf-8") == '[\n"Bø",\n"a"\n]'
    assert json.loads((tmp_path / "classes-2.json").read_text()) == ["c"]


@pytest.mark.parametrize("count", [3, 64, 65])
def test_the_sheet_shows_the_first_sixty_four_images_in_rows_of_eight(tmp_path, count):
    images = np.random.default_rng(0).integers(0, 256, (count, 10, 10, 3), dtype=np.uint8)
    write_sheet(SimpleNamespace(images=images), tmp_path)
    sheet = decode((tmp_path / "batch.png").read_bytes(), "sheet")
    assert (sheet == contact_sheet(images[:64], columns=8)).all()
