"""From a configuration to sources: the short form, several, their streams, labels and records."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fairface.config.load import from_tree
from fairface.config.schema import TrainConfig
from fairface.data.loading.cached import CachedDataset
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.open_sources import open_sources
from fairface.data.loading.pk_sampler import PKSampler
from fairface.data.loading.samplers import RandomSampler
from fairface.errors import ConfigError

SIZE = 16


@pytest.fixture
def folders(tmp_path):
    """Two folders of three identities with four images each, all of one size."""
    for number, name in enumerate(("identities", "crowd")):
        for identity in range(3):
            (tmp_path / name / f"p{identity}").mkdir(parents=True)
            for photo in range(4):
                image = np.full((SIZE, SIZE, 3), 60 * number + 20 * identity + photo, np.uint8)
                cv2.imwrite(str(tmp_path / name / f"p{identity}" / f"{photo}.png"), image)
    return tmp_path


def configured(folders, sources=(), **values):
    tree = {"data": {"path": str(folders / "identities"), "image_size": SIZE}, "augment": {"mirror": 0}, "seed": 4}
    return from_tree({**tree, "sources": list(sources), **values}, "test")


def test_the_short_form_is_the_first_stream(folders):
    (source,) = open_sources(configured(folders, batch_size=5))
    assert (source.name, source.batch_size, len(source.dataset), source.dataset.num_classes) == ("data", 5, 12, 3)
    assert (source.sampler.batch(3) == RandomSampler(12, 5, seed=4).batch(3)).all()


def test_several_sources(folders):
    crowd = {"path": str(folders / "crowd"), "in_memory": True, "on_bad_record": "skip", "resize": True}
    config = configured(folders, [
        {"name": "labeled", "batch_size": 4, "sampler": {"kind": "pk", "images_per_class": 2}},
        {"name": "unlabeled", "batch_size": 3, "unlabeled": True, "data": crowd},
        {"name": "again", "batch_size": 12, "augment": {"mirror": 1}},
        {"name": "twice", "batch_size": 12, "augment": {"mirror": 1}},
    ])  # fmt: skip
    sources = open_sources(config)
    labeled, unlabeled, again, twice = sources
    assert [source.name for source in sources] == ["labeled", "unlabeled", "again", "twice"]
    assert isinstance(labeled.sampler, PKSampler)
    assert isinstance(unlabeled.dataset, CachedDataset)
    assert (unlabeled.dataset.labels == -1).all()
    assert (unlabeled.dataset.num_classes, unlabeled.dataset.class_names) == (0, ())
    assert [(s.resize, s.on_bad_record) for s in sources] == [(False, "stop"), (True, "skip")] + [(False, "stop")] * 2
    assert sorted(again.sampler.batch(0)) == sorted(twice.sampler.batch(0)) == list(range(12))
    assert (again.sampler.batch(0) != twice.sampler.batch(0)).any()
    batch = BatchLoader(sources, SIZE, seed=4).batch(0)
    for source, rows in zip(sources, (slice(0, 4), slice(4, 7), slice(7, 19), slice(19, 31)), strict=True):
        for row in range(*rows.indices(31)):
            identity, photo = divmod(int(batch.indices[row]), 4)
            assert (batch.images[row] == 60 * (source is unlabeled) + 20 * identity + photo).all()
            assert batch.labels[row] == (-1 if source is unlabeled else identity)


def test_where_and_unlabeled_records_are_a_sources_own(folders):
    lines = [f"p{identity}/{photo}.png {identity}\n" for identity in range(3) for photo in range(4)]
    (folders / "identities" / "list.txt").write_text("".join(lines))
    (folders / "few.txt").write_text("0\n4\n8\n")
    listed = {"path": str(folders / "identities" / "list.txt"), "zero_is_unlabeled": True}
    sources = open_sources(configured(folders, [
        {"name": "labeled", "batch_size": 4, "data": listed},
        {"name": "few", "batch_size": 2, "data": {"only": str(folders / "few.txt")}},
    ]))  # fmt: skip
    assert [len(source.dataset) for source in sources] == [8, 3]
    assert sources[0].dataset.labels.tolist() == [0] * 4 + [1] * 4
    assert any("4 unlabeled images are not used" in note for note in sources[0].dataset.notes)


def test_what_is_missing_is_named(folders):
    with pytest.raises(ConfigError, match=r"^data\.path is not set"):
        open_sources(TrainConfig())
    config = configured(folders, [{"name": "a", "batch_size": 2}])
    hollow = replace(config.sources[0], data=replace(config.data, path=""))
    with pytest.raises(ConfigError, match=r"^sources\.a\.data\.path is not set"):
        open_sources(replace(config, sources=(hollow,)))
    (folders / "one" / "p").mkdir(parents=True)
    cv2.imwrite(str(folders / "one" / "p" / "1.png"), np.zeros((SIZE, SIZE, 3), np.uint8))
    alone = {"name": "a", "batch_size": 1, "data": {"path": str(folders / "one")}}
    with pytest.raises(ConfigError, match="1 identity; training needs at least two"):
        open_sources(configured(folders, [alone]))
    assert len(open_sources(configured(folders, [{**alone, "unlabeled": True}]))[0].dataset) == 1


def test_the_number_of_identities_may_be_told_and_is_compared(folders):
    path = str(folders / "identities")
    data = {"path": path, "image_size": SIZE, "identities": 3}
    assert open_sources(configured(folders, data=data))[0].dataset.num_classes == 3
    with pytest.raises(ConfigError, match=r"identities: has 3 identities but data\.identities is 30000; correct"):
        open_sources(configured(folders, data={**data, "identities": 30000}))
    (folders / "kept.txt").write_text("p0/0.png\np2/1.png\n")
    some = {**data, "only": str(folders / "kept.txt")}
    for number in (3, 2):  # of all identities, and of those that the list leaves
        assert len(open_sources(configured(folders, data={**some, "identities": number}))[0].dataset) == 2
    with pytest.raises(ConfigError, match=r"has 3 identities, 2 of them with images, but data\.identities is 1;"):
        open_sources(configured(folders, data={**some, "identities": 1}))
    source = {"name": "faces", "batch_size": 2, "data": {"identities": 4}}
    with pytest.raises(ConfigError, match=r"but sources\.faces\.data\.identities is 4"):
        open_sources(configured(folders, [source]))
