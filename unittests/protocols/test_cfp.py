"""CFP's lists and LFW's pairs.txt as verification sets: told apart, images found near the list, bad lines named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.opening import is_pair_list, open_comparisons
from fairface.protocols.verification_set import open_verification_set

PHOTOS = [f"00{person}/{view}/0{n}.jpg" for person in (1, 2) for view in ("frontal", "profile") for n in (1, 2)]
PAIRS = [(1, 3, 1), (1, 7, 0), (5, 8, 1), (6, 4, 0)]


@pytest.fixture
def cfp(tmp_path: Path) -> Path:
    """The published layout: lists in myMeta, images in Align_180_220; image i is grey of value i."""
    meta = tmp_path / "cfp" / "myMeta"
    meta.mkdir(parents=True)
    (meta / "Pair_list_A.txt").write_text("".join(f"{i},Data/Images/{name}\n" for i, name in enumerate(PHOTOS, 1)))
    lines = [f"{i},1,{a},{b},{same}\n" for i, (a, b, same) in enumerate(PAIRS)]
    (meta / "FP_meta.txt").write_text("pair,split,first,second,same\n" + "".join(lines))
    for value, name in enumerate(PHOTOS, 1):
        place = tmp_path / "cfp" / "Align_180_220" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place), np.full((8, 8, 3), value, np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 100])
    return meta / "FP_meta.txt"


def test_cfp(cfp: Path) -> None:
    assert is_pair_list(cfp)
    found = open_verification_set(cfp)
    assert found.name == "FP_meta"
    values = [int(found.images.decoded(i)[0, 0, 0]) for i in range(len(found.images))]
    of = found.comparisons
    shown = [(values[a], values[b], int(same)) for a, b, same in zip(of.a, of.b, of.same, strict=True)]
    assert shown == PAIRS
    assert [of.subject_names[s] for s in of.subject_a] == ["001", "001", "002", "002"]
    assert [of.subject_names[s] for s in of.subject_b] == ["001", "002", "002", "001"]
    assert len(open_comparisons(cfp, kind="cfp").comparisons) == len(PAIRS)


def test_a_first_line_of_numbers_is_a_pair(cfp: Path) -> None:
    cfp.write_text("".join(f"0,0,{a},{b},{same}\n" for a, b, same in PAIRS))
    assert len(open_comparisons(cfp).comparisons) == len(PAIRS)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0,0,1,9,1", r"line 2 names image 9, but Pair_list_A.txt lists 8"),
        ("0,0,0,1,1", r"line 2 names image 0, but"),
        ("0,0,1,x,1", r"line 2 is '0,0,1,x,1', not '"),
        ("1,2,1", r"line 2 is '1,2,1', not '"),
        ("0,0,1,2,2", r"line 2 is '0,0,1,2,2', not '"),
        ("0,0,1,2,0", r"contradicts the subjects it names"),
    ],
)
def test_a_damaged_line_is_named(cfp: Path, line: str, said: str) -> None:
    lines = cfp.read_text().splitlines()
    cfp.write_text("\n".join([lines[0], line, *lines[2:]]) + "\n")
    with pytest.raises(DataError, match=said):
        open_comparisons(cfp)


def test_a_damaged_list_of_images_is_named(cfp: Path) -> None:
    (cfp.parent / "Pair_list_A.txt").write_text("1,Images/001/frontal/01.jpg\n2,nothing\n")
    with pytest.raises(DataError, match=r"Pair_list_A.txt: line 2 is '2,nothing'"):
        open_comparisons(cfp)
    (cfp.parent / "Pair_list_A.txt").unlink()
    assert not is_pair_list(cfp)


@pytest.mark.parametrize("header", ["", "2\t1\n", "1 2\n"])
@pytest.mark.parametrize("inside", ["", "aligned/", "aligned/aligned/"])
def test_lfw_pairs_as_a_verification_set(tmp_path: Path, header: str, inside: str) -> None:
    (tmp_path / "lfw_pairs.txt").write_text(header + "Ann_Lee\t1\t2\nAnn_Lee\t1\tBo\t1\nBo\t1\t2\nBo\t2\tAnn_Lee\t2\n")
    for name in ("Ann_Lee", "Bo"):
        (tmp_path / inside / name).mkdir(parents=True)
        for n in (1, 2):
            cv2.imwrite(str(tmp_path / inside / name / f"{name}_000{n}.jpg"), np.full((8, 8, 3), 9, np.uint8))
    assert is_pair_list(tmp_path / "lfw_pairs.txt")
    found = open_verification_set(tmp_path / "lfw_pairs.txt")
    assert found.comparisons.same.tolist() == [True, False, True, False]
    assert found.images.decoded(3).shape == (8, 8, 3)


def test_lists_of_labels_are_no_pairs(tmp_path: Path) -> None:
    for text in ("Ann/1.jpg 0\nBo/1.jpg 1\n", "Ann Lee/1.jpg 0\n", "a b/1 2.jpg 3\n"):
        (tmp_path / "list.txt").write_text(text)
        assert not is_pair_list(tmp_path / "list.txt")
    assert not is_pair_list(tmp_path / "gone.txt")
