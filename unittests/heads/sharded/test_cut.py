"""Which classes lie on which device."""

import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError
from fairface.heads import build_sharded_head
from fairface.heads.sharded import cut_classes
from fairface.heads.sharded.cut import LARGEST_ARRAY
from fairface.mx import mx


@pytest.mark.parametrize(
    ("classes", "devices", "expected"),
    [(7, 3, [3, 2, 2]), (6, 3, [2, 2, 2]), (5, 2, [3, 2]), (1, 1, [1]), (3, 3, [1, 1, 1]), (11, 4, [3, 3, 3, 2])],
)
def test_the_first_devices_have_one_more(classes, devices, expected):
    cut = cut_classes(classes, devices)
    assert [len(part) for part in cut] == expected
    assert [number for part in cut for number in part] == list(range(classes))


def test_more_devices_than_classes_names_both():
    with pytest.raises(ConfigError, match=r"^2 classes cannot be split over 3 devices; name 2 devices or fewer$"):
        cut_classes(2, 3)
    with pytest.raises(ConfigError, match="2 classes cannot be split over 3 devices"):
        build_sharded_head(HeadConfig(), 4, 2).initialize(ctx=[mx.cpu(number) for number in range(3)])


def test_a_part_that_mxnet_has_no_array_for():
    assert LARGEST_ARRAY == 2147483647
    assert len(cut_classes(4_194_303, 1, 512)) == 1
    with pytest.raises(ConfigError, match="name 2 devices or more"):
        cut_classes(4_194_304, 1, 512)
    assert len(cut_classes(8_388_606, 2, 512)) == 2
    with pytest.raises(ConfigError, match="name 3 devices or more"):
        cut_classes(8_388_607, 2, 512)


def test_random_centres_do_not_depend_on_the_number_of_devices(monkeypatch):
    from fairface.heads.sharded import classifier

    monkeypatch.setattr(classifier, "ROWS_AT_ONCE", 4)
    found = []
    for devices in (1, 2, 3):
        mx.random.seed(3)
        head = build_sharded_head(HeadConfig(), 50, 11)
        head.initialize(ctx=[mx.cpu(number) for number in range(devices)])
        found.append(head.arrays()["weight"].asnumpy())
    assert found[0].std() == pytest.approx(0.01, rel=0.1)
    assert len({row.tobytes() for row in found[0]}) == 11
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()
