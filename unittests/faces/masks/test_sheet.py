"""The contact sheet: a row for each face, a column for each style."""

import numpy as np
import pytest

from fairface.errors import ConfigError
from fairface.faces.masks import STYLES, MaskChoice
from fairface.faces.masks.sheet import contact_sheet
from fairface.faces.masks.textures import Textures
from unittests.faces.masks.heads import face, turned

STEP, TITLE = 114, 14


def cell(sheet, row, column):
    return sheet[TITLE + STEP * row :, STEP * column :][:112, :112]


def test_rows_and_columns():
    faces = [(face(seed=seed), turned()) for seed in range(2)]
    pictures = Textures({"a.png": np.full((256, 384, 4), 255, np.uint8)})
    sheet = contact_sheet(faces, MaskChoice(textures=pictures), seed=1)
    assert sheet.shape == (TITLE + 2 * STEP, STEP * (2 + len(STYLES)), 3)
    for row, (image, _) in enumerate(faces):
        assert (cell(sheet, row, 0) == image).all()
        for column in range(1, 2 + len(STYLES)):
            changed = (cell(sheet, row, column) != image).any(axis=2)
            assert 0.02 < changed.mean() < 0.6
    assert (contact_sheet(faces, MaskChoice(textures=pictures), seed=1) == sheet).all()


def test_a_refused_face_is_crossed_out():
    sheet = contact_sheet([(face(), turned(70))], MaskChoice(("n95",)), side=112)
    assert (cell(sheet, 0, 1)[56, 56] == (255, 0, 0)).all()
    with pytest.raises(ConfigError, match="needs a face at least"):
        contact_sheet([], MaskChoice())
