"""The images that int8 is calibrated on are those that the model takes."""

import cv2
import pytest

from fairface.errors import DataError
from fairface.evaluation.int8 import HELD_OUT, Int8Data
from fairface.faces.align import adapted
from fairface.faces.layouts import DLIB
from unittests.small_models import draw_people

COUNT = 32


@pytest.fixture
def people(tmp_path):
    return draw_people(tmp_path / "people", people=24, images=4)


def test_crops_of_arcfaces_layout_are_adapted_to_dlibs_as_embedding_does(people):
    calibration, held_out = Int8Data.open(people, COUNT, "", (), 1e-3).images(150, DLIB)
    assert (calibration.shape, held_out.shape) == ((COUNT, 150, 150, 3), (HELD_OUT, 150, 150, 3))
    crops = [cv2.imread(f"{people}/p{person}/{image}.png")[..., ::-1] for person in range(24) for image in range(4)]
    wanted = {adapted(crop, 150, DLIB).tobytes() for crop in crops}  # 96 images are COUNT and HELD_OUT: all of them
    assert {image.tobytes() for image in (*calibration, *held_out)} == wanted


def test_another_size_is_refused_where_nothing_adapts(people):
    with pytest.raises(DataError, match="the image is 112x112 pixels, not 150x150; align it"):
        Int8Data.open(people, COUNT, "", (), 1e-3).images(150)
