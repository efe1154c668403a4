import pytest

from fairface.errors import ConfigError
from fairface.evaluation.option_texts import groups_of_attributes, roles_of_columns, values_of_attributes


def test_values_and_roles():
    assert values_of_attributes(["sex=f, m", " skin = dark"], ["skin", "sex"]) == {"sex": ["f", "m"], "skin": ["dark"]}
    assert roles_of_columns(["image_a=left, image_b = right", "same=is it"]) == {
        "image_a": "left", "image_b": "right", "same": "is it",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["sex", "sex=", "=f,m"])
def test_texts_of_another_form(text):
    with pytest.raises(ConfigError, match=r"--values .*: write NAME=A,B"):
        values_of_attributes([text], ["sex"])
    with pytest.raises(ConfigError, match=r"--columns .*: write ROLE=COLUMN"):
        roles_of_columns([text])


def test_bands_and_values_of_different_attributes():
    found = groups_of_attributes(["sex=f,m"], ["age=18,40"], ["age", "sex"])
    assert found == {"sex": ["f", "m"], "age": ("<18", "18 to <40", ">=40")}


@pytest.mark.parametrize(
    ("bands", "message"),
    [
        ("age", "--bands 'age': write NAME=18,40,65"),
        ("age=18,x", "--bands 'age=18,x': write NAME=18,40,65"),
        ("age=40,18", "bounds of bands must rise"),
        ("height=2", "height is not used"),
        ("sex=2", "sex: --values and --bands cannot both be given"),
    ],
)
def test_bands_of_another_form(bands, message):
    with pytest.raises(ConfigError, match=message):
        groups_of_attributes(["sex=f,m"], [bands], ["age", "sex"])
