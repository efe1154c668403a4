"""Lists of two paths and a label, and telling all kinds of lists apart."""

import itertools
import unicodedata

import cv2
import numpy as np
import pytest

from fairface.errors import ConfigError, DataError
from fairface.protocols.columns import truth_of
from fairface.protocols.image_files import find_images
from fairface.protocols.names import NameIndex
from fairface.protocols.opening import images_folder, is_pair_list, open_comparisons
from fairface.protocols.path_pairs import read_path_pairs
from fairface.protocols.verification_set import open_verification_set

PAIRS = [("a/1.jpg", "a/2.jpg", True), ("a/1.jpg", "b/1.jpg", False), ("b/1.jpg", "b/2.jpg", True)]
WORDS = [("1", "0"), ("1.0", "0.0"), ("1", "-1"), ("True", "False"), ("genuine", "impostor"), ("same", "different"),
         ("match", "nonmatch"), ("+1", "-1")]  # fmt: skip


def shown(comparisons):
    names = comparisons.names
    return [(names[a], names[b], bool(same)) for a, b, same in zip(comparisons.a, comparisons.b, comparisons.same,
                                                                   strict=True)]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "sign", "first", "name"),
    [*itertools.product(WORDS, ["\t"], [False, True], ["p.txt"]),
     *itertools.product(WORDS[:2], [" ", ",", ";", "  ", ", "], [False, True], ["p.txt", "p.csv", "p.lst"])],
)  # fmt: skip
def test_every_form_gives_the_same_pairs(tmp_path, words, sign, first, name):
    rows = [[a, b, words[0] if same else words[1]] for a, b, same in PAIRS]
    lines = [sign.join([row[2], *row[:2]] if first else row) for row in rows]
    (tmp_path / name).write_text("\n\n".join(lines) + "\n")
    assert shown(open_comparisons(tmp_path / name).comparisons) == PAIRS


def test_paths_with_spaces_are_told_apart_by_their_suffix(tmp_path):
    text = "Ann Lee/1 x.jpg Ann Lee/2.png 1\nAnn Lee/1 x.jpg Bo/3.JPEG 0\n"
    (tmp_path / "p.txt").write_text(text)
    found = shown(open_comparisons(tmp_path / "p.txt").comparisons)
    assert found == [("Ann Lee/1 x.jpg", "Ann Lee/2.png", True), ("Ann Lee/1 x.jpg", "Bo/3.JPEG", False)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a/1.jpg a/2.jpg 1\na/1.jpg b/1.jpg\n", "line 2 is 'a/1.jpg b/1.jpg', not 'path path label'"),
        ("a/1.jpg a/2.jpg 1\na/1.jpg b/1.jpg 2\n", "line 2: the label is '2'; write 1"),
        ("a/1.jpg a/2.jpg 1\na/1.jpg b/1.jpg 0\na/2.jpg b/1.jpg -1\n", "line 3: the label is '-1', but '0' elsewhere"),
        ("a/1.jpg a/2.jpg 1\n1 a/1.jpg b/1.jpg\n", "line 2: the label is 'b/1.jpg'"),
        ("a/1.jpg a/2.jpg 1\na/1.jpg a/1.jpg 0\n", r"compares an image with itself \(first: line 2\)"),
        ("a/1.jpg a/2.jpg 1\n", "the only comparison is genuine"),
    ],
)
def test_bad_lines_are_named(tmp_path, text, message):
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_path_pairs(tmp_path / "p.txt")


def test_what_is_no_label():
    assert [truth_of(text) for text in ("2", "", "0.5", "nan", "perhaps", "1e0", "FALSE")] == [
        None, None, None, None, None, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "Image1,Image2,Label,ID1,ID2\na,b,1,7,7\na,c,0,7,8\n",
        "image 1;image 2;LABEL;id_1;id_2\na;b;1,0;7;7\na;c;0,0;7;8\n",
        "path_a\tpath_b\tgenuine\tperson_a\tperson_b\na\tb\tTrue\t7\t7\na\tc\tFalse\t7\t8\n",
        ",img1,img2,same,identity1,identity2,\n0,a,b,1,7,7,\n1,a,c,0,7,8,\n",
    ],
)
def test_columns_as_subjects_name_them(tmp_path, text):
    (tmp_path / "p.csv").write_text(text)
    found = open_comparisons(tmp_path / "p.csv").comparisons
    assert shown(found) == [("a", "b", True), ("a", "c", False)]
    assert found.subject_names == ("7", "8")
    assert (found.subject_a == found.subject_b).tolist() == [True, False]


