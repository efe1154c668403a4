import numpy as np
import pytest

from fairface.data.table import read_csv_table
from fairface.errors import DataError
from fairface.protocols.all_pairs import all_pairs
from fairface.protocols.attribute_values import alike_values
from fairface.protocols.attributes import attributes_of_images, subjects_of_images

IMAGES = ("p0/0.jpg", "p0/1.jpg", "p1/0.jpg", "p2/0.jpg")


@pytest.fixture
def table(tmp_path):
    def maker(text):
        (tmp_path / "people.csv").write_text(text)
        return read_csv_table(tmp_path / "people.csv")

    return maker


def test_codes_values_and_unknowns(table):
    given = table("image,who,sex,skin\np0/0.png,p0,f,dark\np0/1.jpg,p0,f,\np1/0.jpg,p1,m,light\nother.jpg,p9,x,dark\n")
    found = attributes_of_images(given, IMAGES, ["sex", "skin"])
    assert found.names == ("sex", "skin")
    assert found.values == (("f", "m", "x"), ("dark", "light"))
    np.testing.assert_array_equal(found.codes, [[0, 0], [0, -1], [1, 1], [-1, -1]])
    allowed = attributes_of_images(given, IMAGES, ["skin"], allowed={"skin": ["light", "dark"]})
    np.testing.assert_array_equal(allowed.codes[:, 0], [1, -1, 0, -1])


def test_they_are_added_to_what_the_comparisons_have(table):
    given = table("image,sex,age\np0/0.jpg,f,old\np0/1.jpg,f,old\np1/0.jpg,m,old\np2/0.jpg,m,young\n")
    before = all_pairs([0, 0, 1, 2], np.array([[5, 1]] * 4), ("sex", "pose"), IMAGES)
    after = attributes_of_images(given, IMAGES, ["sex", "age"]).put_into(before)
    assert after.attribute_names == ("pose", "sex", "age")
    assert after.attribute_values == ((), ("f", "m"), ("old", "young"))
    np.testing.assert_array_equal(after.attributes, [[1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]])


def test_who_is_shown(table):
    given = table("name,person\np0/0.jpg,Ann\np0/1.jpg,Ann\np1/0.jpg,Bo\np2/0.jpg,Al\nx,Zed\n")
    np.testing.assert_array_equal(subjects_of_images(given, IMAGES, "person"), [1, 1, 2, 0])
    with pytest.raises(DataError, match=r"1 of 5 images has no row that says who is shown \(new\.jpg\)"):
        subjects_of_images(given, (*IMAGES, "new.jpg"), "person")
    with pytest.raises(DataError, match=r"line 3: p0/0\.jpg shows Bo, but Ann in another row"):
        subjects_of_images(table("image,person\np0/0.jpg,Ann\np0/0.jpg,Bo\n"), IMAGES, "person")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,sex\np0/0.jpg,f\np1/0.jpg,q\n", r"line 3: sex is 'q', which is not among f, m \(1 row"),
        ("image,sex\np0/0.jpg,f\np0/0.jpg,m\n", r"line 2: sex is 'f' here but 'm' in another row"),
        ("image,sex\nx,f\ny,m\n", r"none of its 2 images is compared \(it has 'x', the comparisons have 'p0/0.jpg'\)"),
        ("photo,sex\np0/0.jpg,f\n", "has no column image"),
        ("image,age\np0/0.jpg,f\n", "has no column sex"),
        ("image,sex\n,f\n", "line 2: no value for image"),
    ],
)
def test_bad_tables(table, text, message):
    with pytest.raises(DataError, match=message):
        attributes_of_images(table(text), IMAGES, ["sex"], allowed={"sex": ["f", "m"]})


def test_too_many_values(table):
    rows = "\n".join(f"p{i},{i}" for i in range(200))
    with pytest.raises(DataError, match="age has 200 different values; an attribute may have 127 at most"):
        attributes_of_images(table(f"image,age\n{rows}\n"), ("p0",), ["age"])


