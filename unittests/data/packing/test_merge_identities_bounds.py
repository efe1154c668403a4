"""Which identities and attributes of several sets are the same."""

import numpy as np
import pytest

from fairface.data.array import ArrayDataset
from fairface.data.packing.merge_identities import join_attributes, join_identities, read_identity_map
from fairface.data.packing.merging import merge
from fairface.data.packing.recordio import PackOptions
from fairface.data.recordio.dataset import RecordDataset
from fairface.errors import ConfigError, DataError


def test_a_map_of_identities(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("source,label,identity\n1, a ,X\n2,b,\n1,a,X\n1,c,\n", encoding="utf-8-sig")
    assert read_identity_map(path) == {(0, "a"): "X", (1, "b"): "", (0, "c"): ""}
    for line in ("0,a,X", "-1,a,X", "²,a,X", "1.0,a,X", ",a,X", "1,,X", "1"):
        path.write_text(f"source,label,identity\n1,z,Z\n{line}\n", encoding="utf-8")
        with pytest.raises(DataError, match=r"map\.csv: line 3: source must be 1, 2 …, and label must not be empty"):
            read_identity_map(path)
    path.write_bytes(b"source,label,identity\n1,\xff,X\n")
    with pytest.raises(DataError, match=r"map\.csv: cannot be read as CSV in UTF-8 \(.*\); save it in that form"):
        read_identity_map(path)
    path.write_text("")
    with pytest.raises(DataError, match="line 1 must name the columns source,label,identity; source is missing"):
        read_identity_map(path)


def people(labels, classes, names=(), codes=None, attributes=()):
    data = ArrayDataset(np.zeros((len(labels), 4, 4, 3), np.uint8), labels, codes, attributes, num_classes=classes)
    data.class_names = tuple(names)
    return data


def test_identities_of_several_sets():
    one, two = people([0, 1, 2], 3, "abc"), people([0, 1], 2, "cb")
    labels, identities = join_identities([one, two], "offset", {})
    assert [array.tolist() for array in labels] == [[0, 1, 2], [3, 4]]
    assert identities == {"1/a": {0}, "1/b": {0}, "1/c": {0}, "2/c": {1}, "2/b": {1}}
    labels, identities = join_identities([one, two], "names", {(0, "b"): "", (1, "b"): "a"})
    assert [array.tolist() for array in labels] == [[0, -1, 1], [1, 0]]
    assert identities == {"a": {0, 1}, "c": {0, 1}}
    labels, identities = join_identities([people([0], 2), people([0], 1)], "offset", {(1, "0"): "1/1"})
    assert [array.tolist() for array in labels] == [[0, 1], [1]]
    assert identities == {"1/0": {0}, "1/1": {0, 1}}
    # A label's number stands for its name, unless a class is called so.
    labels, identities = join_identities([one, people([0, 1], 2, ["1", "0"])], "offset", {(0, "2"): "x", (1, "0"): "x"})
    assert [array.tolist() for array in labels] == [[0, 1, 2], [3, 2]]
    assert identities == {"1/a": {0}, "1/b": {0}, "x": {0, 1}, "2/1": {1}}
    for sets, join, mapped, said in (
        ([one], "name", {}, "join is 'name'; it can be offset or names"),
        ([one, people([0], 1)], "names", {}, "images in memory: its identities have no names to join by"),
        (
            [one],
            "offset",
            {(0, "d"): "x"},
            "the map names label d of source 1, which is not there; that source "
            "has a, b, c (or labels 0 to 2); correct the map",
        ),
        ([people([0], 4)], "offset", {(0, "4"): "x"}, "that source has 0, 1, 2, … (or labels 0 to 3); correct the map"),
        ([one], "offset", {(2, "a"): "x"}, "label a of source 3, which is not there; there is 1 source"),
        ([one], "offset", {(0, "a"): "x", (0, "0"): "y"}, "the identity 'x' for a and 'y' for its label 0"),
    ):
        with pytest.raises((ConfigError, DataError)) as caught:
            join_identities(sets, join, mapped)
        assert said in str(caught.value)


def test_attributes_that_sets_code_differently():
    one = people([0], 1, codes=[[1, 2]], attributes=("sex", "age"))
    two = people([0], 1, codes=[[0, 1]], attributes=("hat", "sex"))
    one.attribute_values, two.attribute_values = {"sex": ("f", "m")}, {"sex": ("f", "m"), "hat": ("n", "y")}
    notes, codes = join_attributes([one, two])
    assert (notes.names, notes.values) == (("sex", "age", "hat"), {"sex": ("f", "m"), "hat": ("n", "y")})
    assert [table.tolist() for table in codes] == [[[1, 2, -1]], [[1, -1, 0]]]
    two.attribute_values = {"sex": ("m", "f")}
    with pytest.raises(DataError, match="the attribute sex has the values m, f, in another set f, m; pack one of them"):
        join_attributes([one, two])


def test_merging_counts_what_it_leaves_out(tmp_path):
    one = people([0, -1, 1, 0], 2, "ab")
    one.images[:] = np.arange(4)[:, None, None, None]
    options = PackOptions(size=4)
    done = merge([one, people([0, 0], 1, "b")], tmp_path / "out", options, "names", {(0, "a"): ""})
    assert (done.images, done.identities, done.shared, done.left_out) == (3, 1, 1, 3)
    data = RecordDataset(tmp_path / "out")
    assert [int(data[i].image[0, 0, 0]) for i in range(3)] == [2, 0, 0]
    assert "1, image 2" in (tmp_path / "out" / "id_to_path.txt").read_text()
    with pytest.raises(DataError, match="out: no labeled image is left to write; correct the map or the data sets"):
        merge([one], tmp_path / "out", options, "names", {(0, "a"): "", (0, "b"): ""})