def test_columns_that_cannot_be_guessed_are_named(tmp_path):
    (tmp_path / "p.csv").write_text("probe,gallery,verdict,p\na,b,yes,A\na,c,no,A\n")
    with pytest.raises(DataError, match="has no column same"):
        open_comparisons(tmp_path / "p.csv")
    columns = {"image_a": "probe", "image_b": "Gallery", "same": "verdict"}
    assert shown(open_comparisons(tmp_path / "p.csv", columns=columns).comparisons) == [
        ("a", "b", True), ("a", "c", False),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="the role 'left' of a column is unknown"):
        open_comparisons(tmp_path / "p.csv", columns={"left": "probe"})
    with pytest.raises(DataError, match="has no column nothing"):
        open_comparisons(tmp_path / "p.csv", columns={"same": "nothing"})


def test_accents_and_slashes_of_another_system_are_found():
    names = ("Zoë/1.jpg", "a/2.png")
    index = NameIndex(tuple(unicodedata.normalize("NFD", name) for name in names))
    assert [index.find(name) for name in ("Zoë/1.jpg", "Zoë\\1.png", "a\\2.jpg", "Zoe/1.jpg")] == [0, 0, 1, None]
    assert NameIndex(names).find(unicodedata.normalize("NFD", names[0])) == 0
    both = NameIndex((names[0], unicodedata.normalize("NFD", names[0])))
    assert both.find(unicodedata.normalize("NFD", names[0])) == 1


@pytest.fixture
def faces(tmp_path):
    """PNG and WebP crops where lists name JPEGs; one folder's name is written as macOS does."""
    zoe = unicodedata.normalize("NFD", "Zoë")
    for name in ("Ann/Ann_0001.png", "Ann/Ann_0002.webp", f"{zoe}/{zoe}_0001.png"):
        (tmp_path / "faces" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "faces" / name), np.zeros((8, 8, 3), np.uint8))
    return tmp_path / "faces"


def test_files_of_another_format_are_found(tmp_path, faces):
    (tmp_path / "pairs.txt").write_text("Ann\t1\t2\nAnn\t1\tZoë\t1\n", encoding="utf-8")
    names = open_comparisons(tmp_path / "pairs.txt").comparisons.names
    found = find_images(faces, [*names, "Bo/Bo_0001.jpg"])
    assert found[-1] is None
    assert all((faces / name).is_file() for name in found[:-1])


def test_lists_of_paths_and_rfw_are_verification_sets(tmp_path, faces):
    (faces / "list.txt").write_text("Ann/Ann_0001.jpg Ann/Ann_0002.jpg 1\nAnn/Ann_0001.jpg Zoë/Zoë_0001.jpg 0\n")
    given = open_verification_set(faces / "list.txt")
    assert (len(given.images), given.comparisons.genuine) == (3, 1)
    assert given.images.encoded(0) == (faces / "Ann" / "Ann_0001.png").read_bytes()
    rfw = tmp_path / "rfw"
    for name in ("a/a_0001.jpg", "a/a_0002.jpg", "b/b_0001.jpg"):
        (rfw / "data" / "Asian" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(rfw / "data" / "Asian" / name), np.zeros((8, 8, 3), np.uint8))
    (rfw / "txts" / "Asian").mkdir(parents=True)
    (rfw / "txts" / "Asian" / "Asian_pairs.txt").write_text("a\t1\t2\na\t1\tb\t1\n")
    given = open_verification_set(rfw)
    assert (given.name, len(given.images), given.comparisons.attribute_names) == ("rfw", 3, ("race",))
    assert images_folder(rfw) == rfw / "data"
    (tmp_path / "labels.txt").write_text("Ann Lee/1.jpg 1\nBo/2.jpg 2\n")
    assert not is_pair_list(tmp_path / "labels.txt")
