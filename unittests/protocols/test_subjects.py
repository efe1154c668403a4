import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.plain_csv import read_plain_csv
from fairface.protocols.subjects import named_subjects, subject_names_of_images, subjects_from_names, with_subjects


def test_subjects_are_folders_or_names_without_their_number():
    assert subjects_from_names(["s2/1.png", "s1/1.png", "s2/9.png"]).tolist() == [1, 0, 1]
    assert subjects_from_names(["Ann_Lee_0002.jpg", "Bob_0001.jpg", "Ann_Lee_0010.jpg"]).tolist() == [0, 1, 0]
    assert subjects_from_names(["x/s1/1.png", "y/s1/1.png"]).tolist() == [0, 1]


@pytest.mark.parametrize("name", ["12.jpg", "photo.jpg", "/1.jpg"])
def test_a_name_that_does_not_show_who_it_is(name):
    with pytest.raises(DataError, match="does not name the subject"):
        subjects_from_names(["a/1.jpg", name])


def test_subjects_are_added_and_must_agree(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("image_a,image_b,same\na/1,a/2,1\na/1,b/1,0\n")
    comparisons = read_plain_csv(path)
    named = with_subjects(comparisons, subjects_from_names(comparisons.names), "pairs.csv")
    assert named.subject_a.tolist() == [0, 0]
    assert named.subject_b.tolist() == [0, 1]
    called = with_subjects(comparisons, named_subjects(comparisons.names), "pairs.csv")
    assert [called.subject_names[who] for who in called.subject_b] == ["a", "b"]
    with pytest.raises(DataError, match=r"pairs.csv: 1 comparison contradicts the subjects .*comparison 1"):
        with_subjects(comparisons, np.zeros(3, int), "pairs.csv")


def test_people_are_called_what_the_list_calls_them_else_what_names_say(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("image_a,image_b,same,subject_a,subject_b\n1.jpg,2.jpg,1,Zoe,Zoe\n1.jpg,b/1.jpg,0,Zoe,Abe\n")
    named = read_plain_csv(path)
    assert dict(zip(named.names, subject_names_of_images(named), strict=True)) == {
        "1.jpg": "Zoe", "2.jpg": "Zoe", "b/1.jpg": "Abe",
    }  # fmt: skip
    path.write_text("image_a,image_b,same\n1.jpg,b/2.jpg,1\n1.jpg,Ann_Lee_07.png,0\n")
    bare = read_plain_csv(path)
    assert dict(zip(bare.names, subject_names_of_images(bare), strict=True)) == {
        "1.jpg": "", "b/2.jpg": "b", "Ann_Lee_07.png": "Ann_Lee",
    }  # fmt: skip
