"""Tables and lists of names that are packed: attributes, landmarks, what is left out."""

import numpy as np
import pytest

from fairface.data.packing.csv_list import plan_csv
from fairface.data.packing.names import plan_names
from fairface.data.recordio.notes import AttributeNotes
from fairface.errors import ROOT, SKIP_MISSING, DataError


def csv(tmp_path, text, **arguments):
    (tmp_path / "x.csv").write_text(text)
    return plan_csv(tmp_path / "x.csv", **arguments)


def test_attributes_of_a_table(tmp_path):
    text = "sex,identity,age,image\nm,b,30,1.jpg\nf,a,,2.jpg\n,b,5,3.jpg\n"
    plan = csv(tmp_path, text)
    assert plan.attributes == AttributeNotes(("sex", "age"), {"sex": ("f", "m"), "age": ("5", "30")})
    assert [(photo.path, photo.label, photo.line, photo.attributes) for photo in plan.photos] == [
        (f"{tmp_path}/2.jpg", 0, 3, (0, -1)), (f"{tmp_path}/1.jpg", 1, 2, (1, 1)), (f"{tmp_path}/3.jpg", 1, 4, (-1, 0))
    ]  # fmt: skip
    plan = csv(tmp_path, text, root="in", attributes=["age"], values={"age": ["30", "5", "9"]})
    assert plan.attributes == AttributeNotes(("age",), {"age": ("30", "5", "9")})
    assert [(photo.path, photo.attributes) for photo in plan.photos] == [
        ("in/2.jpg", (-1,)), ("in/1.jpg", (0,)), ("in/3.jpg", (1,))]  # fmt: skip
    assert csv(tmp_path, text, attributes=[]).attributes == AttributeNotes((), {})
    many = "image,identity,n\n" + "".join(f"a.jpg,b,{i}\n" for i in range(128))
    assert len(csv(tmp_path, many).attributes.values["n"]) == 128
    for arguments, said in (
        ({"values": {"sex": ["f"]}}, "line 2: sex is 'm', not one of f; correct it"),
        ({"attributes": ["sex", "hat"]}, "line 1 names the columns sex,identity,age,image; hat missing"),
    ):
        with pytest.raises(DataError) as caught:
            csv(tmp_path, text, **arguments)
        assert str(caught.value) == f"{tmp_path / 'x.csv'}: {said}"
    for row in (",b,,1.jpg", "m,b,,"):
        complete = "line 3: image or identity is empty; fill it in"
        text = f"sex,identity,age,image\nm,b,,1.jpg\n{row if row[-1] == ',' else 'm,,,1.jpg'}\n"
        with pytest.raises(DataError, match=complete):
            csv(tmp_path, text)
    with pytest.raises(DataError, match=r"none\.csv: cannot be read \(No such file or directory\); correct the path"):
        plan_csv(tmp_path / "none.csv")


def test_a_list_of_names_with_landmarks(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "l.txt").write_text("a.jpg\n\nb.jpg\nc.jpg\n")
    points = {"a.jpg": np.ones((5, 2), np.float32), "c.jpg": np.zeros((5, 2), np.float32)}
    found = plan_names(tmp_path / "l.txt", tmp_path, points, "skip")
    assert (found.names, found.photos[0].path, found.photos[0].line) == (("a.jpg",), f"{tmp_path}/a.jpg", 1)
    assert found.photos[0].landmarks is points["a.jpg"]
    assert [note.split("missing and was left out: ")[1] for note in found.notes] == ["line 4: c.jpg", "line 3: b.jpg"]
    with pytest.raises(DataError, match=r"1 of 3 files is missing: line 4: c\.jpg; correct the list") as caught:
        plan_names(tmp_path / "l.txt", tmp_path)
    assert caught.value.settings == (ROOT, SKIP_MISSING)
    (tmp_path / "l.txt").write_text("a.jpg\nb.jpg\n")
    with pytest.raises(DataError, match=r"landmarks: 1 of 2 files is missing: line 2: b\.jpg; add them"):
        plan_names(tmp_path / "l.txt", tmp_path, points)
    plain = plan_names(tmp_path / "l.txt", tmp_path)
    assert [(photo.landmarks, photo.line) for photo in plain.photos] == [(None, 1), (None, 2)]
    assert plain.notes == ()
