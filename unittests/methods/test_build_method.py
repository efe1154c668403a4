"""What a configuration makes of the method: data in memory or on disk, and values where nothing is configured."""

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import DataError
from fairface.heads import build_head
from fairface.methods.build import build_method
from fairface.methods.classify import Classify
from fairface.mx import mx, nd
from unittests.methods.helpers import CLASSES, EMBEDDING, Flat, batch, source, start, step
from unittests.training.helpers import make_people, tiny_config


@pytest.mark.parametrize("in_memory", [False, True])
def test_data_in_memory_need_their_files_no_longer(tmp_path, in_memory):
    people = make_people(tmp_path / "people", people=2, images=2)
    config = tiny_config(tmp_path, people, f"data.in_memory={str(in_memory).lower()}")
    dataset = build_method(config, on_gpu=False).sources()[0].dataset
    expected = dataset[3].image.copy()
    for file in people.rglob("*.png"):
        file.unlink()
    if in_memory:
        np.testing.assert_array_equal(dataset[3].image, expected)
    else:
        with pytest.raises(DataError):
            dataset[3]


def classify(**options):
    head = build_head(HeadConfig(name="norm_softmax", s=8.0), EMBEDDING, CLASSES)
    made = Classify(Flat(), head, [source()], **options)
    start(made, [mx.cpu()])
    return made


def test_without_settings_the_class_loss_is_plain_cross_entropy():
    made = classify()
    rows = batch(made.sources()[0], 0)
    numbers, _ = step(made, rows, [mx.cpu()])
    images = nd.array(rows.images.transpose(0, 3, 1, 2).astype(np.float32))
    embedding, weight = (a.asnumpy().astype(float) for a in (made.backbone(images), made.head.weight.data()))
    cosine = (embedding / np.linalg.norm(embedding, axis=1, keepdims=True)) @ (
        weight / np.linalg.norm(weight, axis=1, keepdims=True)
    ).T
    losses = [np.log(np.exp(8 * row).sum()) - 8 * row[label] for row, label in zip(cosine, rows.labels, strict=True)]
    assert numbers["loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    smoothed, _ = step(classify(label_smoothing=0.1), rows, [mx.cpu()])
    spread = [np.log(np.exp(8 * row).sum()) - 8 * row.mean() for row in cosine]
    assert smoothed["loss"] == pytest.approx(0.9 * np.mean(losses) + 0.1 * np.mean(spread), rel=1e-5)


def test_a_row_between_two_equal_classes_is_not_recognised():
    """Own class and another score the same: nobody is the highest alone."""
    made = classify()
    weight = made.head.weight.data().asnumpy()
    made.head.weight.set_data(nd.array(np.stack([weight[0]] * CLASSES)))
    numbers, _ = step(made, batch(made.sources()[0], 0), [mx.cpu()])
    assert numbers["accuracy"] == 0
