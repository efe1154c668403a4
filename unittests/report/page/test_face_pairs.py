"""Face panels."""

from fairface.report.page.face_pairs import face_panels


def test_without_errors_there_is_a_sentence():
    panels = face_panels([], [])
    assert [panel.lines for panel in panels] == [("There is none at the evaluated threshold.",)] * 2
