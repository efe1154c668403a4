"""Face pairs: only those whose images are there, nothing outside the folder."""

import base64

import cv2
import numpy as np
import pytest

from fairface.data.images import encode_png
from fairface.errors import DataError
from fairface.evaluation.shown_faces import check_faces, worst_faces
from fairface.report.page.document import document
from fairface.report.page.face_pairs import face_panels
from fairface.report.page.panel import Page
from unittests.report.page.reading import check
from unittests.scoring.fairness.helpers import small_world


def test_faces_are_shown_small_and_missing_ones_named(tmp_path):
    scores, comparisons = small_world(subjects=8)
    shown = comparisons.names[comparisons.a[int(np.argmax(np.where(comparisons.same, -9, scores)))]]
    (tmp_path / shown).parent.mkdir()
    image = np.zeros((200, 100, 3), np.uint8)
    image[..., 0] = 250
    (tmp_path / shown).write_bytes(encode_png(image))
    panels = face_panels(*worst_faces(scores, comparisons, 0.3, tmp_path, count=2))
    page = check(document(Page("t", ("v",), panels)))
    sources = [attributes["src"] for attributes, _ in page.named("img") if attributes["alt"] == f"face in {shown}"]
    pixels = np.frombuffer(base64.b64decode(sources[0].partition(",")[2]), np.uint8)
    decoded = cv2.imdecode(pixels, cv2.IMREAD_COLOR)
    assert decoded.shape == (112, 56, 3)
    assert decoded[50, 20, 2] > 200 > 60 > decoded[50, 20, 0]
    assert any("image not found" in text for _, text in page.named("p"))


def test_names_that_lead_out_no_names_and_no_folder_are_refused(tmp_path):
    scores, comparisons = small_world(subjects=8)
    with pytest.raises(DataError, match="is no folder"):
        check_faces(tmp_path / "none")
    outside = type(comparisons)(**{**vars(comparisons), "names": tuple(f"../{n}" for n in comparisons.names)})
    with pytest.raises(DataError, match="leave the folder"):
        worst_faces(scores, outside, 0.3, tmp_path)
    with pytest.raises(DataError, match="name no images"):
        worst_faces(scores, type(comparisons)(**{**vars(comparisons), "names": ()}), 0.3, tmp_path)
