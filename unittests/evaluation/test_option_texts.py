import pytest

from fairface.errors import ConfigError
from fairface.evaluation.option_texts import roles_of_columns, values_of_attributes


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
