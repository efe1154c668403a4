"""Pairs with masks on one side or both."""

import numpy as np
import pytest

from fairface.data.encoded import EncodedDataset
from fairface.data.images import decode, encode_jpeg, encode_png
from fairface.errors import ConfigError, DataError
from fairface.faces.align import template
from fairface.faces.landmarks import Landmarks
from fairface.faces.masks import MaskChoice, draw_mask
from fairface.faces.masks.folder import seed_of
from fairface.faces.masks.pairs import PairMasks, mask_pairs
from fairface.faces.masks.points import PointSource
from unittests.faces.masks.heads import face, turned

IMAGES = [encode_jpeg(face(seed=seed)) for seed in range(3)]
NAMES = ("x.jpg", "y.jpg", "z.jpg")
A, B = np.array([0, 0, 1]), np.array([1, 2, 2])


def masked(images=IMAGES, points=None, **options):
    how = PairMasks(options.pop("side", "b"), MaskChoice(("n95", "cloth")), points or PointSource(), **options)
    return mask_pairs(EncodedDataset(images, "set"), NAMES, A, B, how, threads=2)


@pytest.mark.parametrize(("side", "on"), [("a", (True, False)), ("b", (False, True)), ("both", (True, True))])
def test_the_side_that_is_asked_for(side, on):
    images, rows = masked(side=side, seed=4)
    for place, (data, row) in enumerate(zip(images, rows, strict=True)):
        position = (A, B)[place % 2][place // 2]
        assert row.image == f"pair {place // 2}, {'ab'[place % 2]}: {NAMES[position]}"
        if not on[place % 2]:
            assert data == IMAGES[position]
            assert row.outcome == "unmasked"
            continue
        original = decode(IMAGES[position], "x")
        expected = draw_mask(original, template(112), MaskChoice(("n95", "cloth")), seed_of(4, row.image))
        assert (decode(data, "x") == expected.image).all()
        assert row.parameters == expected.parameters
    assert masked(side=side, seed=4)[0] == images
    assert masked(side=side, seed=5)[0] != images
    assert (images[3] != images[5]) == on[1]  # z.jpg in two pairs wears two masks


def test_what_is_refused_stays_and_is_told():
    yaws = {"y.jpg": 0, "z.jpg": 65}
    table = {name: Landmarks(name, 1, 0.9, turned(yaw).astype(np.float32)) for name, yaw in yaws.items()}
    images, rows = masked(points=PointSource(table), side="both")
    assert [(row.outcome, row.reason) for row in rows] == [
        ("refused", "points"), ("masked", ""), ("refused", "points"), ("refused", "profile"),
        ("masked", ""), ("refused", "profile"),
    ]  # fmt: skip
    assert images[0] == images[2] == IMAGES[0]
    assert images[3] == images[5] == IMAGES[2]


def test_other_sizes():
    large = [encode_png(face(224, seed=seed)) for seed in range(3)]
    with pytest.raises(DataError, match="the image is 224x224 pixels, not 112x112"):
        masked(large)
    images, _ = masked(large, may_resize=True)
    assert {decode(data, "x").shape for data in images} == {(112, 112, 3)}
    images, rows = masked(large, size=224)
    assert np.array(rows[1].points) == pytest.approx(template(224))
    assert images[0] == large[0]
    with pytest.raises(ConfigError, match="side 'c' of a pair is unknown; choose a, b, both"):
        masked(side="c")