def test_ids_are_found_under_paths_and_clashes_are_noticed(tmp_path):
    """A table that names files, for images that are named by ids."""
    path = tmp_path / "people.csv"
    path.write_text("image,person,sex\nfaces/ann/a1.jpg,ann,f\nfaces/bob/b1.png,bob,m\n")
    table = read_csv_table(path)
    assert attributes_of_images(table, ["a1", "b1"], ["sex"]).codes[:, 0].tolist() == [0, 1]
    assert subjects_of_images(table, ["b1", "a1"], "person").tolist() == [1, 0]
    path.write_text("image,person,sex\nfaces/ann/1.jpg,ann,f\nfaces/bob/1.jpg,bob,m\n")
    table = read_csv_table(path)
    with pytest.raises(DataError, match="in another row"):
        attributes_of_images(table, ["1"], ["sex"])
    with pytest.raises(DataError, match="in another row"):
        subjects_of_images(table, ["1"], "person")
    with pytest.raises(DataError, match="none of its 2 images"):
        attributes_of_images(table, ["other/1.jpg"], ["sex"])


def test_a_table_of_subjects_stands_for_all_their_images(table):
    subjects = ["Ann", "Ann", "Bo", ""]
    given = table("Person,sex\nBo,m\nAnn,f\nZed,x\n")
    found = attributes_of_images(given, IMAGES, ["sex"], subjects=subjects)
    assert found.values == (("f", "m", "x"),)
    np.testing.assert_array_equal(found.codes[:, 0], [0, 0, 1, -1])
    # A column called name may hold either.
    named = attributes_of_images(table("name,sex\nAnn,f\n"), IMAGES, ["sex"], subjects=subjects)
    np.testing.assert_array_equal(named.codes[:, 0], [0, 0, -1, -1])
    with pytest.raises(DataError, match=r"line 2: sex is 'f' here but 'm' in another row"):
        attributes_of_images(table("subject,sex\nAnn,f\nAnn,m\n"), IMAGES, ["sex"], subjects=subjects)
    with pytest.raises(DataError, match=r"none of its 1 image is compared .* or of the subjects under theirs"):
        attributes_of_images(table("subject,sex\nZed,f\n"), IMAGES, ["sex"], subjects=subjects)
    with pytest.raises(DataError, match="the comparisons name no subjects"):
        attributes_of_images(table("subject,sex\nAnn,f\n"), IMAGES, ["sex"])


def test_values_that_differ_only_in_case_are_told():
    assert alike_values(["sex", "skin"], [["F", "f", "m"], ["dark", "light"]]) == [
        "sex: F/f differ only in case and are different groups; spell them alike"
    ]


def test_values_that_look_alike_are_told():
    """One group would silently be two: an accent of its own, a space without width, letters of full width."""
    values = ["caf\u00e9", "cafe\u0301", "m", "m\u200b", "\uff46", "f", "F", "a b", "a\u00a0b", "d"]
    (case, looks) = alike_values(["sex"], [[*values, "K", "k"]])
    assert case == "sex: K/k differ only in case and are different groups; spell them alike"
    assert looks == (
        r"sex: 'caf\xe9'/'cafe\u0301', 'm'/'m\u200b', '\uff46'/'f'/'F', 'a b'/'a\xa0b' differ only in characters that "
        "look alike or are not seen and are different groups; spell them alike"
    )


def test_values_that_are_numbers_are_in_the_order_of_their_numbers(table):
    given = table("image,age\np0/0.jpg,10\np0/1.jpg,9\np1/0.jpg,100\np2/0.jpg,2.5\n")
    assert attributes_of_images(given, IMAGES, ["age"]).values == (("2.5", "9", "10", "100"),)
    given = table("image,age\np0/0.jpg,10\np0/1.jpg,9\np1/0.jpg,old\n")
    assert attributes_of_images(given, IMAGES, ["age"]).values == (("10", "9", "old"),)


def test_a_table_of_people_cannot_tell_who_is_on_an_image_and_says_what_can(table):
    with pytest.raises(
        DataError, match=r"has no column image .*; with a row for each person .* take subjects from names"
    ):
        subjects_of_images(table("subject_id,skin\np0,dark\n"), IMAGES, "subject_id")


def test_many_numbers_are_hardly_meant_as_groups():
    ages = [str(age) for age in range(20, 33)]
    assert alike_values(["age"], [ages]) == [
        "age: 13 numbers, each a group of its own; --bands age=18,40,65 joins them"
    ]
    assert alike_values(["age", "age"], [ages[1:], [*ages, "old"]]) == []
