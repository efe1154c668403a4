"""The sets that a run scores: their titles, and the comparisons that a rate needs."""

import numpy as np
import pytest

from fairface.comparisons import Comparisons
from fairface.data.images import encode_png
from fairface.data.pairsets.bin_set import write_bin
from fairface.errors import DataError
from fairface.training.comparison_sets import distinct_titles, open_sets, verification_names
from fairface.training.worst_rate import check_groups
from unittests.training.helpers import tiny_config


def test_titles_of_sets_and_what_is_opened(tmp_path):
    assert distinct_titles(["b/a/lfw.bin", "c/a/lfw.bin", "c/b/lfw.bin"]) == ["b/a/lfw", "c/a/lfw", "b/lfw"]
    assert distinct_titles(["a/lfw.bin", "b/lfw.bin"]) == ["a/lfw", "b/lfw"]
    assert distinct_titles(["lfw.bin"]) == [None]
    jpeg = encode_png(np.zeros((6, 6, 3), np.uint8))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_bin(tmp_path / folder / "lfw.bin", [jpeg] * 4, [True, False])
    names = [f"{tmp_path}/a/lfw.bin", f"{tmp_path}/b/lfw.bin", f"{tmp_path}/a/lfw.bin"]
    assert [item.name for item in open_sets(names, 6)] == ["a/lfw", "b/lfw"]
    with pytest.raises(DataError, match=r"a/lfw\.bin, image 0: the image is 6x6 pixels, not 7x7") as caught:
        open_sets(names, 7)
    assert caught.value.settings == ()
    config = tiny_config(tmp_path, tmp_path / "a")
    assert verification_names(config) == config.verify.sets == (str(tmp_path / "a"),)
    bare = tiny_config(tmp_path, tmp_path / "a", "verify.sets=[]")
    assert verification_names(bare) == (f"{tmp_path}/a/lfw.bin",)
    assert verification_names(tiny_config(tmp_path, tmp_path / "a" / "lfw.bin", "verify.sets=[]")) == ()


def test_fewer_impostors_than_a_rate_needs():
    who = np.arange(10)
    a, b = np.zeros(20, int), np.tile(np.arange(10), 2)
    comparisons = Comparisons(
        a=a, b=b, same=np.arange(20) >= 10, fold=np.full(20, -1, np.int32), subject_a=who[a], subject_b=who[b],
        attributes=np.zeros((10, 1), np.int8), attribute_names=("sex",), attribute_values=(("f",),),
    )  # fmt: skip
    check_groups(comparisons, ["sex"], 0.1, "set")
    for fmr, wanted in ((0.099, 11), (0.05, 20), (0.03, 34)):
        said = f"set: 10 impostor comparisons cannot fix a threshold at FMR {fmr:g}; it needs at least {wanted}, or a"
        with pytest.raises(DataError) as caught:
            check_groups(comparisons, ["sex"], fmr, "set")
        assert str(caught.value).startswith(said)
    with pytest.raises(DataError, match=r"^set: .*age"):
        check_groups(comparisons, ["age"], 0.1, "set")
