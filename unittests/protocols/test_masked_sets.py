"""The lists of masked faces: MFR2, MLFW (CALFW, CPLFW), PKU-Masked-Face, RMFRD, and masked to unmasked."""

from itertools import product

import cv2
import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.masked_to_unmasked import read_masked_to_unmasked
from fairface.protocols.mlfw import read_mlfw
from fairface.protocols.opening import images_folder, is_pair_list, open_comparisons
from fairface.protocols.pku_masked import read_pku_masked
from fairface.protocols.rmfrd import read_rmfrd


def listed(comparisons):
    """(image, image, same) of each comparison."""
    names, same = comparisons.names, comparisons.same.tolist()
    return [(names[a], names[b], s) for a, b, s in zip(comparisons.a, comparisons.b, same, strict=True)]


def subjects(comparisons):
    names = comparisons.subject_names
    return [[names[code] for code in ends] for ends in (comparisons.subject_a, comparisons.subject_b)]


def values(comparisons, attribute):
    column = comparisons.attribute_names.index(attribute)
    told = comparisons.attribute_values[column]
    return {name: told[code] for name, code in zip(comparisons.names, comparisons.attributes[:, column], strict=True)}


def test_mfr2(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("Ann 1 2\nAnn 1 Bo 1\n")
    (tmp_path / "mfr2_labels.txt").write_text("Ann, 1, no-mask\nAnn, 2, cloth\nBo, 1, N95\n")
    found = open_comparisons(path).comparisons
    one, two, bo = "Ann/Ann_0001.png", "Ann/Ann_0002.png", "Bo/Bo_0001.png"
    assert listed(found) == [(one, two, True), (one, bo, False)]
    assert subjects(found) == [["Ann", "Ann"], ["Ann", "Bo"]]
    assert found.fold.tolist() == [-1, -1]
    assert values(found, "masked") == {one: "no", two: "yes", bo: "yes"}
    assert values(found, "mask") == {one: "no-mask", two: "cloth", bo: "n95"}
    assert is_pair_list(path)
    (tmp_path / "mfr2_labels.txt").write_text("Ann, 1, no-mask\nAnn, 2, cloth\n")
    with pytest.raises(DataError, match=r"masks are told by .*mfr2_labels.txt.*1 of 3 images .*Bo/Bo_0001"):
        open_comparisons(path)


def people_in_tens(count, same):
    """``count`` pairs of one kind, of fold k those from k * count / 10 on."""
    return [(f"P{k}_000{1 + 0}.jpg", f"P{k if same else k + 1000}_0002.jpg") for k in range(count)]


def test_calfws_form_in_two_lines_with_folds(tmp_path):
    path = tmp_path / "pairs_CALFW.txt"
    genuine, impostor = people_in_tens(20, same=True), people_in_tens(30, same=False)
    lines = [f"{image} {1 + k // 2}" for k, pair in enumerate(genuine) for image in pair]
    lines += [f"{image} 0" for pair in impostor for image in pair]
    path.write_text("\n".join(lines) + "\n")
    found = open_comparisons(path).comparisons
    assert listed(found) == [(*pair, True) for pair in genuine] + [(*pair, False) for pair in impostor]
    assert found.fold.tolist() == [k // 2 for k in range(20)] + [k // 3 for k in range(30)]
    assert subjects(found)[0][:2] == ["P0", "P1"]
    assert not is_pair_list(path)  # --set takes a list of images and labels of this form, too


def test_mlfws_masked_copies_keep_folds_and_identities(tmp_path):
    path = tmp_path / "mlfw.txt"
    rows = [(f"Ann_{k:04d}_0001.jpg", f"Ann_{k:04d}_0002.jpg", 1) for k in range(10)]
    rows += [(f"Ann_{k:04d}_0001.jpg", f"Bo_Li_{k:04d}.jpg", 0) for k in range(10)]
    path.write_text("".join(f"{a}\t{b}\t{same}\r\n" for a, b, same in rows))
    found = open_comparisons(path, "mlfw").comparisons
    assert listed(found) == [(a, b, same == 1) for a, b, same in rows]
    assert found.fold.tolist() == [*range(10), *range(10)]
    assert set(subjects(found)[1]) == {"Ann", "Bo_Li"}
    path.write_text("".join(f"{a} {b} {same}\n" for a, b, same in rows[:15]))
    assert set(read_mlfw(path).fold.tolist()) == {-1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a_1.jpg 1\na_2.jpg 1\nb_1.jpg 0\n", "line 3 is half a pair"),
        ("a_1.jpg 1\na_2.jpg 0\n", "line 1 says 1 of a pair and the next line 0"),
        ("a_1.jpg one\na_2.jpg 1\n", "line 1 is 'a_1.jpg one'"),
        ("a_1.jpg a_2.jpg 1\na_1.jpg 0\n", "line 2 is 'a_1.jpg 0'"),
        ("a_1.jpg 1\na_2.jpg 1\na_1.jpg 0\na_3.jpg 0\n", "contradicts the subjects"),
    ],
)
def test_damaged_lists_of_mlfw(tmp_path, text, message):
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_mlfw(path)


def test_pku_masked_face(tmp_path):
    path = tmp_path / "ver400.list"
    lines = ["i/1_0/front.png", "i/1_1/left.png", "i/2_1/up.png", "i/2_0/up.png"]
    lines += ["i/1_0/front.png", "i/2_1/up.png", "i/3_0/up.png", "i/1_1/left.png"]
    path.write_text("\n".join(lines))
    found = open_comparisons(path).comparisons
    assert [same for *_, same in listed(found)] == [True, True, False, False]
    assert [image for pair in listed(found) for image in pair[:2]] == lines
    assert subjects(found) == [["1", "2", "1", "3"], ["1", "2", "2", "1"]]
    assert values(found, "masked") == {line: "yes" if "_1/" in line else "no" for line in lines}
    assert is_pair_list(path)
    assert not is_pair_list(tmp_path / "nowhere.list")
    for text, message in (
        ("\n".join(lines[:6]), "6 lines are not two equal halves"), ("a/x.png\n" * 4, "line 1 is 'a/x.png'"),
        ("\n".join(lines[4:] + lines[:4]), "contradict the subjects"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            read_pku_masked(path)


def test_rmfrd(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("11_zhang/unmasked.jpg 11_zhang/15.jpg 1\n11_zhang/unmasked.jpg 12_li/2_mask.jpg 0\n")
    found = open_comparisons(path, "rmfrd").comparisons
    assert subjects(found) == [["11_zhang", "11_zhang"], ["11_zhang", "12_li"]]
    assert found.attribute_values == (("no", "yes"),)
    assert found.attributes[:, 0].tolist() == [0, -1, 1]  # the name 15.jpg says nothing
    assert open_comparisons(path).comparisons.subject_names == ()  # as bare paths it names nobody
    path.write_text("a.jpg b/2.jpg 1\na.jpg c/2.jpg 0\n")
    with pytest.raises(DataError, match=r"a.jpg is in no folder"):
        read_rmfrd(path)


def test_every_masked_image_with_every_unmasked_one(tmp_path):
    parts = {"masked": ["ann/1", "bo/1", "bo/2"], "unmasked": ["ann/1", "ann/2", "cy/1"]}
    for part, images in parts.items():
        for image in images:
            (tmp_path / part / image).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / part / f"{image}.png"), np.zeros((2, 2, 3), np.uint8))
    found = open_comparisons(tmp_path).comparisons
    expected = [(f"masked/{a}.png", f"unmasked/{b}.png", a[:2] == b[:2]) for a, b in product(*parts.values())]
    assert listed(found) == expected
    assert values(found, "masked")["masked/bo/1.png"] == "yes"
    assert values(found, "masked")["unmasked/cy/1.png"] == "no"
    assert subjects(found)[0][3] == "bo"
    assert is_pair_list(tmp_path)
    assert images_folder(tmp_path) == tmp_path
    with pytest.raises(DataError, match=r"3 masked and 3 unmasked images make 9 pairs.*test/retrieval.py"):
        read_masked_to_unmasked(tmp_path, limit=8)
    with pytest.raises(DataError, match="no such folder"):
        read_masked_to_unmasked(tmp_path / "masked")
