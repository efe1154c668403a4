"""What a picture's path must be, and what is said of it."""

import pytest

from fairface.errors import ConfigError
from fairface.report.picture import check_picture, drawn


def test_a_picture_needs_its_folder(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    check_picture(tmp_path / "roc.png")
    monkeypatch.chdir(tmp_path)
    check_picture("roc.svg")
    with pytest.raises(ConfigError, match=r"a/b/roc\.png: there is no folder .*a/b; create it, or name another one"):
        check_picture(tmp_path / "a" / "b" / "roc.png")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="there is no folder file"):
        check_picture("file/roc.png")
    with pytest.raises(ConfigError, match="pictures are written as"):
        check_picture("roc.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_one_line_says_what_was_drawn_and_where():
    assert drawn("out/roc.png", "ROC and DET of lfw") == "drawn: ROC and DET of lfw, in out/roc.png"
