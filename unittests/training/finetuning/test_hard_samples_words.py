"""Hard samples in words and lists; the head that finds them."""

from dataclasses import replace

import numpy as np
import pytest

from fairface.config.schema import TrainConfig
from fairface.data.array import ArrayDataset
from fairface.errors import CheckpointError, DataError
from fairface.heads import build_head
from fairface.mx import mx, nd
from fairface.parameters import save_arrays
from fairface.training.finetuning.hard_samples import HardSamples, collect, write_list
from fairface.training.finetuning.trained_parts import load_head


def test_hard_samples_in_words(tmp_path):
    data = ArrayDataset(np.zeros((6, 4, 4, 3), np.uint8), [0, 1, 1, -1, 2, 2])
    labeled = np.array([0, 1, 2, 4, 5])
    found = collect(data, labeled, np.array([0, 2, 1, 2, 0]), "people by model")
    assert (found.hard.tolist(), found.indices.tolist()) == ([1, 5], [1, 2, 4, 5])
    assert (found.identities, found.labeled, found.accuracy) == (2, 5, 0.6)
    said = "2 hard samples in people by model: accuracy 0.6000 (3 of 5); 2 identities have one, with 4 records"
    assert found.message() == said
    write_list(tmp_path / "l.txt", found)
    assert (tmp_path / "l.txt").read_text() == f"# hard samples: {said}\n# hard: 1 5\n1\n2\n4\n5\n"
    none = collect(data, labeled, data.labels[labeled].astype(np.int64), "people by model")
    assert none.message() == (
        "no hard sample found in people by model: accuracy 1.0000 (5 of 5); all its records are listed"
    )
    write_list(tmp_path / "l.txt", none)
    assert (tmp_path / "l.txt").read_text().splitlines()[1:] == ["# hard: none", "0", "1", "2", "4", "5"]
    for head in (b"", b"# hard sample: ", b"x"):
        (tmp_path / "other").write_bytes(head)
        with pytest.raises(DataError, match="other: is there and no list of hard samples; it is not overwritten"):
            write_list(tmp_path / "other", found)


@pytest.mark.parametrize(("count", "more"), [(1000, ""), (1001, " … (1001)")])
def test_a_thousand_hard_samples_are_named(tmp_path, count, more):
    numbers = np.arange(count)
    write_list(tmp_path / "l.txt", HardSamples(numbers, numbers[:1], 1, count, "x"))
    shown = " ".join(map(str, range(1000)))
    assert (tmp_path / "l.txt").read_text().splitlines()[1] == f"# hard: {shown}{more}"


def test_a_trained_head_is_that_of_these_identities(tmp_path):
    config = TrainConfig()
    config = replace(config, backbone=replace(config.backbone, embedding=4))
    weight = nd.random.normal(shape=(3, 4))
    path = tmp_path / "blocks-0001.params"
    save_arrays(path, {"head.weight": weight, "other.weight": nd.ones((1,))})
    head = load_head(config, path, 3, mx.cpu())
    assert type(head) is type(build_head(config.head, 4, 3))
    assert (head.weight.data().asnumpy() == weight.asnumpy()).all()
    with pytest.raises(
        CheckpointError, match=r"params: the classifier knows 3 identities, the data have 4; name the data"
    ):
        load_head(config, path, 4, mx.cpu())
    save_arrays(path, {"other.weight": weight})
    with pytest.raises(
        CheckpointError, match=r"params: holds no class weights; name a run that was trained with a head"
    ):
        load_head(config, path, 3, mx.cpu())
